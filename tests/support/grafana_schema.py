"""Built dashboards against the types that Grafana publishes, `@grafana/schema` on npm: a check, no dependency.

The types are TypeScript, so the dashboards become literals of a TypeScript file and the compiler says what they hold
that the schema does not know. Grafana's enumerations are compared by their values, and what an option has a default for
may be left out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Json = dict[str, Any]

LINES = {"12": "12.4.11", "13": "13.2.3"}
"""The newest of the two lines that Grafana supports, in November 2026."""
TYPESCRIPT = "5.9.3"
FOLDERS = {"state-timeline": "statetimeline"}
"""Where the schema names a panel otherwise than its type."""

HEAD = """
import type { Dashboard, FieldConfig } from '@grafana/schema';
type Loose<T> = unknown extends T ? T : T extends string ? `${T}` : T extends number ? number
  : T extends boolean | null | undefined ? T : T extends (infer U)[] ? Loose<U>[]
  : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;
"""


class NoCompilerError(Exception):
    """Node is missing, or its registry does not answer; the message says which."""


def install(folder: Path) -> Path:
    """Return a folder with the schemas and the compiler in it, installed once. Raises NoCompilerError."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            msg = f"no {program}: the schema of Grafana is checked with TypeScript"
            raise NoCompilerError(msg)
    packages = {f"schema{line}": f"npm:@grafana/schema@{version}" for line, version in LINES.items()}
    wanted = json.dumps({"private": True, "dependencies": {**packages, "typescript": TYPESCRIPT}})
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "done.json"
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        found = _run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
        if found.returncode:
            msg = f"npm does not install the schema: {found.stderr[-400:]}"
            raise NoCompilerError(msg)
        done.write_text(wanted, encoding="utf-8")
    return folder


def complaints(folder: Path, line: str, dashboards: Sequence[Json]) -> list[str]:
    """Return what the compiler has to say against the dashboards, as of one line of Grafana."""
    types = f"./node_modules/schema{line}/dist/types"
    names = sorted({panel["type"] for dashboard in dashboards for panel in dashboard["panels"]})
    imports = [
        f"import type * as {_folder(name)} from '{types}/raw/composable/{_folder(name)}/panelcfg/x/types.gen';"
        for name in names
    ]
    source = folder / f"check{line}.ts"
    source.write_text("\n".join([HEAD, *imports, *_literals(dashboards)]) + "\n", encoding="utf-8")
    project = folder / f"tsconfig{line}.json"
    options: Json = {"noEmit": True, "strict": True, "skipLibCheck": True, "module": "esnext", "target": "es2022"}
    options |= {"moduleResolution": "bundler", "types": [], "paths": {"@grafana/schema": [f"{types}/index.d.ts"]}}
    project.write_text(json.dumps({"compilerOptions": options, "files": [source.name]}), encoding="utf-8")
    found = _run(["node", "node_modules/typescript/bin/tsc", "-p", project.name, "--pretty", "false"], folder)
    return [text for text in found.stdout.splitlines() if text and not text.startswith(" ")]


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - ours


def _folder(panel: str) -> str:
    return FOLDERS.get(panel, panel)


def _literals(dashboards: Sequence[Json]) -> Iterator[str]:
    """One literal per dashboard, and per panel one of its options and each of its fields."""
    for dashboard in dashboards:
        # An annotation's query is the data source's own, of which the schema knows only what all have in common.
        common = [
            {**each, "target": {"refId": each["target"]["refId"], "datasource": each["target"]["datasource"]}}
            for each in dashboard["annotations"]["list"]
        ]
        shown = {**dashboard, "annotations": {"list": common}}
        yield f"export const {_name(dashboard['uid'])}: Loose<Dashboard> = {json.dumps(shown)};"
        for panel in dashboard["panels"]:
            name = f"{_name(dashboard['uid'])}_{panel['id']}"
            kind = _folder(panel["type"])
            yield f"export const {name}: Loose<{kind}.Options> = {json.dumps(panel['options'])};"
            for number, properties in enumerate(_properties(panel)):
                custom = properties.pop("custom", {})
                yield f"export const {name}_f{number}: Loose<FieldConfig> = {json.dumps(properties)};"
                if custom:
                    yield f"export const {name}_c{number}: Loose<{kind}.FieldConfig> = {json.dumps(custom)};"


def _properties(panel: Json) -> Iterator[Json]:
    """The defaults and each override as one object."""
    config = panel["fieldConfig"]
    yield dict(config["defaults"])
    for override in config["overrides"]:
        found: Json = {}
        for each in override["properties"]:
            *path, name = each["id"].split(".")
            place: Json = found
            for part in path:
                place = place.setdefault(part, {})
            place[name] = each["value"]
        yield found


def _name(uid: str) -> str:
    return uid.replace("-", "_")


def broken(dashboard: Mapping[str, Any]) -> Json:
    """Return a copy with what the schema does not know: a table's footer and a variable's `auto`."""
    copied: Json = json.loads(json.dumps(dashboard))
    copied["templating"]["list"][0]["auto"] = False
    table = next(panel for panel in copied["panels"] if panel["type"] == "table")
    table["options"]["footer"] = {"show": False}
    return copied
