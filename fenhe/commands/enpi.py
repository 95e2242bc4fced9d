"""`fenhe enpi`: energy baselines, fitted to a product line's days and kept with their versions."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from fenhe.clear_errors import clear_errors
from schemas.time import LOCAL

app = typer.Typer(no_args_is_help=True, help="Energy baselines: what a line should take for what it makes.")


@app.command()
def fit(
    *,
    site: Annotated[str, typer.Option(help="Plant.")],
    from_: Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")],
    to: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="Last local day.")],
    user: Annotated[str, typer.Option("--user", envvar="FENHE_USER", help="Your name; it is kept with the fit.")],
    line: Annotated[str, typer.Option(help="Product line; `plant` is the whole plant.")] = "plant",
    variable: Annotated[
        list[str] | None,
        typer.Option(help="What energy depends on beside production: recorded, or `FUEL.lhv_mj_kg` and the like."),
    ] = None,
) -> None:
    """Fit a baseline to some days, and hold every later day against it; refuses what is none."""
    from fenhe.baselines import SiteLine, fit_line
    from schemas.settings import WriterSettings
    from storage.pool import connect
    from streams.kernels.plant.baseline import NoBaselineError

    with clear_errors():
        settings = WriterSettings()
    days_ms = (_ms(from_), _ms(to + dt.timedelta(days=1)))
    with connect(str(settings.db_writer_url), name="enpi") as connection:
        try:
            version, found = fit_line(connection, SiteLine(site, line), days_ms, user, variable or ())
        except NoBaselineError as error:
            typer.echo(f"{site} {line}: {error}", err=True)
            raise typer.Exit(1) from None
    more = "".join(f" {each.kgce:+,.3f} kgce per {each.variable} (t {each.t:.1f})" for each in found.coefficients)
    typer.echo(
        f"{site} {line} baseline {version}: {found.intercept_kgce:,.1f} kgce a day + {found.slope_kgce:,.3f} kgce per"
        f" product unit{more}; {found.points} days, R² {found.r_squared:.3f}, CV(RMSE) {found.cv_rmse:.1%}"
    )


@app.command()
def record(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV of local day (YYYY-MM-DD), value.")],
    site: Annotated[str, typer.Option(help="Plant.")],
    variable: Annotated[str, typer.Option(help="Its name with its unit, such as ambient_c.")],
    user: Annotated[str, typer.Option("--user", envvar="FENHE_USER", help="Your name; it is kept with the values.")],
) -> None:
    """Keep what energy depends on, day by day, as the outdoor temperature; a day given again is replaced."""
    import psycopg

    from schemas.settings import WriterSettings
    from storage import enpi
    from storage.pool import connect

    with clear_errors():
        settings = WriterSettings()
    try:
        values = _values(file)
        with connect(str(settings.db_writer_url), name="enpi") as connection:
            enpi.record(connection, site, variable, values, user)
    except ValueError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from None
    except psycopg.errors.ForeignKeyViolation:
        typer.echo(f"there is no site {site}", err=True)
        raise typer.Exit(1) from None
    except psycopg.errors.CheckViolation:
        typer.echo(f"{variable!r} is no name of a variable: small letters, digits and underscores", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{site} {variable}: {len(values)} days")


def _values(file: Path) -> dict[int, float]:
    """Values by the begin of their local day, ms; ValueError names the line that is none."""
    found: dict[int, float] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, line in enumerate(csv.reader(lines), 1):
            if not line:
                continue
            try:
                day, text = line
                value = float(text)
                found[_ms(dt.datetime.strptime(day.strip(), "%Y-%m-%d"))] = value  # noqa: DTZ007 - a local day
            except ValueError:
                msg = f"line {number} is not a day and a number, such as 2026-11-01,-3.5"
                raise ValueError(msg) from None
            if not math.isfinite(value):
                msg = f"line {number}: {text} is no value"
                raise ValueError(msg)
    return found


@app.command("list")
def list_baselines() -> None:
    """List all fits; the newest of a line counts."""
    from fenhe.listing import Listing
    from schemas.settings import ReaderSettings
    from storage import enpi
    from storage.pool import connect

    with clear_errors():
        settings = ReaderSettings()
    with connect(str(settings.db_reader_url), name="enpi") as connection:
        found = enpi.baselines(connection)
    columns = ("site", "line", "version", "from", "to", "kgce/d", "kgce/unit", "others", "days", "R²", "CV(RMSE)", "by")
    table = Listing(*columns)
    for item, version in found:
        table.add_row(
            item.site_id,
            item.line_id,
            str(version),
            _day(item.from_ts),
            _day(item.to_ts - 1),
            f"{item.intercept_kgce:,.1f}",
            f"{item.slope_kgce:,.3f}",
            " ".join(f"{kgce:+,.3f} {variable}" for variable, kgce, _ in item.coefficients),
            str(item.points),
            f"{item.r_squared:.3f}",
            f"{item.cv_rmse:.1%}",
            item.fitted_by,
        )
    table.print()


def _ms(day: dt.datetime) -> int:
    return round(day.replace(tzinfo=LOCAL).timestamp() * 1000)


def _day(ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(ms / 1000, tz=LOCAL):%Y-%m-%d}"
