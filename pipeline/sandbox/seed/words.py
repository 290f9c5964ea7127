"""What people write into the description: ordinary work, and texts that trip programs up.

No text holds `<` or `>`, since Clockify refuses both.
"""

WORK: tuple[str, ...] = (
    "Grading plan revisions",
    "Planting schedule, north beds",
    "Site visit with contractor",
    "Boardwalk section details",
    "Stormwater calcs for basin B",
    "Client call + minutes",
    "Permit drawings, sheet L-201",
    "Irrigation layout",
    "Retaining wall: global stability check",
    "Tree survey mark-ups",
    "Sketches for Thursday's review",
    "ADA ramp slopes (again)",
    "Lighting plan, comments from the Town",
    "Quantity take-off",
    "Bid questions, addendum 2",
    "Soil report review",
    "Render of the entry court",
    "Coordination w/ structural",
    "Plant list substitutions: Ilex glabra, Itea virginica",
    "Erosion control notes",
    "Field measurements, east slope",
    "Punch list walk-through",
    "Redlines \u2013 50% set",
    "Email catch-up",
    "",
)

ODD_TEXTS: tuple[str, ...] = (
    'Kerb detail at 6" reveal, "as built", O\'Brien\'s set',
    "**Bold claim** | _site_ walk | `L-204` [link](https://example.invalid/a|b)",
    "Planting day \U0001f331\U0001f468\u200d\U0001f33e: beds 1\u20134 done",
    "Call with client\nAgenda:\n\t1. budget\r\n\t2. schedule",
    "\u200fסקר עצים\u200f on the west edge",  # noqa: RUF001 # Hebrew, meant as such
    '=HYPERLINK("https://example.invalid";"open")',
    "+1 revision",
    "-20% on the irrigation estimate",
    "@Priya please check sheet 12",
    "  leading, trailing and  double blanks  ",
    "Beton f\u00fcr die St\u00fctzmauer & Gel\u00e4nder &lt;b&gt;",
    "Survey of the lower slope, station by station: " + "0123456789 " * 268 + "done.",
)
"""Each is right as an entry, and hard to carry or to show."""
