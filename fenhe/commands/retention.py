"""The commands that say and set how long rows are kept, and take away what is older."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fenhe.clear_errors import clear_errors

if TYPE_CHECKING:
    from psycopg import Connection

retention = typer.Typer(help="How long rows are kept: raw readings 13 months, minutes 3 years, hours for ever.")


def _owner() -> Connection:
    from schemas.settings import MigrateSettings
    from storage.pool import connect

    with clear_errors():
        settings = MigrateSettings()
    return connect(str(settings.db_owner_url), name="retention", autocommit=True)


@retention.command("show")
def show() -> None:
    """What is kept how long, and from when on it is there."""
    from storage.retention import policies

    with _owner() as connection:
        for policy in policies(connection):
            since = "" if policy.kept_from is None else f", rows before {policy.kept_from:%Y-%m-%d} are gone"
            typer.echo(f"{policy.table}: {policy.keep_text}{since}")
            if policy.error:
                typer.echo(f"  {policy.error}")


@retention.command("set")
def set_(
    table: Annotated[str, typer.Argument(help="Table, as `show` names it.")],
    keep: Annotated[str, typer.Argument(help='Such as "13 months"; "for ever" keeps everything.')],
) -> None:
    """Keep a table's rows for another time; at least 60 days."""
    import psycopg

    from storage.retention import set_policy

    with _owner() as connection:
        try:
            set_policy(connection, table, None if keep == "for ever" else keep)
        except psycopg.errors.DataError as error:
            typer.echo(error.diag.message_primary, err=True)
            raise typer.Exit(2) from None
        except psycopg.errors.CheckViolation:
            typer.echo("keep at least 60 days: late readings reach back that far", err=True)
            raise typer.Exit(2) from None
    typer.echo(f"{table}: {keep}")


@retention.command("disk")
def disk(
    size: Annotated[
        str, typer.Argument(help='What the database may grow to, such as "500 GB"; "unknown" takes it back.')
    ],
) -> None:
    """Say how large the database's disk is, so that the page tells when it is full."""
    import psycopg

    from storage.retention import say_disk

    with _owner() as connection, connection.transaction():
        try:
            say_disk(connection, None if size == "unknown" else size)
        except (psycopg.errors.DataError, psycopg.errors.IntegrityError) as error:
            typer.echo(error.diag.message_primary, err=True)
            raise typer.Exit(2) from None
    typer.echo(f"disk: {size}")


@retention.command("run")
def run() -> None:
    """Take away what is older than it is kept, now. Workers do it by themselves where FENHE_RETENTION=true."""
    from storage.retention import policies, step

    with _owner() as connection:
        while done := step(connection):
            typer.echo(done)
        failed = [policy for policy in policies(connection) if policy.error]
    for policy in failed:
        typer.echo(f"{policy.table}: {policy.error}", err=True)
    if failed:
        raise typer.Exit(1)
    typer.echo("nothing is older than it is kept")
