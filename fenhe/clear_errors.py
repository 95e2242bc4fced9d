"""Wrong settings, and a database that does not answer, in a line each, without a traceback."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import psycopg
import typer
from pydantic import ValidationError
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator


NOT_SET = " is not set: first `. FILE`, with the file that `fenhe serve` and `fenhe demo` name under other commands"
SET_IT = " is not set: export it first (docs/operations.md)"
GIVEN = re.compile("FENHE_(MQTT_URL|KAFKA_[A-Z_]+|DB_[A-Z]+_URL)")
"""What such a file sets: `fenhe.local.Stack.environment`."""


class PlainError(Exception):
    """What hinders a command, and what helps, in one sentence."""


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Say what is wrong with the settings in a line each, and exit with 2."""
    try:
        yield
    except ValidationError as error:
        for item in error.errors(include_url=False):
            name = "FENHE_" + "_".join(str(part) for part in item["loc"]).upper()
            remedy = NOT_SET if GIVEN.fullmatch(name) else SET_IT
            typer.echo(f"{name}{remedy if item['type'] == 'missing' else ': ' + item['msg']}", err=True)
        raise typer.Exit(2) from None


class ClearGroup(TyperGroup):
    """Commands that say in a line what hinders them (exit code 2), or that the database does not answer (1)."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the command line library's own types, which it keeps to itself
        """Run a command."""
        try:
            return super().invoke(ctx)
        except PlainError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
            typer.echo(f"database: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(1) from None
