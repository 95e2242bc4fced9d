"""Commands about reference data: conversion factors, limits, quotas, corrections and targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from schemas.reference import Reference

app = typer.Typer(no_args_is_help=True, help="Conversion factors, limits, quotas, corrections and targets.")


def load(owner_url: str) -> tuple[Reference, bool]:
    """Bring this fenhe's reference data into the database; tells whether it became the current version now."""
    from storage.pool import connect
    from storage.reference import load_reference
    from streams.kernels.plant.reference import reference

    shipped = reference()
    with connect(owner_url, name="command") as connection:
        return shipped, load_reference(connection, shipped)


@app.command("load")
def reference_load() -> None:
    """Make the reference data of this fenhe the current version in the database."""
    from schemas.settings import MigrateSettings
    from storage.reference import ReferenceConflictError
    from streams.kernels.plant.reference import ReferenceChangedError

    try:
        shipped, is_new = load(str(MigrateSettings().db_owner_url))
    except (ReferenceConflictError, ReferenceChangedError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"reference data {shipped.version}: {'loaded' if is_new else 'is the current version already'}")


@app.command("show")
def reference_show() -> None:
    """Print the energy limits that this fenhe ships, with their standards."""
    from rich.console import Console
    from rich.table import Table

    from streams.kernels.plant.reference import reference

    shipped = reference()
    table = Table("key", "unit", "level 1", "level 2", "level 3", "standard", "verified", title=shipped.version)
    for key, limit in shipped.limits.items():
        levels = ("–" if value is None else f"{value:g}" for value in limit.levels.values())
        table.add_row(key, limit.unit, *levels, f"{limit.standard}-{limit.year}", "yes" if limit.verified else "no")
    Console().print(table)
