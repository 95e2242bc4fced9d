"""`fenhe alarms`: the operator's hand on the command line, by the operator's role alone."""

from __future__ import annotations

import contextlib
import datetime as dt  # noqa: TC003 - typer reads annotations
import json
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from fenhe.clear_errors import clear_errors
from fenhe.commands.alarm_kinds import alarm_kinds
from fenhe.listing import Listing, local_moment
from fenhe.moments import WRITTEN, moment
from schemas.alarms import AlarmState  # noqa: TC001 - typer reads annotations
from schemas.settings import OperatorSettings
from storage.alarm_tables import operator
from storage.pool import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

app = typer.Typer(no_args_is_help=True, help="Alarms: list, acknowledge, shelve, comment, close.")
maintenance_app = typer.Typer(no_args_is_help=True, help="Planned maintenance, which keeps alarms back.")
app.add_typer(maintenance_app, name="maintenance")
app.command(name="kinds")(alarm_kinds)

AlarmArgument = Annotated[str, typer.Argument(help="The alarm's id, or how it begins.")]
UserOption = Annotated[str, typer.Option("--user", envvar="FENHE_USER", help="Your name; it stands in the history.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the history.")]


@contextlib.contextmanager
def _operator() -> Iterator[Connection]:
    """Connect by FENHE_DB_OPERATOR_URL, and say in one line what was refused."""
    with clear_errors():
        settings = OperatorSettings()
    try:
        with connect(str(settings.db_operator_url), name="operator", autocommit=True) as connection:
            yield connection
    except LookupError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        typer.echo(error.diag.message_primary or str(error), err=True)
        raise typer.Exit(1) from None


def _moment(ms: int | None) -> str:
    return "–" if ms is None else local_moment(ms)


def _figure(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.4g} {unit}".rstrip()


def _call(alarm: str, function: str, *arguments: object) -> None:
    with _operator() as connection:
        found = operator.find(connection, alarm)
        typer.echo(f"{found[:8]} {operator.call(connection, function, found, *arguments)}")


@app.command("list")
def list_alarms(
    state: Annotated[list[AlarmState] | None, typer.Option(help="Only these states; may stand several times.")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what somebody is to look at, the most severe first."""
    with _operator() as connection:
        states = tuple(state or operator.BEFORE_OPERATORS)
        found = operator.alarms(connection, states=states, site_id=site, limit=limit)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Listing("alarm", "severity", "state", "site", "device", "condition", "since", "value", "expected", "cost")
    for alarm in found:
        table.add_row(
            alarm["alarm_id"][:8],
            alarm["severity"],
            alarm["state"] + (" (amended)" if alarm["amended"] else ""),
            alarm["site_id"],
            alarm["device_id"],
            f"{alarm['metric']} {alarm['kind']}".strip(),
            _moment(alarm["event_at"]),
            _figure(alarm["value"], alarm["unit"]),
            _figure(alarm["baseline"], alarm["unit"]),
            _figure(alarm["cost"], alarm["cost_unit"]),
        )
    table.print()


@app.command()
def show(alarm: AlarmArgument, *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show an alarm with its evidence and all that happened to it."""
    with _operator() as connection:
        found = operator.history(connection, alarm)
    if as_json:
        typer.echo(json.dumps({"alarm": found.alarm, "transitions": found.transitions}, ensure_ascii=False))
        return
    for name, value in found.alarm.items():
        typer.echo(f"{name:18} {_moment(value) if name.endswith('_at') or name == 'shelved_until' else value}")
    table = Listing("at", "event", "from", "to", "who", "why", "detail")
    for item in found.transitions:
        table.add_row(
            _moment(item["at"]),
            item["event"],
            item["from_state"],
            item["to_state"],
            item["actor"],
            item["reason"],
            json.dumps(item["detail"], ensure_ascii=False),
        )
    table.print()


@app.command()
def ack(alarm: AlarmArgument, user: UserOption, reason: ReasonOption = "seen") -> None:
    """Acknowledge: you have seen it and are on it."""
    _call(alarm, "alarm_acknowledge", user, reason)


@app.command()
def shelve(
    alarm: AlarmArgument,
    user: UserOption,
    reason: ReasonOption,
    hours: Annotated[float, typer.Option(help="For how long; it comes back by itself.")],
) -> None:
    """Put an alarm aside for some hours."""
    _call(alarm, "alarm_shelve", hours, user, reason)


@app.command()
def unshelve(alarm: AlarmArgument, user: UserOption, reason: ReasonOption) -> None:
    """Take a shelved alarm back before its time."""
    _call(alarm, "alarm_unshelve", user, reason)


@app.command()
def comment(alarm: AlarmArgument, user: UserOption, reason: ReasonOption) -> None:
    """Write something into an alarm's history."""
    _call(alarm, "alarm_comment", user, reason)


@app.command()
def close(alarm: AlarmArgument, user: UserOption, reason: ReasonOption) -> None:
    """Be done with an alarm whose condition is over."""
    _call(alarm, "alarm_close", user, reason)


@app.command("out-of-service")
def out_of_service(
    site: Annotated[str, typer.Argument(help="Site.")],
    device: Annotated[str, typer.Argument(help="Device, or the site again for a condition of the site.")],
    kind: Annotated[str, typer.Argument(help="Kind of alarm, such as night_flow or no_data.")],
    *,
    user: UserOption,
    reason: ReasonOption,
    metric: Annotated[str, typer.Option(help="Metric; no_data has none.")] = "",
) -> None:
    """Take a condition out of service, in alarm or not, until it is taken back."""
    with _operator() as connection:
        found = operator.call(connection, "alarm_out_of_service", site, device, metric, kind, user, reason)
    typer.echo(f"{found[:8]} out_of_service")


@app.command("return-to-service")
def return_to_service(alarm: AlarmArgument, user: UserOption, reason: ReasonOption) -> None:
    """Take a condition back into service."""
    _call(alarm, "alarm_return_to_service", user, reason)


@app.command("set")
def set_threshold(
    kind: Annotated[str, typer.Argument(help="Kind of alarm.")],
    parameter: Annotated[
        str, typer.Argument(help="on_delay_samples, off_delay_samples, deadband_share, realarm_h, low or high.")
    ],
    *,
    user: UserOption,
    reason: ReasonOption,
    value: Annotated[float | None, typer.Option(help="None: back to the default.")] = None,
    site: Annotated[str, typer.Option(help="Only at this site.")] = "",
    device: Annotated[str, typer.Option(help="Only of this device.")] = "",
    metric: Annotated[str, typer.Option(help="Only of this metric.")] = "",
) -> None:
    """Set a threshold or delay of your own, or go back to the default."""
    with _operator() as connection:
        operator.call(connection, "alarm_set_threshold", kind, site, device, metric, parameter, value, user, reason)
    typer.echo(f"{kind} {parameter}: {'default' if value is None else f'{value:g}'}")


@maintenance_app.command("plan")
def maintenance_plan(
    site: Annotated[str, typer.Argument(help="Site.")],
    start: Annotated[dt.datetime, typer.Argument(parser=moment, help=f"Begin: {WRITTEN}.")],
    end: Annotated[dt.datetime, typer.Argument(parser=moment, help="End, written likewise.")],
    *,
    user: UserOption,
    reason: ReasonOption,
    device: Annotated[str, typer.Option(help="Only this device.")] = "",
) -> None:
    """Plan maintenance: alarms of this time are kept back, those of battery safety never."""
    with _operator() as connection:
        planned = operator.call(connection, "maintenance_plan", site, device, start, end, user, reason)
    typer.echo(f"maintenance {planned}")


@maintenance_app.command("cancel")
def maintenance_cancel(
    number: Annotated[int, typer.Argument(help="As `plan` printed it.")], user: UserOption, reason: ReasonOption
) -> None:
    """Cancel planned maintenance."""
    with _operator() as connection:
        operator.call(connection, "maintenance_cancel", number, user, reason)
    typer.echo(f"maintenance {number} cancelled")


@maintenance_app.command("list")
def maintenance_list() -> None:
    """List maintenance that is not over."""
    table = Listing("number", "site", "device", "from", "to", "who", "why")
    with _operator() as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            "SELECT id, site_id, device_id, starts_at, ends_at, planned_by, reason FROM maintenance"
            " WHERE ends_at > now() AND cancelled_by IS NULL ORDER BY starts_at, id",
            binary=True,
        ).fetchall()
    for number, site, device, start, end, who, why in rows:
        table.add_row(str(number), site, device or "all", _moment(start), _moment(end), who, why)
    table.print()
