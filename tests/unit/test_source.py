"""What the source tree holds is used by the source tree."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDERS = ("schemas", "ingest", "streams", "storage", "dashboards", "simulators", "notify", "fenhe")
WRITTEN_AHEAD = "a codec the collector does not take in yet: docs/message-format.md, other encodings"


def module_of(path: Path) -> str:
    """A file's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def defined(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The constants, functions and classes of a module. A decorator may keep what it is given: such are left out."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) or (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list
        ):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
                yield from ((part.id, node) for part in ast.walk(target) if is_stored(part))


def is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether a value is kept under this name."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def read(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(module, name) of everything a module reads: of its own, what it imports, and what it asks modules for.

    What only the statement that defines it reads, such as a function that calls itself, is not read.
    """
    own = dict(defined(tree))
    modules: dict[str, str] = {}
    asked: list[tuple[str, str]] = []
    for statement in tree.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                if own.get(node.id, statement) is not statement and isinstance(node.ctx, ast.Load):
                    yield module, node.id
            elif isinstance(node, ast.Attribute):
                if isinstance(node.value, ast.Name):
                    asked.append((node.value.id, node.attr))
            elif isinstance(node, ast.ImportFrom):
                for name in node.names:
                    yield node.module or "", name.name
                    modules[name.asname or name.name] = f"{node.module}.{name.name}"
    yield from ((modules[held], name) for held, name in asked if held in modules)


KEPT = {
    "ingest.sparkplug.SparkplugDecoder": WRITTEN_AHEAD,
    "ingest.sparkplug.rebirth_request": WRITTEN_AHEAD,
    "ingest.ydt1363.battery_reading": WRITTEN_AHEAD,
    "ingest.ydt1363.decode_battery": WRITTEN_AHEAD,
    "schemas.words.refused.in_language": "what the pages' SQL says is held against it",
    "simulators.wire.sparkplug.EdgeNode": WRITTEN_AHEAD,
    "simulators.wire.ydt1363.encode_battery": WRITTEN_AHEAD,
    "streams.kernels.alarms.machine.presents": "the rule that the database's outbox of messages is held against",
}
"""Why something that only tests read stays."""


def test_every_constant_function_and_class_is_used() -> None:
    """What nothing but tests reads goes, or `KEPT` says why it stays."""
    there: set[tuple[str, str]] = set()
    used: set[tuple[str, str]] = set()
    for folder in (*FOLDERS, "bench"):
        for path in (ROOT / folder).rglob("*.py"):
            module, tree = module_of(path), ast.parse(path.read_text(encoding="utf-8"))
            used.update(read(module, tree))
            if folder != "bench":
                there.update((module, name) for name, _ in defined(tree) if not name.startswith("__"))
    unused = {f"{module}.{name}" for module, name in there - used}
    assert sorted(unused ^ set(KEPT)) == []


def test_no_transaction_is_left_to_a_pipeline() -> None:
    """After one of psycopg's, PostgreSQL does not end the transaction of a client that is paused: decision 370.

    psycopg's `executemany` opens one; the simulators' truth is in SQLite, which has none.
    """
    using = [
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if ".pipeline()" in (text := path.read_text(encoding="utf-8")) or "executemany(" in text
    ]
    assert using == ["simulators/truth.py"]
