"""What a new user meets: errors of one sentence with the remedy, a registry file by questions, a device on trial."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn, cast

import psycopg
import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from fenhe.clear_errors import PlainError
from fenhe.cli import app
from fenhe.commands.registry import warnings_of
from fenhe.demo import ending as demo
from fenhe.demo.ending import DemoOutcome, Ending
from fenhe.demo.figures import Counts
from fenhe.demo.run import DemoOptions, _scenario
from fenhe.demo.world import DemoWorld, earlier_world, remember
from fenhe.device_test import Bench
from fenhe.listing import Listing, local_moment
from fenhe.local import free_port
from fenhe.new_site import BatteryWish, MeterWish, SiteWish, make_registry, parse_battery, parse_meter
from fenhe.pipeline import Interrupts, check_port, open_directory
from fenhe.progress import Feeding, StoredCount, in_words
from fenhe.registry_file import read_registry
from schemas.readings import Kind
from schemas.registered.sectors import sectors
from schemas.registry import Registry, Role
from storage.books.latency import Latency
from streams.intake.admission import Directory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fenhe.local import Stack

NOW_TS = 1_790_000_000_000


def options(**changed: object) -> DemoOptions:
    """Options of a demo as they are without any on the command line."""
    usual = {
        "scenario": "demo", "sets": None, "history_h": None, "seed": 1, "duration_s": None, "report": None,
        "port": 8090, "directory": None, "services": "auto", "fresh": False, "browser": False,
    }  # fmt: skip
    return DemoOptions(**(usual | changed))  # type: ignore[arg-type]


def said(*arguments: str) -> tuple[int, str]:
    """Exit code of a command, and all that it says in 80 columns."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    return result.exit_code, result.output


def test_services_that_do_not_exist_are_told_with_those_that_do() -> None:
    """No traceback: which there are."""
    code, text = said("demo", "--services", "foo")
    assert code == 2
    assert "Traceback" not in text
    assert all(name in text for name in ("auto", "real", "embedded"))


def test_a_port_that_is_taken_is_said_before_anything_starts() -> None:
    """With the option that names another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, text = said("demo", "--port", str(port), "--no-browser")
        assert code == 2
        assert text.count("\n") == 1
        assert f"--port {port + 1}" in text
        with pytest.raises(PlainError, match=f"--mqtt-port {port + 1}"):
            check_port(port, "--mqtt-port")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("demo", option, value) for option, value in (("--port", "99999"), ("--port", "0"), ("--history", "-1"))),
        *(("demo", option, value) for option, value in (("--duration", "-5"), ("--sets", "7001"), ("--sets", "0"))),
        *(("serve", option, "70000") for option in ("--port", "--mqtt-port", "--database-port")),
        ("preview", "--port", "65536"),
        ("simulate", "--history", "-0.5"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_option(arguments: tuple[str, str, str]) -> None:
    """Before anything starts, without a traceback."""
    code, text = said(*arguments)
    assert code == 2
    assert f"'{arguments[1]}'" in text
    assert "Traceback" not in text


def test_a_report_that_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    """Not after it, when what was measured is lost."""
    (tmp_path / "file").write_text("")
    code, text = said(
        "demo", "--report", str(tmp_path / "file" / "report.json"), "--no-browser", "--port", str(free_port())
    )
    assert code == 2
    assert "--report" in text


def test_a_setting_that_is_missing_is_told_with_what_sets_it() -> None:
    """The file of a local stack does not name the accounts of the page."""
    assert "with the file that" in said("balance")[1]
    code, text = said("user", "list")
    assert code == 2
    assert "FENHE_ACCOUNTS_FILE is not set: export it" in text


def test_a_folder_that_cannot_be_written_is_said_with_the_option_for_another(tmp_path: Path) -> None:
    """Also where a file stands in its place."""
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(PlainError, match="--directory"):
        open_directory(file / "demo", "demo")
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(PlainError, match="--directory"):
            open_directory(tmp_path / "closed" / "demo", "demo")
    with pytest.raises(PlainError, match="--directory"):
        open_directory(Path("/proc/fenhe"), "demo")


def test_a_few_sets_are_shown_or_refused_in_a_sentence() -> None:
    """A scenario that names a set or a city which so few do not have says how to get it."""
    for sets in (1, 8, 30):
        try:
            _scenario(options(sets=sets))
        except PlainError as error:
            message = str(error)
        else:
            continue
        assert "--sets" in message
        assert "\n" not in message


def test_history_and_sets_keep_the_scenario_s_past() -> None:
    """Another half hour, or other sets, and the weeks before are still there."""
    shown = _scenario(options(sets=20, history_h=0.1))
    scene = shown.scene(seed=1, start_ts=NOW_TS, sets=20)
    assert shown.history == 360_000
    assert NOW_TS - scene.start_ts > 20 * 86_400_000


def test_an_earlier_release_s_world_is_read(tmp_path: Path) -> None:
    """A demo folder of before goes on."""
    old = {"scenario": "demo", "sets": 5, "seed": 1, "start_ms": 1, "has_past": True, "live_ms": 2, "last_ms": 3}
    (tmp_path / "world.json").write_text(json.dumps(old))
    assert earlier_world(tmp_path) == DemoWorld("demo", 5, 1, 1, 2, 3, 0)


def test_progress_tells_how_long_it_will_take_also_without_a_terminal() -> None:
    """At the rate of the last seconds; a line now and then."""
    console = Console(record=True, force_terminal=False, width=80)
    feeding = Feeding(console)
    assert feeding.left_s(StoredCount(0, 1_000), 0.0) is None
    assert feeding.left_s(StoredCount(10, 1_000), 5.0) is None
    assert feeding.left_s(StoredCount(100, 1_000), 10.0) == pytest.approx(90.0)
    feeding(StoredCount(200, 1_000))
    assert "200 of 1,000 readings stored" in console.export_text()
    assert [in_words(seconds) for seconds in (0.2, 90, 300, 9_000)] == ["1 s", "90 s", "5 min", "2 h"]


def test_the_time_that_is_left_does_not_jump() -> None:
    """Readings are counted some thousand at a time: what is said follows their rate, and is right all the same."""
    feeding = Feeding(Console(record=True, force_terminal=False, width=80))
    said = [(now, feeding.left_s(StoredCount(now // 10 * 3_000, 60_000), float(now))) for now in range(1, 180)]
    known = [(now, left) for now, left in said if left is not None]
    moved = [abs(left - before + 1) for (_, before), (_, left) in pairwise(known)]
    assert len(known) > 160
    assert max(moved) < 6
    assert all(left == pytest.approx(200 - now, abs=25) for now, left in known if now > 60)


BAD = """\
sites:
  - site_id: A1
    name: Works
    name_zh: 厂
    sector: alchemy
    city: 太原
devices:
  - device_id: A1-W1
    site_id: A1
    kind: waterr
  - device_id: A1-E1
    site_id: A1
    kind: electricity
    colour: red
"""


def test_what_is_wrong_in_a_registry_is_told_by_file_line_and_field(tmp_path: Path) -> None:
    """In words of the file, all at once, without addresses of a library's documentation."""
    file = tmp_path / "plants.yaml"
    file.write_text(BAD, encoding="utf-8")
    with pytest.raises(PlainError) as raised:
        read_registry(file)
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"{file}, line 5: site A1 sector: there is no sector 'alchemy'")
    assert lines[1].startswith(f"{file}, line 10: device A1-W1 kind: 'waterr' is none of")
    assert lines[2].startswith(f"{file}, line 14: device A1-E1 colour: there is no such field")
    assert "pydantic" not in str(raised.value)
    code, text = said("registry", "import", str(file))
    assert code == 2
    assert "line 10" in text


def test_a_reference_to_what_is_not_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    """A rule over the whole file names an id: the line is that of the id."""
    file = tmp_path / "plants.yaml"
    file.write_text("sites: []\ndevices:\n  - device_id: X-W1\n    site_id: X\n    kind: water\n")
    with pytest.raises(PlainError, match=r"line [34]: .*X-W1 names site X"):
        read_registry(file)
    file.write_text("sites: [\n")
    with pytest.raises(PlainError, match="line 2: this is no YAML"):
        read_registry(file)


def test_devices_and_sites_that_move_are_warned_of() -> None:
    """Their past moves with them."""
    before = make_registry(SiteWish("A", "A", city="太原", meters=[MeterWish(Kind.WATER)]))
    other = make_registry(SiteWish("B", "B", meters=[MeterWish(Kind.WATER)]))
    moved = Registry(
        sites=[*other.sites, before.sites[0].model_copy(update={"city": "朔州"})],
        devices=[before.devices[0].model_copy(update={"site_id": "B"})],
    )
    warnings = list(warnings_of(moved, before))
    (warning,) = [each for each in warnings if "A-W1 moves from site A to B" in each]
    assert "its past moves with it" in warning
    assert "restart the workers" in warning
    assert any("moves from 太原 to 朔州" in each for each in warnings)
    assert list(warnings_of(before, before)) == []


def test_a_new_site_is_written_without_questions_and_imports_cleanly(tmp_path: Path) -> None:
    """The first meter of a kind counts, a further one stands behind it; every topic is told."""
    file = tmp_path / "KILN.yaml"
    arguments = ["--site", "KILN", "--name", "Kiln", "--sector", "lime", "--city", "吕梁"]
    arguments += ["--meter", "water:consumed:60", "--meter", "water", "--meter", "production", "--battery", "100:15"]
    code, text = said("new-site", str(file), *arguments)
    assert code == 0, text
    assert "fenhe/v1/KILN/battery/KILN-B1" in text
    registry = read_registry(file)
    assert [device.role for device in registry.devices] == [Role.CONSUMED, Role.INTERNAL, Role.PRODUCT, Role.INTERNAL]
    assert registry.sites[0].sector == "lime"
    assert registry.devices[3].battery is not None
    assert registry.devices[3].battery.chemistry_name == "lfp"
    assert list(warnings_of(registry, Registry())) == []
    refused = said("new-site", str(file), *arguments)
    assert refused == (2, f"{file} is there already: name another file, or add --force\n")


@pytest.mark.parametrize("sector", list(sectors()))
def test_a_plant_of_any_sector_needs_no_code(sector: str) -> None:
    """Sectors are data: also one without limits has its energy, water and product."""
    registry = make_registry(
        SiteWish("P", "P", sector=sector, meters=[MeterWish(Kind.WATER), MeterWish(Kind.ELECTRICITY)])
    )
    assert Registry.model_validate_json(registry.model_dump_json()) == registry
    assert registry.sites[0].product_unit == sectors()[sector].product_unit
    assert list(warnings_of(registry, Registry())) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--meter", "watr"], "no meter is called 'watr'"),
        (["--meter", "water:king"], "roles are"),
        (["--meter", "water:consumed:-3"], "no positive number"),
        (["--meter", "gas:consumed:10:ether"], "no carrier 'ether'"),
        (["--battery", "100:17"], "1 to 16 cells"),
        (["--battery", "heavy"], "no positive number"),
        (["--sector", "alchemy", "--meter", "water"], "no sector 'alchemy'"),
        ([], "needs a meter or a battery set"),
    ],
)
def test_a_wrong_answer_is_told_in_a_sentence(tmp_path: Path, arguments: Sequence[str], part: str) -> None:
    """With what would be right, and without a file."""
    code, text = said("new-site", str(tmp_path / "X.yaml"), "--site", "X", "--name", "X", *arguments)
    assert code == 2
    assert part in text
    assert text.count("\n") == 1
    assert not (tmp_path / "X.yaml").exists()


def test_a_list_fits_the_terminal_or_becomes_records_and_cuts_nothing() -> None:
    """Eighty columns: what must be copied stands whole in one line, times are local and say their offset."""
    listing = Listing("id", "topic")
    listing.add_row("7", "fenhe/v1/KILN/water/KILN-W1")
    assert listing.lines(80) == ["id  topic", "7   fenhe/v1/KILN/water/KILN-W1"]
    topic = "fenhe/v1/" + "A" * 64 + "/water/" + "B" * 64
    listing.add_row("8", topic)
    assert any(line.endswith(f"  {topic}") for line in listing.lines(80))
    assert local_moment(1_772_323_200_000) == "2026-03-01 08:00:00+08:00"
    code, text = said("scenarios", "list")
    assert code == 0
    assert all(cell_len(line) <= 80 for line in text.splitlines())


def test_what_a_device_sends_is_told_with_what_becomes_of_it() -> None:
    """Accepted, refused and why, a duplicate, a device nobody registered: in the collector's and the worker's words."""
    registry = make_registry(SiteWish("P", "P", meters=[parse_meter("water:consumed:60")]))
    bench = Bench(Directory(1, registry))

    def tell(device: str, **values: object) -> str:
        return "\n".join(bench.tell(f"fenhe/v1/P/water/{device}", json.dumps(values).encode(), NOW_TS))

    first = tell("P-W1", ts=NOW_TS - 120_000, volume_m3=10.0)
    assert "a register tells what was used from its second reading on" in first
    assert "becomes meter_minute" in tell("P-W1", ts=NOW_TS - 60_000, volume_m3=10.5)
    assert "a duplicate" in tell("P-W1", ts=NOW_TS - 60_000, volume_m3=10.5)
    assert "late" in tell("P-W1", ts=NOW_TS - 90_000, volume_m3=10.2)
    assert "refused, schema: ts" in tell("P-W1", volume_m3=10.5)
    assert "flow_m3_h 900.0 is not used: out_of_range" in tell("P-W1", ts=NOW_TS, volume_m3=11.0, flow_m3_h=900.0)
    assert "flow_m3_h 'fast' is not used: wrong_type" in tell("P-W1", ts=NOW_TS, volume_m3=11.0, flow_m3_h="fast")
    assert "refused, unknown_device" in tell("P-W9", ts=NOW_TS, volume_m3=11.0)
    assert "refused, clock_ahead" in tell("P-W1", ts=NOW_TS + 10**9, volume_m3=11.0)
    assert parse_battery("100") == BatteryWish(100.0, 16)


def ending(directory: Path, *, durable: bool, is_over: bool = False, before: int = 0) -> Ending:
    """The end of a demo on a Kafka that keeps its records, or on one that forgets them."""
    stack = cast("Stack", SimpleNamespace(directory=directory, kafka=SimpleNamespace(durable=durable)))
    return Ending(stack, "", Interrupts(Event(), Event()), before, is_over=is_over, report=None)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Console:
    """What the end of a demo says."""
    console = Console(record=True, width=300)
    monkeypatch.setattr(demo, "console", console)
    monkeypatch.setattr(demo, "counted", lambda _: Counts(1_000, 990, 7, 3))
    monkeypatch.setattr(demo, "print_balance", lambda *_, **__: None)
    monkeypatch.setattr(demo, "connect", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(demo, "commit_latency", lambda *_, **__: Latency(None, None, 0))
    return console


@pytest.mark.parametrize(("durable", "is_over", "code"), [(True, False, 0), (True, True, 1), (False, False, 1)])
def test_a_backlog_at_the_end_waits_in_kafka_and_is_remembered(
    tmp_path: Path, recorded: Console, monkeypatch: pytest.MonkeyPatch, *, durable: bool, is_over: bool, code: int
) -> None:
    """Whoever presses Ctrl-C is told that the next start stores it; the embedded Kafka forgets, which is said, too."""
    monkeypatch.setattr(demo, "read_balance", lambda *_, **__: SimpleNamespace(received=1_000, closed=True))
    remember(tmp_path, DemoWorld("demo", 5, 1, 1, 2, 3, 0))
    assert ending(tmp_path, durable=durable, is_over=is_over).close(DemoOutcome(1_700, 10, 20)) == code
    assert ("next start stores them first" in recorded.export_text()) == durable
    kept = earlier_world(tmp_path)
    assert kept is not None
    assert (kept.waiting, kept.last_ts) == (700, 20)


def test_books_that_take_too_long_to_count_are_told_as_the_ledger_has_them(
    tmp_path: Path, recorded: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C on a large fleet waits for no count of millions of rows, and claims none; an earlier end is not undone."""

    def too_long(*_: object, each_within_s: float | None) -> NoReturn:
        assert each_within_s is not None
        raise psycopg.errors.QueryCanceled

    monkeypatch.setattr(demo, "read_balance", too_long)
    remember(tmp_path, DemoWorld("demo", 5, 1, 1, 2, 30, 0))
    assert ending(tmp_path, durable=True).close(DemoOutcome(1_000, 10, 20)) == 0
    assert "1,000 received, 990 stored, 7 duplicate, 3 quarantined, says the ledger" in recorded.export_text()
    kept = earlier_world(tmp_path)
    assert kept is not None
    assert kept.last_ts == 30


@pytest.mark.parametrize(("durable", "is_over"), [(True, False), (True, True), (False, False)])
def test_nobody_waits_for_what_will_not_be_stored_in_time(
    tmp_path: Path, recorded: Console, monkeypatch: pytest.MonkeyPatch, *, durable: bool, is_over: bool
) -> None:
    """Where Kafka keeps it for a moment only; elsewhere as soon as the pace shows that it cannot be."""
    monkeypatch.setattr(demo, "PATIENCE_S", 0.2)
    began = time.monotonic()
    ending(tmp_path, durable=durable, is_over=is_over).drain(DemoOutcome(900_000, 10, 20))
    assert time.monotonic() - began < 5
    assert "waiting up to" in recorded.export_text()
