"""What commands say when something they need is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
import typer
from confluent_kafka import KafkaError, KafkaException
from psycopg.errors import IdleInTransactionSessionTimeout
from typer.testing import CliRunner

from fenhe.clear_errors import NOT_SET, ClearGroup
from fenhe.cli import app
from fenhe.commands.recompute import _step

if TYPE_CHECKING:
    from streams.engine.recompute import Recompute

NOBODY = "postgresql://fenhe@127.0.0.1:1/fenhe"
"""Nothing listens on port 1."""


@pytest.mark.parametrize("words", [["enpi", "list"], ["alarms", "list"], ["balance"]])
def test_a_database_that_does_not_answer_is_a_line_not_a_traceback(words: list[str]) -> None:
    """Commands and commands of commands."""
    environment = dict.fromkeys(("FENHE_DB_READER_URL", "FENHE_DB_WRITER_URL", "FENHE_DB_OPERATOR_URL"), NOBODY)
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code == 1
    assert result.stderr.startswith("database: connection failed")
    assert result.stderr.count("\n") == 1


def test_a_transaction_that_was_taken_away_is_a_line_not_a_traceback() -> None:
    """That of a command whose terminal was suspended; psycopg does not count it among its operational errors."""

    def suspended() -> None:
        raise IdleInTransactionSessionTimeout("terminating connection")  # noqa: EM101, TRY003

    command = typer.Typer(cls=ClearGroup)
    command.command("work")(suspended)
    command.command("rest")(lambda: None)
    result = CliRunner().invoke(command, ["work"])
    assert result.exit_code == 1
    assert result.stderr == "database: terminating connection\n"


def test_a_step_that_was_taken_away_is_done_again() -> None:
    """It left nothing behind, so `fenhe recompute` goes on where it was suspended."""

    class Steps:
        failures = 2

        def step(self, _: int) -> None:
            if self.failures:
                self.failures -= 1
                raise IdleInTransactionSessionTimeout

    steps = Steps()
    assert _step(cast("Recompute", steps), 1) is None
    assert steps.failures == 0


@pytest.mark.parametrize("words", [["collect"], ["guard"], ["work"]])
def test_a_kafka_that_does_not_answer_is_a_line_not_a_traceback(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps the service running starts it again; its log has a line each time."""

    def away(*_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    monkeypatch.setattr("storage.topics.AdminClient.list_topics", away)
    environment = {
        "FENHE_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "FENHE_MQTT_URL": "mqtt://127.0.0.1:1",
        "FENHE_DB_WRITER_URL": NOBODY,
    }
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Kafka: ")
    assert "Traceback" not in result.output


def test_a_missing_setting_is_named() -> None:
    """By the variable it is set with, and what sets it."""
    result = CliRunner().invoke(app, ["enpi", "list"], env={"FENHE_DB_READER_URL": None})
    assert result.exit_code == 2
    assert result.stderr == f"FENHE_DB_READER_URL{NOT_SET}\n"
