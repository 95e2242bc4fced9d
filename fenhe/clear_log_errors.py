"""A log that does not answer, or takes nothing, in a line, without a traceback."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import typer
from confluent_kafka import KafkaException

from storage.topics import LogError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def clear_log_errors() -> Iterator[None]:
    """Say why Kafka cannot be used, and exit with 1: whoever keeps a service running starts it again."""
    try:
        yield
    except LogError as error:
        typer.echo(f"Kafka: {error}", err=True)
    except KafkaException as error:
        typer.echo(f"Kafka: {error.args[0].str()}", err=True)
    else:
        return
    raise typer.Exit(1)
