"""Sampling is said honestly: a daily meter knows its own days and nothing finer, and silence is one estimated span."""

from __future__ import annotations

import pytest

from schemas.metrics import Quality
from schemas.readings import Kind
from schemas.registry import Device, Registry, Role, Sector, Site
from schemas.time import DAY_MS, MINUTE_MS
from tests.support.cases import Run, message

EIGHT_MS = 1_780_012_800_000
"""08:00 in China, 29 May 2026."""
USED = [13_851.0, 9_120.0, 14_402.0, 13_777.0, 2_310.0]
"""By day, kWh."""


def registry(**fields: object) -> Registry:
    """A plant with one meter."""
    device = {"device_id": "e", "site_id": "p", "kind": Kind.ELECTRICITY, "role": Role.CONSUMED}
    site = Site(site_id="p", name="p", name_zh="p", sector=Sector.COKING, city="长治")
    return Registry(sites=[site], devices=[Device.model_validate(device | fields)])


def read(ts: int, value: float) -> dict[str, float]:
    """One reading."""
    return {"ts": ts, "energy_import_kwh": value}


def days(run: Run) -> list[tuple[str, float, str]]:
    """Its days: when they begin in China, what was used, and how sure that is."""
    rows = run.rows(
        "SELECT to_char(ts AT TIME ZONE 'Asia/Shanghai', 'MM-DD HH24:MI') AS day, increment, quality FROM meter_day"
        " WHERE quantity = 'energy_import_kwh' AND increment IS NOT NULL ORDER BY ts"
    )
    return [(row["day"], row["increment"], row["quality"]) for row in rows]


def test_a_daily_meter_knows_its_own_days_and_nothing_finer(own_url: str) -> None:
    """Read at 08:00: days from 08:00 to 08:00 are what the register counted; minutes, quarters and hours are shares."""
    shown = [50_000.0 + sum(USED[:at]) for at in range(len(USED) + 1)]
    run = Run(own_url, registry(period_s=86_400, day_starts="08:00"))
    run.publish([message("p", "electricity", "e", read(EIGHT_MS + at * DAY_MS, each)) for at, each in enumerate(shown)])
    found = days(run)
    assert [day for day, _, _ in found] == ["05-29 08:00", "05-30 08:00", "05-31 08:00", "06-01 08:00", "06-02 08:00"]
    assert [used for _, used, _ in found] == pytest.approx(USED)
    assert {quality for _, _, quality in found} == {"good"}
    assert set(run.qualities("e")) == {Quality.ESTIMATED}
    assert run.rows("SELECT DISTINCT quality FROM meter_hour") == [{"quality": "estimated"}]
    assert run.rows("SELECT DISTINCT quality FROM plant_day WHERE energy_kgce IS NOT NULL") == [
        {"quality": "estimated"}
    ]


def test_a_day_that_was_not_read_at_both_ends_is_a_share(own_url: str) -> None:
    """One reading is missing, one came at 09:40: the days around them are estimated, and right in sum."""
    at_ts = [EIGHT_MS + at * DAY_MS for at in (0, 1, 3)] + [
        EIGHT_MS + 4 * DAY_MS + 100 * MINUTE_MS,
        EIGHT_MS + 5 * DAY_MS,
    ]
    run = Run(own_url, registry(period_s=86_400, day_starts="08:00"))
    run.publish([message("p", "electricity", "e", read(ts, 50_000 + (ts - EIGHT_MS) / 6_000)) for ts in at_ts])
    found = days(run)
    assert [quality for _, _, quality in found] == ["good", "estimated", "estimated", "estimated", "estimated"]
    assert sum(used for _, used, _ in found) == pytest.approx((at_ts[-1] - EIGHT_MS) / 6_000)


def test_without_its_own_boundary_a_daily_meters_days_are_shares(own_url: str) -> None:
    """A calendar day holds 16 hours of one of its days and 8 of the next."""
    run = Run(own_url, registry(period_s=86_400))
    run.publish([message("p", "electricity", "e", read(EIGHT_MS + at * DAY_MS, 50_000 + 900 * at)) for at in range(4)])
    assert {quality for _, _, quality in days(run)} == {"estimated"}


def test_nine_days_offline_are_shares_of_one_amount(own_url: str) -> None:
    """No day and no hour holds what nine days used; one event tells the amount."""
    minutes = [*range(60), *range(9 * 1440 + 60, 9 * 1440 + 120)]
    run = Run(own_url, registry(period_s=60))
    readings = [read(EIGHT_MS + at * MINUTE_MS, round(50_000 + 9.62 * at, 2)) for at in minutes]
    run.publish([message("p", "electricity", "e", readings)])
    [offline] = [event for event in run.events("e") if event["kind"] == "offline"]
    assert offline["increment"] == pytest.approx(9.62 * (9 * 1440 + 1))
    between = days(run)[1:9]
    assert [used for _, used, _ in between] == pytest.approx([9.62 * 1440] * 8)
    assert {quality for _, _, quality in between} == {"estimated"}
    [hours] = run.rows("SELECT max(increment) AS most FROM meter_hour")
    assert hours["most"] == pytest.approx(9.62 * 60, rel=0.02)
