"""Wrong settings in a line each, without a traceback."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Say what is wrong with the settings in a line each, and exit with 2."""
    try:
        yield
    except ValidationError as error:
        for item in error.errors(include_url=False):
            name = "FENHE_" + "_".join(str(part) for part in item["loc"]).upper()
            typer.echo(f"{name}: {item['msg']}", err=True)
        raise typer.Exit(2) from None
