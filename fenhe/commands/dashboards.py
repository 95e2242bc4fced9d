"""`fenhe dashboards …`: write the dashboards' JSON, and bring a Grafana to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Dashboards, from their definitions in Python.")

SHOWN_LINES = 12
"""Differences shown of each thing."""


@app.command("build")
def build(
    directory: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("dashboards/generated"),
    alerting: Annotated[Path, typer.Option(help="Where the alert rules go.")] = Path(
        "deploy/grafana/alerting/fenhe.yaml"
    ),
    documents: Annotated[Path, typer.Option(help="Where the documents of the pages are, if any.")] = Path(
        "docs/dashboards"
    ),
) -> None:
    """Write every dashboard's Grafana JSON, the alert rules as a provisioning file, and the documents' tables."""
    from dashboards.grafana.build import build as build_all
    from dashboards.grafana.build import build_alerting
    from dashboards.grafana.documents import build_documents

    for path in [*build_all(directory), build_alerting(alerting), *build_documents(documents)]:
        typer.echo(path)


@app.command("publish")
def publish(
    grafana: Annotated[str, typer.Option(envvar="FENHE_GRAFANA_URL", help="https://grafana.example.com")],
    token: Annotated[
        str, typer.Option(envvar="FENHE_GRAFANA_TOKEN", help="A service account's token; better in the environment.")
    ],
    database: Annotated[
        str | None,
        typer.Option(
            envvar="FENHE_GRAFANA_DATABASE_URL",
            help="The database as Grafana reaches it, as fenhe_reader. Without it the data source is left alone.",
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            envvar="FENHE_ALERT_WEBHOOK", help="Where alerts on fenhe itself go. Without it alerting is left alone."
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 30.0,
    *,
    rewrite_secrets: Annotated[
        bool, typer.Option(help="Write the data source's password even if nothing else differs.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would change, and change nothing.")] = False,
) -> None:
    """Bring a Grafana's folder, data source, library panels, dashboards and alerting to the definitions."""
    from dashboards.grafana.api import Grafana
    from dashboards.grafana.build import all_dashboards
    from dashboards.grafana.publish import PublishOutcome, Wanted
    from dashboards.grafana.publish import publish as bring
    from dashboards.grafana.refusals import GrafanaError

    wanted = Wanted(
        dashboards=all_dashboards(), database_url=database, webhook=webhook, rewrite_secrets=rewrite_secrets
    )
    if dry_run:
        typer.echo("dry run: nothing is written")
    try:
        for change in bring(Grafana(grafana, token, timeout_s=timeout), wanted, dry_run=dry_run):
            said = f"would be {change.outcome}" if dry_run and change.outcome in _WRITES else str(change.outcome)
            reason = f": {change.lines[0]}" if change.outcome is PublishOutcome.LEFT_ALONE else ""
            typer.echo(f"{change.what}: {said}{reason}")
            if change.outcome in {PublishOutcome.CHANGED, PublishOutcome.CREATED}:
                for line in change.lines[:SHOWN_LINES]:
                    typer.echo(f"    {line}")
                if more := len(change.lines) - SHOWN_LINES:
                    typer.echo(f"    and {more} more" if more > 0 else "", nl=more > 0)
    except GrafanaError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


_WRITES = frozenset({"created", "changed", "refused"})
