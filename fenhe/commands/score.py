"""`fenhe score`: what the database says, held against the truth of a simulated run."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any

import typer


def score(
    *,
    truth: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The run's truth file.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole score as JSON.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw SoH as estimated over SoH as it is, as SVG.")] = None,
) -> None:
    """Score metering, health, backup, detection and books against a truth file. Reads FENHE_DB_READER_URL."""
    from fenhe.clear_errors import clear_errors
    from fenhe.scoring.picture import estimate_against_truth
    from fenhe.scoring.report import score as run
    from schemas.settings import ReaderSettings

    with clear_errors():
        settings = ReaderSettings()
    try:
        document, evidence = run(truth, str(settings.db_reader_url))
    except (ValueError, FileNotFoundError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    print_score(document)
    if json_file is not None:
        json_file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if picture is not None:
        title = f"{document['run']['scenario']}, seed {document['run']['seed']}"
        picture.write_text(estimate_against_truth(evidence.estimates, title), encoding="utf-8")


def print_score(document: dict[str, Any]) -> None:
    """Print a score as tables."""
    from rich.console import Console

    print_score_of_sets(document)
    console = Console()
    detection = document["detection"]
    sections = {
        "metering, by fault of the meter": document["metering"],
        f"detection of {detection['labels']} labels": {
            "detector": detection["detector"],
            "random control": detection["control"],
            **detection["by_kind"],
        },
        "books": {"": document["books"]},
    }
    for title, rows in sections.items():
        if rows:
            console.print(_table(title, rows))


def print_score_of_sets(document: dict[str, Any]) -> None:
    """Print what is said of battery sets."""
    from rich.console import Console

    for title, rows in (
        ("state of health, by method", document["health"]),
        ("single discharges, by method", document["discharges"]),
        ("backup time", document["backup"]),
    ):
        if rows:
            Console().print(_table(title, rows))


def _table(title: str, rows: dict[str, dict[str, Any]]) -> Any:  # noqa: ANN401 - rich is imported when it is needed
    from rich.table import Table

    names = list(next(iter(rows.values())))
    table = Table("", *names, title=title, title_justify="left")
    for label, row in rows.items():
        table.add_row(label, *(_shown(row[name]) for name in names))
    return table


def _shown(value: Any) -> str:  # noqa: ANN401 - any figure
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
