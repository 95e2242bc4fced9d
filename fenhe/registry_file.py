"""Read a registry's YAML file, and say what is wrong with it by line and field, in the file's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from fenhe.clear_errors import PlainError
from schemas.registered.sense import NonsenseError, check
from schemas.registry import Registry
from schemas.yaml_text import read_yaml
from streams.kernels.plant.boundary import wrong_carriers
from streams.kernels.plant.lines import wrong_lines
from streams.kernels.plant.reference import energy_factors, reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from schemas.registered.sense import Nonsense

SHOWN = 20
"""Mistakes that are told at once."""
_WHOLE = {"sites", "devices"}
_BOOLEAN = "tag:yaml.org,2002:bool"


def read_registry(file: Path) -> Registry:
    """Read a registry. Raises PlainError with a line for each mistake: file, line, field, what is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = read_yaml(text)
    except UnicodeDecodeError:
        msg = f"{file}: this is no text in UTF-8: save it as UTF-8"
        raise PlainError(msg) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}, line {mark.line + 1}" if mark is not None else str(file)
        msg = f"{where}: this is no YAML: {getattr(error, 'problem', None) or error}"
        raise PlainError(msg) from None
    if odd := list(_odd_nodes(file, root)):
        raise PlainError("\n".join(odd[:SHOWN]))
    if not isinstance(content, dict) or not set(content) & _WHOLE:
        msg = f"{file}: a registry has the sections `sites` and `devices`"
        raise PlainError(msg)
    try:
        return Registry.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        lines = [_described(file, root, content, item) for item in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"{file}: and {len(found) - SHOWN} more")
        raise PlainError("\n".join(lines)) from None


def refuse_nonsense(file: Path, registry: Registry) -> None:
    """Refuse what cannot be meant. Raises PlainError that names line and field of each."""
    try:
        check(registry, [*wrong_carriers(registry, energy_factors()), *wrong_lines(registry, reference())])
    except NonsenseError as error:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        lines = [
            f"{file}, line {line}: {each}" if (line := _line_of_entry(root, each)) else f"{file}: {each}"
            for each in error.found[:SHOWN]
        ]
        raise PlainError("\n".join(lines)) from None


def _line_of_entry(root: yaml.Node | None, nonsense: Nonsense) -> int | None:
    """The line of a site's, a device's or a virtual meter's field, as far as the file has it."""
    sites = _items(root, "sites")
    owners = [
        *((site, "site_id") for site in sites),
        *((device, "device_id") for device in _items(root, "devices")),
        *((meter, "meter_id") for site in sites for meter in _items(site, "virtual_meters")),
    ]
    for node, key in owners:
        at = _under(node, key)
        if at is not None and at[1].value == nonsense.entry:
            return _line_under(node, nonsense.field.split("."), node.start_mark.line + 1)
    return None


def _line_under(node: yaml.Node, path: Sequence[str], line: int) -> int:
    """The line of what a path leads to; `line` where it leads to nothing."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        elif (at := _under(node, part)) is not None:
            line, node = at[0].start_mark.line + 1, at[1]
        else:
            break
    return line


def _under(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """A key of a mapping and what stands under it."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((name, value) for name, value in pairs if name.value == key), None)


def _items(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    """Entries of the list that stands under a key."""
    at = _under(node, key)
    return at[1].value if at is not None and isinstance(at[1], yaml.SequenceNode) else []


def _odd_nodes(file: Path, node: yaml.Node | None) -> Iterator[str]:
    """What YAML takes without a word: a key that stands twice, of which it keeps the last, and `yes` for a number."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _odd_nodes(file, item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        where, name = f"{file}, line {key.start_mark.line + 1}", str(key.value)
        if name in seen:
            yield f"{where}: {name} stands twice in one entry: which of them is meant?"
        seen.add(name)
        if value.tag == _BOOLEAN:
            yield f"{where}: {name}: {value.value} is neither a number nor a text: put a text in quotes"
        if name != "detection":  # the one place where something is true or false
            yield from _odd_nodes(file, value)


def _described(file: Path, root: yaml.Node | None, content: object, item: Any) -> str:  # noqa: ANN401 - pydantic's own
    path = [part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    line = _line_of(root, path, item["msg"], file)
    where = f"{file}, line {line}" if line else str(file)
    named = " ".join(part for part in (_owner(content, path), ".".join(str(part) for part in path[2:])) if part)
    problem = _plain(item)
    return f"{where}: {named + ': ' if named and not problem.startswith(named) else ''}{problem}"


def _owner(content: object, path: Sequence[int | str]) -> str:
    """The site or device that a path lies in, by its id where it has one: "device COKE1-G"."""
    if len(path) < 2 or not isinstance(content, dict):  # noqa: PLR2004 - section and number
        return str(path[0]) if path else ""
    section, number = str(path[0]), path[1]
    items = content.get(section)
    one = section.removesuffix("s")
    if isinstance(items, list) and isinstance(number, int) and number < len(items) and isinstance(items[number], dict):
        return f"{one} {items[number].get(f'{one}_id', f'number {number + 1}')}"
    return section


def _line_of(root: yaml.Node | None, path: Sequence[int | str], message: str, file: Path) -> int | None:
    """The line of what a path leads to, as far as the file has it; where there is no path, of an id it names."""
    line = None if root is None else _line_under(root, [str(part) for part in path], 0)
    if not line:
        lines = file.read_text(encoding="utf-8").splitlines()
        words = re.findall(r"[A-Za-z0-9][\w.:-]+", message)
        for word in (each.rstrip(":.,") for each in words):
            ids = [
                number for number, text in enumerate(lines, 1) if re.search(rf"_id:\s*['\"]?{re.escape(word)}\b", text)
            ]
            if ids:
                return ids[-1]
    return line


def _plain(item: Any) -> str:  # noqa: ANN401 - pydantic's own
    kind, message, value = item["type"], str(item["msg"]), item.get("input")
    context = item.get("ctx") or {}
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such field; see docs/registry.md"
        case "enum" | "literal_error":
            return f"{value!r} is none of {context.get('expected', '')}"
        case "string_pattern_mismatch" if str(context.get("pattern")).endswith("(00|15|30|45)$"):
            return f"{value!r} is no quarter of an hour: write HH:MM, such as 08:00, in quotes"
        case "string_pattern_mismatch":
            return f"{value!r} is no identifier: letters, digits, _ . : - and at most 64 of them"
        case _:
            return f"{message.removeprefix('Value error, ')}" + ("" if kind == "value_error" else f", not {value!r}")
