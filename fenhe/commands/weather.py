"""`fenhe weather`: what the weather service forecasts, for the plans of the battery fleet."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated

import typer

from fenhe.clear_errors import clear_errors

if TYPE_CHECKING:
    from storage.weather import ForecastDay

PLAUSIBLE_C = (-60.0, 60.0)
"""Lowest temperatures of a day that are one."""


def weather(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV of city or site, local day (YYYY-MM-DD), lowest temperature °C, and the warning if there is one.",
        ),
    ],
) -> None:
    """Keep a weather forecast, which the fleet's plans reckon with; a day given again is replaced."""
    from schemas.settings import WriterSettings
    from storage.pool import connect
    from storage.weather import record

    with clear_errors():
        settings = WriterSettings()
    try:
        days = read(file)
        with connect(str(settings.db_writer_url), name="weather") as connection:
            record(connection, days)
    except ValueError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len({day.place for day in days})} places, {len(days)} days")


def read(file: Path) -> list[ForecastDay]:
    """Days of a file; ValueError names the line that is none."""
    from storage.weather import ForecastDay

    found = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, line in enumerate(csv.reader(lines), 1):
            if not line:
                continue
            try:
                place, day, text, *more = (each.strip() for each in line)
                (warning,) = more or ("",)
                lowest = float(text)
                date = dt.datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007 - a local day
            except ValueError:
                msg = f"line {number} is not a place, a day and a temperature, such as 大同,2026-12-05,-18,寒潮蓝色预警"
                raise ValueError(msg) from None
            if not (place and math.isfinite(lowest) and PLAUSIBLE_C[0] <= lowest <= PLAUSIBLE_C[1]):
                msg = f"line {number}: {place!r} at {text} °C is no forecast"
                raise ValueError(msg)
            found.append(ForecastDay(place, date, lowest, warning))
    return found
