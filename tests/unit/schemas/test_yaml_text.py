"""Every YAML file is read by one loader, to which a moment is what is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from schemas.quantity import CalendarTime
from schemas.yaml_text import read_yaml

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "written", ["2026-03-01T08:00:00+08:00", "2026-03-01 00:00:00Z", "2026-03-01T00:00:00.000Z", "1772323200000"]
)
def test_a_moment_is_the_same_with_quotes_and_without(written: str) -> None:
    """People write it either way."""
    adapter: TypeAdapter[int] = TypeAdapter(CalendarTime)
    plain, quoted = read_yaml(f"at: {written}")["at"], read_yaml(f'at: "{written}"')["at"]
    assert str(plain) == quoted == written
    assert adapter.validate_python(plain) == 1_772_323_200_000


def test_a_date_stays_a_date_as_written() -> None:
    """No time of day and no zone is made up for it here."""
    assert read_yaml("from: 2026-03-01") == {"from": "2026-03-01"}


def test_no_other_loader_is_used() -> None:
    """Two loaders read one file in two ways."""
    folders = ("schemas", "ingest", "streams", "storage", "dashboards", "simulators", "notify", "fenhe")
    others = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"yaml\.(safe_load|load|full_load|unsafe_load)\b", path.read_text(encoding="utf-8"))
    ]
    assert others == ["schemas/yaml_text.py"]
