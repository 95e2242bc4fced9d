"""`fenhe passport`: all that is known of a battery set, as JSON or as a page to print."""

from __future__ import annotations

import datetime as dt
import html
import json
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboards.words import labels
from dashboards.words import passport as words
from dashboards.words.passport import PassportLine
from fenhe.clear_errors import clear_errors
from schemas.metrics.battery_health import CapacityReason
from schemas.settings import ReaderSettings
from schemas.time import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.words import Text

STYLE = """
body { font: 10pt sans-serif; margin: 1.5em; } h1 { font-size: 15pt; } h2 { font-size: 12pt; break-after: avoid; }
table { border-collapse: collapse; width: 100%; } tr { break-inside: avoid; }
th, td { border: 1px solid #999; padding: 2px 6px; text-align: left; font-weight: normal; overflow-wrap: break-word; }
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
    """Write a passport as a page that prints on A4, in both languages; what is not known says so."""
    title = _both(words.PASSPORT) + " · " + html.escape(document["identity"]["device_id"])
    known_hours = document["temperature_hours"]
    hours = {band: known_hours.get(band, 0) for band in words.BANDS} if known_hours else {}
    deep_enough = [each for each in document["estimates"] if not _is_too_shallow(each)]
    parts = [
        _section(words.IDENTITY, _list(document["identity"], words.IDENTITY_ITEMS)),
        _section(words.HEALTH, _list(document["health"] or {}, words.HEALTH_ITEMS)),
        _section(words.USE, _list(document["use"], words.USE_ITEMS)),
        _section(
            words.TEMPERATURE_HOURS,
            _list(hours, [PassportLine(key, text, "h", 0) for key, text in words.BANDS.items()]),
        ),
        _section(
            words.ESTIMATES,
            _table(deep_enough, words.ESTIMATE_ITEMS) + _left_out(len(document["estimates"]) - len(deep_enough)),
        ),
        _section(words.ALARMS, _table(document["alarms"], words.ALARM_ITEMS)),
    ]
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )


def _is_too_shallow(estimate: Mapping[str, Any]) -> bool:
    """Whether a discharge drew too little to tell anything, as nearly all of them do."""
    said = _found(estimate, "this_discharge.reason") or estimate["reason"]
    return said == CapacityReason.TOO_SHALLOW and estimate["change"] is None


def _left_out(count: int) -> str:
    return f"<p>{_both(words.TOO_SHALLOW)}: {count}</p>" if count else ""


def _section(title: Text, content: str) -> str:
    return f"<h2>{_both(title)}</h2>{content}"


def _list(record: Mapping[str, Any], items: Sequence[PassportLine]) -> str:
    rows = "".join(f"<tr><th>{_both(item.text)}</th><td>{_cell(record, item)}</td></tr>" for item in items)
    return f"<table>{rows}</table>"


def _table(records: Sequence[Mapping[str, Any]], items: Sequence[PassportLine]) -> str:
    """Records of one form, the newest first."""
    if not records:
        return _absent(labels.NONE)
    head = "".join(f"<th>{_both(item.text)}</th>" for item in items)
    rows = ("".join(f"<td>{_cell(record, item)}</td>" for item in items) for record in reversed(records))
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(record: Mapping[str, Any], item: PassportLine) -> str:
    value = _found(record, item.key)
    if value in {None, ""}:
        return _absent(item.absent)
    if item.is_moment:
        return f"{dt.datetime.fromisoformat(value).astimezone(LOCAL):%Y-%m-%d %H:%M}"
    if item.words is not None:
        said = json.dumps(value) if isinstance(value, bool) else str(value)
        texts = ", ".join(
            _both(item.words[each]) if each in item.words else html.escape(each) for each in said.split(",")
        )
        return texts + (_both(words.BY_VOLTAGE) if item.inferred and _found(record, item.inferred) else "")
    if item.decimals is None:
        return html.escape(str(value))
    ends = [value, *([_found(record, item.to)] if item.to else [])]
    return html.escape(f"{'–'.join(f'{end * item.scale:,.{item.decimals}f}' for end in ends)} {item.unit}".strip())


def _found(record: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - JSON
    """A field of a record, or of one within it: `this_discharge.soh_pct`."""
    outer, _, inner = key.partition(".")
    value = record.get(outer)
    return (value or {}).get(inner) if inner else value


def _both(text: Text) -> str:
    """A text in both languages, once where they are the same."""
    return html.escape(text.zh if text.zh == text.en else f"{text.zh} {text.en}")


def _absent(text: Text) -> str:
    return f'<span class="unknown">{_both(text)}</span>'
