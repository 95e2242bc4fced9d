"""Who is told of what, when, and in which words."""

from __future__ import annotations

import datetime as dt

import apprise
import pytest
import yaml
from pydantic import ValidationError

from fenhe.local.services import project_root
from notify.routing import channels_of, is_worth_telling, quiet_wait_s
from notify.texts import line, message
from schemas.alarms import CLOCK, NO_DATA
from schemas.metrics.signal import SignalKind
from schemas.notifications import Channel, QuietHours, Route, Routing
from schemas.time import LOCAL
from schemas.words import Language
from schemas.words.alarms import GUIDES
from storage.alarm_tables.notifications import Notice

NOTICE = Notice(
    outbox_id=1, what="raised", alarm_id="3f2a91c0aa", state="active_unacknowledged", site_id="bs-7",
    site_name="Base station 7", site_name_zh="基站7", region="朔州", device_id="b-1", metric="temperature_c",
    kind="over_temperature", severity="high", safety=True, group_id="g", event_ts=1_780_000_000_000, cleared_ts=None,
    value=56.04, baseline=31.0, unit="°C", cost=None, cost_unit="", disproved=False,
)  # fmt: skip


def test_routes_choose_by_site_region_kind_severity_and_what() -> None:
    """Every route that fits counts, each channel once."""
    channels = [Channel(name=name, url="json://x") for name in ("a", "b", "c", "d", "e", "f")]
    routes = [
        Route(channels=["a"], sites=["bs-*"]),
        Route(channels=["a", "b"], kinds=["over_*"], regions=["朔州"]),
        Route(channels=["c"], from_severity="critical"),
        Route(channels=["d"], what=["returned"]),
        Route(channels=["e"], sites=["plant-*"]),
        Route(channels=["f"], regions=["太原"]),
    ]
    assert channels_of(Routing(channels=channels, routes=routes), NOTICE) == ["a", "b"]


def test_a_file_that_names_what_is_not_there_is_refused() -> None:
    """Nobody waits for messages to a channel that a typing error sent away."""
    with pytest.raises(ValidationError, match="which is not there"):
        Routing(channels=[], routes=[Route(channels=["a"])])
    with pytest.raises(ValidationError, match="stands twice"):
        Routing(channels=[Channel(name="a", url="json://x")] * 2, routes=[])


@pytest.mark.parametrize(
    ("clock", "hours"), [("21:59", 0), ("22:00", 9), ("23:30", 7.5), ("06:00", 1), ("07:00", 0), ("12:00", 0)]
)
def test_quiet_hours_end(clock: str, hours: float) -> None:
    """Also across midnight."""
    now = dt.datetime.combine(dt.date(2026, 3, 1), dt.time.fromisoformat(clock), tzinfo=LOCAL)
    assert quiet_wait_s(QuietHours(start=dt.time(22), end=dt.time(7)), now) == hours * 3600


def test_texts_are_whole_in_both_languages() -> None:
    """What, how bad, where, since when, by how much."""
    assert line(NOTICE, Language.ZH) == (
        "[严重] 告警 · 基站7 b-1 电池过温 · 05-29 04:26 起 · 56.04 °C (常态 31) · 3f2a91c0"
    )
    assert line(NOTICE, Language.EN) == (
        "[high] alarm · Base station 7 b-1 battery over temperature · 05-29 04:26 (UTC+8)"
        " · 56.04 °C (expected 31) · 3f2a91c0"
    )
    title, body = message([NOTICE] * 25, Language.EN, digest=True)
    assert title == "汾河 fenhe digest Base station 7: 25 alarms, battery over temperature"
    assert body.splitlines()[-1] == "… and 5 more"


def test_every_kind_has_its_word() -> None:
    """No desk reads `over_temperature`."""
    assert set(GUIDES) == {*SignalKind, NO_DATA, CLOCK}


def test_what_is_suppressed_is_told_with_its_parent() -> None:
    """Its end is told only of what was told."""
    assert is_worth_telling(NOTICE)
    assert not is_worth_telling(NOTICE._replace(state="suppressed"))


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set makes no half address."""
    channel = Channel(name="a", url="dingtalk://${DING_SECRET}@${DING_TOKEN}")
    monkeypatch.setenv("DING_SECRET", "SEC0123456789")
    monkeypatch.delenv("DING_TOKEN", raising=False)
    assert channel.address == ""
    monkeypatch.setenv("DING_TOKEN", "abc")
    assert channel.address == "dingtalk://SEC0123456789@abc"


@pytest.mark.parametrize(
    "url",
    [
        "dingtalk://SEC0123456789abcdef@0123456789abcdef",
        "wecombot://693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa",
        "feishu://abcdef0123456789",
        "mailto://user:password@example.com?to=desk@example.com",
        "jsons://example.com/alarms",
    ],
)
def test_apprise_knows_every_kind_of_channel_we_promise(url: str) -> None:
    """The address parses; what the service itself says could not be tried here."""
    assert apprise.Apprise().add(f"{url}{'&' if '?' in url else '?'}cto=5&rto=20")


def test_the_file_as_shipped_is_whole() -> None:
    """It validates, and its one channel is closed until its variable is set."""
    text = (project_root() / "deploy" / "notify.yaml").read_text(encoding="utf-8")
    assert [channel.name for channel in Routing.model_validate(yaml.safe_load(text)).channels] == ["desk"]


def test_an_alarm_that_flaps_for_ten_hours_is_a_handful_of_notices() -> None:
    """Every five minutes: told three times, the third with the word that it chatters, and once more at the 30th."""
    comings = [NOTICE._replace(flaps=flaps) for flaps in range(60)]
    notified = [notice.flaps + 1 for notice in comings if is_worth_telling(notice)]
    assert notified == [1, 2, 3, 30]
    assert [("chatters" in line(comings[time - 1], Language.EN)) for time in notified] == [False, False, True, True]
    assert "反复出现" in line(comings[2], Language.ZH)
    goings = [NOTICE._replace(what="returned", flaps=flaps) for flaps in range(60)]
    assert sum(is_worth_telling(notice) for notice in goings) == 2
    assert is_worth_telling(NOTICE._replace(flaps=144, is_next_day=True))
    assert is_worth_telling(NOTICE._replace(what="amended", flaps=0))
