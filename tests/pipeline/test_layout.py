"""The layout tells the flow: what its parts may know of each other."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pipeline

HOME = Path(pipeline.__path__[0])
MODULES = [path for path in HOME.rglob("*.py") if "sandbox" not in path.parts]
ORDER = (
    *("storage", "clockify", "quickbooks", "extract", "review", "reports", "delivery"),
    *("preconditions", "commands"),
)
KNOW_DAGSTER = {"orchestration", "definitions", "demo", "launcher", "preconditions"}
"""Of `pipeline`, beside the sandbox, which knows nothing of the rest."""


def imports(path: Path) -> set[str]:
    """The modules that a file imports, and what it imports of them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def part(path: Path) -> str:
    """The package, or the module of none, that a file belongs to."""
    return path.relative_to(HOME).parts[0].removesuffix(".py")


def test_no_two_parts_need_each_other() -> None:
    """Each package can be read with those before it alone, in the order of the README."""
    parts = {part(path) for path in MODULES}
    needs = defaultdict(set)
    for path in MODULES:
        of_ours = {name.split(".")[1] for name in imports(path) if name.startswith("pipeline.")}
        needs[part(path)] |= (of_ours & parts) - {part(path)}
    list(TopologicalSorter(needs).static_order())  # raises if there is a circle
    for number, name in enumerate(ORDER):
        assert not needs[name].intersection(ORDER[number + 1 :]), name


def test_few_parts_know_dagster() -> None:
    """Rules, delivery and reports are plain Python, and can be tried without a run."""
    know = {part(path) for path in MODULES if any(n.startswith("dagster") for n in imports(path))}
    assert know == KNOW_DAGSTER


def test_the_sandbox_is_the_other_side_of_the_wire() -> None:
    """It takes nothing from the pipeline, and gives it nothing but answers."""
    for path in HOME.rglob("*.py"):
        ours = {name for name in imports(path) if name.startswith("pipeline.")}
        is_sandbox = "sandbox" in path.parts
        assert all(name.startswith("pipeline.sandbox") == is_sandbox for name in ours), path


def test_a_file_of_which_nothing_is_known_is_not_taken_for_missing() -> None:
    """`Path.exists` says no, from Python 3.14 on, where the disk fails: `files.is_there` asks."""
    for path in MODULES:
        assert ".exists()" not in path.read_text(), path
