"""One home for a kind: what is said of it there is true of its model, and every table knows it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from dashboards.words import labels
from schemas.kafka.record import Envelope
from schemas.kinds import METERS, RATE_UNIT_NAMES, described
from schemas.readings import ADAPTERS, MODELS, Kind, ranges_of, registers_of
from storage.tables import READING_TABLES

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_said_of_a_kind_is_true_of_its_model(kind: Kind) -> None:
    """Registers are registers of the model, and every field that is named is one of it."""
    said = described(kind)
    registers = set(registers_of(kind))
    assert {*said.totals, *said.rate_of, *said.rated_registers, *said.balanced} <= registers
    fields = {*said.rates, *(rate.field for rate in said.rate_of.values()), *(each.field for each in said.rated_bounds)}
    assert fields <= set(MODELS[kind].model_fields)
    assert set(said.highest) <= set(ranges_of(kind))
    assert set(said.rates) <= set(RATE_UNIT_NAMES), "metering writes the unit of a meter's instantaneous value"
    assert (kind in METERS) == bool(registers)


def test_meters_of_a_kind_are_added_up_by_one_register_each_in_one_unit() -> None:
    """As a plant's totals take them: cubic metres and tonnes of one meter are never one sum."""
    assert {kind: described(kind).counted for kind in METERS} == {
        Kind.ELECTRICITY: "energy_import_kwh",
        Kind.WATER: "volume_m3",
        Kind.STEAM: "mass_t",
        Kind.HEAT: "heat_gj",
        Kind.GAS: "volume_m3",
        Kind.PRODUCTION: "mass_t",
        Kind.GANGUE_UNIT: "generated_mwh",
    }


@pytest.mark.parametrize("kind", Kind)
def test_every_table_by_kind_knows_every_kind(kind: Kind) -> None:
    """Model, raw table, envelope on the wire and word of a kind are all there."""
    assert kind in ADAPTERS
    assert kind in READING_TABLES
    assert kind in labels.KIND
    envelopes = get_args(get_args(Envelope)[0])
    assert any(kind in get_args(envelope.model_fields["kind"].annotation) for envelope in envelopes)


def test_a_kind_that_is_new_is_named_by_the_type_checker(tmp_path: Path) -> None:
    """Whoever adds a kind is led to what must describe it, and to what must say whether it adds to a plant's totals."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    boundary = Path("streams/kernels/plant/boundary.py")
    (tmp_path / boundary.parent).mkdir(parents=True)
    for path in (Path("streams/__init__.py"), Path("streams/kernels/__init__.py"), boundary.parent / "__init__.py"):
        (tmp_path / path).touch()
    shutil.copy(ROOT / boundary, tmp_path / boundary)
    readings = tmp_path / "schemas" / "readings.py"
    text = readings.read_text(encoding="utf-8")
    readings.write_text(
        text.replace('    LAB = "lab"\n', '    LAB = "lab"\n    MADE_UP = "made_up"\n'), encoding="utf-8"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(boundary)]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    named = {line.split(":")[0] for line in checked.stdout.splitlines() if "MADE_UP" in line}
    assert named == {"schemas/kinds.py", str(boundary)}, checked.stdout + checked.stderr
