"""A wrong configuration is refused at import with a sentence that names line and field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fenhe.clear_errors import PlainError
from fenhe.registry_file import read_registry, refuse_nonsense

if TYPE_CHECKING:
    from pathlib import Path

SITE = "  site_id: P1\n  name: P\n  name_zh: 厂\n  sector: steel\n  city: 太原\n"
HEAD = f"sites:\n-{SITE[1:]}devices:\n- device_id: X\n  site_id: P1\n"
"""Seven lines of a site, and two of a device: what follows begins in line 10."""
METER = "  kind: electricity\n  role: consumed\n"
BATTERY = "  kind: battery\n  battery:\n    nominal_ah: 100\n"
UNIT = "  kind: gangue_unit\n  role: consumed\n"


def refused(tmp_path: Path, text: str) -> str:
    """What import says of a file; empty where it takes it."""
    file = tmp_path / "r.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        refuse_nonsense(file, read_registry(file))
    except PlainError as error:
        return str(error).replace(f"{file}, ", "")
    return ""


@pytest.mark.parametrize(
    ("device", "line", "field"),
    [
        (METER + "  rated: .inf\n", 12, "rated"),
        (METER + "  rated: yes\n", 12, "rated"),
        (METER + "  period_s: 1.0e+12\n", 12, "period_s"),
        (METER + "  rated: 5\n  rated: 50\n", 13, "rated stands twice"),
        (METER + "  accuracy: 0.5\n", 12, "accuracy"),
        (METER + "  rollover:\n    power_kw: 1000\n", 13, r"rollover\.power_kw"),
        (METER + "  rollover:\n    energy_import_kwh: .inf\n", 13, r"rollover\.energy_import_kwh"),
        (METER + "  ranges:\n    volume_m3: {low: 0}\n", 13, r"ranges\.volume_m3"),
        (METER + "  ranges:\n    power_kw: {low: 10, high: 1}\n", 13, r"ranges\.power_kw"),
        (METER + "  ranges:\n    ts: {low: 10}\n", 13, r"ranges\.ts"),
        (METER + "  lhv_mj_kg: {coal_t: 20}\n", 12, r"lhv_mj_kg\.coal_t"),
        (METER + "  first_day: 1772323200\n", 12, "first_day.*in seconds"),
        (METER + "  changes:\n  - rated: 5\n    valid_from: 1772323200\n", 14, r"changes\.0\.valid_from.*in seconds"),
        (METER + "  changes:\n  - valid_from: 2026-03-01T00:00:00Z\n", 13, r"changes\.0.*nothing that changes"),
        (
            METER + "  rollover: {energy_import_kwh: 10000}\n  changes:\n  - valid_from: 2026-03-01T00:00:00Z\n"
            "    final: {energy_import_kwh: 83411}\n",
            15,
            r"changes\.0\.final\.energy_import_kwh",
        ),
        (
            METER + "  changes:\n  - valid_from: 2026-03-01T00:00:00Z\n    rollover: {energy_import_kwh: 99999999}\n",
            14,
            "Write 100000000",
        ),
        ("  kind: electricity\n  role: product\n", 11, "role.*production"),
        ("  kind: gas\n  role: reused\n", 11, "role.*water"),
        ("  kind: site_power\n  role: consumed\n", 11, "role"),
        ("  kind: site_power\n  carrier: coke\n", 11, "carrier"),
        ("  kind: lab\n  absent_values: {fuel: [0]}\n", 11, r"absent_values\.fuel"),
        (UNIT + "  lhv_mj_kg: {gangue_t: 13200}\n", 12, "13200 kJ/kg are 13.2"),
        (UNIT + "  lhv_mj_kg: {limestone_t: 13}\n", 12, r"lhv_mj_kg\.limestone_t"),
        (BATTERY + "    nominal_v: 3.2\n", 13, r"battery\.nominal_v.*51.2"),
        (BATTERY + "    cell_count: 15\n", 11, r"battery\.nominal_v.*48 for lfp"),
        (BATTERY + "    cutoff_cell_v: 44.8\n", 13, r"battery\.cutoff_cell_v"),
        (BATTERY + "    cutoff_v: 2.8\n", 13, r"battery\.cutoff_v"),
        (BATTERY + "    cutoff_cell_v: 3.5\n    float_cell_v: 3.3\n", 13, r"battery\.cutoff_cell_v"),
        (BATTERY + "    contract_h: 180\n", 13, "minutes"),
        (BATTERY + "    commissioned_on: 01.05.2024\n", 13, "no date"),
        (BATTERY + "    valid_from: 1772323200\n", 13, r"battery\.valid_from"),
        (BATTERY + "  changes: [{valid_from: 2026-03-01T00:00:00Z, rated: 5}]\n", 13, r"changes\.0"),
        (BATTERY + "  day_starts: '08:00'\n", 13, "day_starts"),
    ],
)
def test_a_device_that_cannot_be_meant_is_refused_by_line_and_field(
    tmp_path: Path, device: str, line: int, field: str
) -> None:
    """A heat value in kJ/kg, a moment in seconds, a role of another kind: each would go unnoticed later."""
    message = refused(tmp_path, HEAD + device)
    assert message.startswith(f"line {line}: ")
    assert re.search(field, message), message


VIRTUAL = (
    "  virtual_meters:\n  - meter_id: V\n    kind: {kind}\n    quantity: {quantity}\n"
    "    role: {role}\n{more}    parts:\n"
)
PART = "    - {meter_id: X, quantity: %s%s}\n"


def virtual(kind: str, quantity: str, *parts: str, role: str = "internal", more: str = "", own: str = "") -> str:
    """A registry of one meter and one that is made of it."""
    meter = VIRTUAL.format(kind=kind, quantity=quantity, role=role, more=more) + "".join(parts)
    return (
        f"sites:\n-{SITE[1:]}{meter}devices:\n- device_id: X\n  site_id: P1\n  kind: {own or kind}\n  role: consumed\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (
            virtual("electricity", "energy_import_kwh", PART % ("energy_import_kwh", ""), role="exported",
                    more="    carrier: coke\n"),
            12,
            "V: carrier: coke is counted in t",
        ),
        (virtual("electricity", "energy_import_kwh", *[PART % ("energy_import_kwh", "")] * 2), 12, "twice"),
        (virtual("electricity", "energy_import_kwh", PART % ("energy_import_kwh", ", factor: 1000")), 12, "factor"),
        (virtual("electricity", "energy_import_kwh", PART % ("generated_mwh", ", factor: 1"), own="gangue_unit"),
         12, "1000"),
        (virtual("electricity", "energy_import_kwh", PART % ("energy_import_kwh", ""), role="product"), 11, "role"),
        (virtual("electricity", "energy_import_kwh", PART % ("energy_import_kwh", ""), role="consumed"), 12, "twice"),
        (f"sites:\n-{SITE[1:]}  product_unit: kg\ndevices: []\n", 7, "product_unit"),
        (f"sites:\n-{SITE[1:]}  product_lines:\n  - product: steel_eaf\ndevices: []\n", 8, "water_quota"),
        (f"sites:\n-{SITE[1:]}  product_lines:\n  - product: power_subcritical_300\ndevices: []\n", 8, "gce/kWh"),
        (f"sites:\n-{SITE[1:]}  product_lines:\n  - parameters: {{clinker: 70}}\ndevices: []\n", 8, "corrected by"),
        (HEAD.replace(" X", " X1") + METER + "- device_id: X1\n  site_id: P1\n  kind: gas\n", 12, "X1 stands twice"),
        (f"sites:\n-{SITE[1:]}devices:\n- device_id: P1\n  site_id: P1\n  kind: gas\n", 2, "called as this site"),
    ],
)  # fmt: skip
def test_a_site_that_cannot_be_meant_is_refused_by_line(tmp_path: Path, text: str, line: int, field: str) -> None:
    """Virtual meters, product lines and ids."""
    message = refused(tmp_path, text)
    assert message.startswith(f"line {line}: "), message
    assert field in message


@pytest.mark.parametrize(
    "device",
    [
        METER + "  ranges: {power_kw: {high: 35000}}\n  absent_values: {power_kw: [65535]}\n  accuracy: 0.005\n",
        METER + "  changes: [{valid_from: 2026-03-01T00:00:00Z, multiplier: {energy_import_kwh: 80}}]\n",
        "  kind: electricity\n  detection: {spike: {enabled: false}}\n  rated: null\n",
        "  kind: gas\n  role: stored\n",
        BATTERY + "    cell_count: 15\n    nominal_v: 48\n    commissioned_on: 2024-05-01\n    cutoff_v: 43.2\n",
        BATTERY + "    cell_count: 1\n    nominal_v: 3.65\n    cutoff_cell_v: 2.7\n    float_cell_v: 4.2\n",
        UNIT + "  lhv_mj_kg: {gangue_t: 13.2, coal_t: 20.9}\n",
    ],
)
def test_what_is_meant_is_taken(tmp_path: Path, device: str) -> None:
    """None of the rules stands in the way of what people register."""
    assert refused(tmp_path, HEAD + device) == ""


TWO_LINES = f"""sites:
-{SITE[1:]}  product_lines:
  - {{line_id: al, product: aluminium_liquid_ac, meters: [P]}}
  - {{line_id: pw, product: power_subcritical_300, meters: [G]}}
devices:
- {{device_id: P, site_id: P1, kind: production, role: product}}
- {{device_id: G, site_id: P1, kind: gangue_unit}}
"""


@pytest.mark.parametrize(
    "text",
    [
        HEAD + METER + "  period_s: 5270400\n",  # a water meter that is read every other month
        virtual("electricity", "energy_import_kwh", PART % ("energy_import_kwh", ", factor: 1.02")),  # its transformer
        virtual("electricity", "energy_import_kwh", PART % ("generated_mwh", ", factor: 995"), own="gangue_unit"),
        TWO_LINES,
    ],
    ids=["every other month", "transformer loss", "converted less loss", "power station within a works"],
)
def test_what_plants_do_is_taken(tmp_path: Path, text: str) -> None:
    """A loss in a factor is no slip of the unit, and a line that names its meters has a product of its own."""
    assert refused(tmp_path, text) == ""
