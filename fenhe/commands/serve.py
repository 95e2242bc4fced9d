"""`fenhe serve`: the command line of it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated, Literal

import typer


def serve(
    *,
    directory: Annotated[
        Path | None, typer.Option(envvar="FENHE_SERVE_DIRECTORY", help="Where everything is kept.")
    ] = None,
    port: Annotated[int, typer.Option(envvar="FENHE_SERVE_PORT", min=1, max=65535, help="Port of the page.")] = 8090,
    mqtt_port: Annotated[
        int, typer.Option(envvar="FENHE_SERVE_MQTT_PORT", min=1, max=65535, help="Port that devices send to.")
    ] = 1883,
    database_port: Annotated[
        int, typer.Option(envvar="FENHE_SERVE_DATABASE_PORT", min=1, max=65535, help="Port of the database.")
    ] = 15432,
    services: Annotated[
        Literal["auto", "real", "embedded"],
        typer.Option(envvar="FENHE_SERVE_SERVICES", help="What it runs on."),
    ] = "auto",
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Run everything on this machine for a plant of your own: nothing simulated, all kept between runs."""
    from fenhe.serve import ServeOptions, run_serve

    raise typer.Exit(
        run_serve(
            ServeOptions(
                directory=directory,
                port=port,
                mqtt_port=mqtt_port,
                database_port=database_port,
                services=services,
                browser=browser,
            )
        )
    )
