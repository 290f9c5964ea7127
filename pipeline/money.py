"""Money between its two spellings: a decimal number and whole minor units.

Everything inside the pipeline is an integer of minor units with its currency beside it; only the
functions here turn it into a decimal number or back, exactly. Keeps out: which rate and which hours
count, which are the review's.
"""

from decimal import Decimal

_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_OR_FOUR = "BHD CLF IQD JOD KWD LYD OMR TND UYW"
OTHER_EXPONENTS = frozenset(f"{_WITHOUT} {_THREE_OR_FOUR}".split())
"""ISO 4217 currencies without exactly two decimals.

Whether Clockify still counts these in hundredths is not confirmed, so no number is guessed.
"""


def minor_units(number: Decimal, currency: str) -> int | None:
    """An amount or rate in currency units as whole minor units, exactly.

    None if it has parts of a minor unit, or the currency's are not hundredths.
    """
    numerator, denominator = number.as_integer_ratio()
    whole, rest = divmod(numerator * 100, denominator)
    return None if rest or currency in OTHER_EXPONENTS else whole


def json_number(minor: int, currency: str) -> Decimal:
    """Turn minor units into the number in currency units that goes into JSON.

    Raises:
        ValueError: the currency's minor units are not hundredths.
    """
    if currency in OTHER_EXPONENTS:
        raise ValueError(f"{currency} does not have two decimals")
    return Decimal((int(minor < 0), tuple(map(int, str(abs(minor)))), -2))


def amount_minor(minutes: int, rate: Decimal) -> int:
    """Minutes ÷ 60 × rate in minor units of hundredths, rounded half up once.

    Args:
        minutes: not negative.
        rate: per hour in currency units, not negative, to any digit.
    """
    numerator, denominator = (rate * 100).as_integer_ratio()
    return (minutes * numerator * 2 + 60 * denominator) // (120 * denominator)
