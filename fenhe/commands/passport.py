"""`fenhe passport`: all that is known of a battery set, as JSON or as a page to print."""

from __future__ import annotations

import html
import json
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fenhe.clear_errors import clear_errors
from schemas.settings import ReaderSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTIONS = {
    "identity": "身份 Identity",
    "health": "健康与建议 Health and advice",
    "use": "使用 Use",
    "temperature_hours": "温度（小时） Hours by temperature",
    "estimates": "历次放电的估计与证据 Estimates and their evidence",
    "alarms": "告警 Alarms",
}
STYLE = """
body { font: 10pt sans-serif; margin: 1.5em; } h1 { font-size: 15pt; } h2 { font-size: 12pt; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } tr { break-inside: avoid; }
th, td { border: 1px solid #999; padding: 2px 6px; text-align: left; font-weight: normal; overflow-wrap: anywhere; }
th { background: #eee; } .unknown { color: #777; } @page { size: A4 landscape; margin: 12mm; }
"""


def passport(
    device_id: Annotated[str, typer.Argument(help="The battery set.")],
    *,
    page: Annotated[Path | None, typer.Option(help="Write a page of HTML there, to look at or print.")] = None,
) -> None:
    """Show a battery set's passport as JSON: identity, health with evidence, use, temperatures, alarms, advice."""
    from storage.pool import connect

    with clear_errors():
        settings = ReaderSettings()
    with connect(str(settings.db_reader_url), name="passport") as connection:
        found = connection.execute("SELECT passport FROM battery_passport WHERE device_id = %s", [device_id]).fetchone()
    if found is None:
        typer.echo(f"no battery set {device_id} is registered", err=True)
        raise typer.Exit(1)
    if page is None:
        typer.echo(json.dumps(found[0], ensure_ascii=False, indent=2))
        return
    page.write_text(page_of(found[0]), encoding="utf-8")
    typer.echo(f"{device_id}: {page}")


def page_of(document: Mapping[str, Any]) -> str:
    """Write a passport as a page that prints on A4; what is not known says so."""
    title = html.escape(f"电池组护照 Battery passport · {document['identity']['device_id']}")
    parts = [f"<h2>{html.escape(name)}</h2>{_table(document[key])}" for key, name in SECTIONS.items()]
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )


def _table(value: Any) -> str:  # noqa: ANN401 - JSON
    """A table of a record, or of records of one form; nested ones are written out."""
    if not value:
        return _cell(None)
    if isinstance(value, list):
        rows = [_flat(each) for each in value]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{_cell(each)}</td>" for each in row.values()) + "</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{body}</table>"
    rows_of = "".join(f"<tr><th>{html.escape(name)}</th><td>{_cell(each)}</td></tr>" for name, each in value.items())
    return f"<table>{rows_of}</table>"


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= {f"{name}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _cell(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None or value == "":
        return '<span class="unknown">未知 unknown</span>'
    return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))
