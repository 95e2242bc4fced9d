"""The pages' documents in `docs/dashboards/`: what a panel says of itself is written there from its definition.

What stands above the table is written by hand, the table and the line below it by `fenhe dashboards build`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit.dashboard import BAND_ID
from schemas.words import Language

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.kit.dashboard import Definition

HEAD = "| panel | figure and source |\n"


def panels_of(definition: Definition) -> str:
    """Return the table of a page's panels with its variables, as Markdown."""
    page = dashboard_json(definition, Language.EN)
    rows = [
        f"| {_cell(panel['title'])} | {_cell(panel['description'])} |"
        for panel in page["panels"]
        if panel["id"] != BAND_ID  # the same sentence on every page
    ]
    variables = ", ".join(f"`{variable.name}`" for variable in definition.variables if not variable.hidden) or "none"
    module = definition.slug.replace("-", "_")
    tail = f"Variables: {variables}. Refresh: {definition.refresh}. Definition: `dashboards/pages/{module}.py`.\n"
    return HEAD + "|---|---|\n" + "\n".join(rows) + "\n\n" + tail


def _cell(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda name: name[1].replace("_", " "), text).replace("|", "\\|").replace("\n", " ")


def document(text: str, definition: Definition) -> str:
    """Return a page's document with its table as the definition has it now. Raises ValueError if it has none."""
    by_hand, head, _ = text.partition(HEAD)
    if not head:
        msg = f"the document of {definition.slug} has no line {HEAD.strip()!r}, from which on it is written"
        raise ValueError(msg)
    return by_hand + panels_of(definition)


def build_documents(folder: Path) -> list[Path]:
    """Write the tables of those pages that have a document in the folder; return the files written."""
    written = []
    for definition in DEFINITIONS:
        path = folder / f"{definition.slug}.md"
        if path.exists():
            path.write_text(document(path.read_text(encoding="utf-8"), definition), encoding="utf-8")
            written.append(path)
    return written
