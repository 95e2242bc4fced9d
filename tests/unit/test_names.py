"""One word, one meaning, and rooms that can be taken in at a glance: what the house style says of names and sizes."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "ingest", "streams", "storage", "dashboards", "simulators", "notify", "fenhe")
READ_BACK = {"Annotation", "Variable"}
"""Of a dashboard as it is defined, and of the same as it is read from the built JSON: one meaning."""
PRIVATE = {"told", "again", "met"}
"""Words that say nothing to who did not write them: of a value's name, what it holds; of a function's, what it does."""
KEPT = {
    "told_ts": "the column `told_at` of `site_doubt`",
    "is_told": "a field of a register's saved state",
}
"""Names that have such a word in them and are saved or sent, with what they are the name of."""
RUNS_ON = re.compile(r"(and|or|by|for|of|which|while|as|so|than|with) ")
"""How a text begins that is the second half of a sentence."""
MOST_LINES = 400
MOST_MODULES = 20


@cache
def modules() -> list[Path]:
    """All modules in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607 - the developers' git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


@cache
def tree(path: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def test_no_two_classes_of_the_product_have_one_name() -> None:
    """Whoever reads a name in one room does not think of what it means in another."""
    homes: dict[str, set[str]] = defaultdict(set)
    for path in modules():
        if path.parts[0] in PACKAGES:
            for node in tree(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].add(str(path))
    assert {name: sorted(where) for name, where in homes.items() if len(where) > 1 and name not in READ_BACK} == {}


def test_a_moment_is_told_from_a_length_of_time_by_its_name() -> None:
    """A field that a row keeps as a moment is `ts` or ends in `_ts`; what ends in `_ms` is a length of time."""
    wrong = [
        f"{path}: {node.target.id}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and ast.unparse(node.annotation).split(" | ")[0] == "Moment"
        and not re.search(r"(^|_)ts$", node.target.id)
    ]
    assert wrong == []


def given_by(node: ast.AST) -> list[str]:
    """The names that a piece of a module gives: to what is assigned, passed, defined or imported."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [] if name.startswith("test_") else [name]  # a test's name is a sentence
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return [name]
        case _:
            return []


def test_no_name_is_in_a_language_of_our_own() -> None:
    """What was `told` may be published, signalled, sent or notified: the name says which."""
    found = {
        (str(path), name)
        for path in modules()
        for node in ast.walk(tree(path))
        for name in given_by(node)
        if PRIVATE & set(name.lower().split("_"))
    }
    assert {(path, name) for path, name in found if name not in KEPT} == set()
    assert {name for _, name in found} == set(KEPT), "one that is not given any more is no exception"


def test_no_sentence_runs_over_two_fields() -> None:
    """An editor shows the text of one field alone: it ends there, and begins with no "and" of the one before."""
    wrong = []
    for path in modules():
        for node in ast.walk(tree(path)):
            for field, said in pairwise(
                getattr(node, "body", ()) if isinstance(node, ast.ClassDef | ast.Module) else ()
            ):
                match (field, said):
                    case (ast.Assign() | ast.AnnAssign(), ast.Expr(value=ast.Constant(value=str(text)))):
                        if text.rstrip()[-1:] in {",", ":", ";"} or RUNS_ON.match(text):
                            wrong.append(f"{path}:{said.lineno}: {text}")
    assert not wrong


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    """A file of more lines is asking to be two."""
    lines = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_folder_holds_more_modules_than_can_be_overlooked() -> None:
    """What belongs together gets a folder of its own, whose name says what it is."""
    counts = Counter(str(path.parent) for path in modules() if path.name not in {"__init__.py", "conftest.py"})
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def imported_by(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a module imports anywhere, for type checking only as well."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            named = {f"{node.module}.{each.name}" for each in node.names}
            found |= (named & known) or ({node.module} & known)
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names} & known
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not for type checking either: one of two that need each other's names cannot be read without the other."""
    homes = {name_of(path): path for path in modules() if path.parts[0] in PACKAGES}
    left = {name: imported_by(path, set(homes)) - {name} for name, path in homes.items()}
    while ends := {name for name, needed in left.items() if not needed & set(left)}:
        left = {name: needed for name, needed in left.items() if name not in ends}
    while tops := set(left) - set().union(*left.values()):
        left = {name: needed for name, needed in left.items() if name not in tops}
    assert sorted(left) == []


def name_of(path: Path) -> str:
    """A module's name."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
