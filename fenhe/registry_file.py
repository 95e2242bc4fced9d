"""Read a registry's YAML file, and say what is wrong with it by line and field, in the file's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from fenhe.clear_errors import PlainError
from schemas.registered.sense import NonsenseError, check, line_of
from schemas.registry import Registry
from schemas.yaml_text import read_yaml
from streams.kernels.plant.boundary import wrong_carriers
from streams.kernels.plant.reference import energy_factors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SHOWN = 20
"""Mistakes that are told at once."""
_WHOLE = {"sites", "devices"}


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
    if not isinstance(content, dict) or not set(content) & _WHOLE:
        msg = f"{file}: a registry has the sections `sites` and `devices`"
        raise PlainError(msg)
    try:
        return Registry.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        lines = [_told(file, root, content, item) for item in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"{file}: and {len(found) - SHOWN} more")
        raise PlainError("\n".join(lines)) from None


def refuse_nonsense(file: Path, registry: Registry) -> None:
    """Refuse what cannot be meant. Raises PlainError that names line and field of each."""
    try:
        check(registry, wrong_carriers(registry.devices, energy_factors()))
    except NonsenseError as error:
        text = file.read_text(encoding="utf-8")
        told = [
            f"{file}, line {line}: device {each}" if (line := line_of(text, each)) else f"{file}: device {each}"
            for each in error.found[:SHOWN]
        ]
        raise PlainError("\n".join(told)) from None


def _told(file: Path, root: yaml.Node | None, content: object, item: Any) -> str:  # noqa: ANN401 - pydantic's own
    path = [part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    line = _line_of(root, path, item["msg"], file)
    where = f"{file}, line {line}" if line else str(file)
    named = " ".join(part for part in (_owner(content, path), ".".join(str(part) for part in path[2:])) if part)
    return f"{where}: {named + ': ' if named else ''}{_plain(item)}"


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
    node, line = root, None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    if line is None:
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
        case "string_pattern_mismatch":
            return f"{value!r} is no identifier: letters, digits, _ . : - and at most 64 of them"
        case _:
            return f"{message.removeprefix('Value error, ')}" + ("" if kind == "value_error" else f", not {value!r}")
