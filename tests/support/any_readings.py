"""Readings of any kind with any values, for what must hold of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from schemas.readings import MODELS, Kind
from schemas.structs import STRUCTS
from storage.encoding.arrays import PgType
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from schemas.readings import Reading

TS = 1_780_000_000_000
OF_TYPE: dict[PgType, st.SearchStrategy[Any]] = {
    PgType.FLOAT8: st.floats(-1e15, 1e15),
    PgType.FLOAT4: st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 3.345, 1e-300]),
    PgType.INT4: st.integers(-(2**31), 2**31 - 1),
    PgType.INT8: st.integers(-(2**63), 2**63 - 1),
    PgType.BOOL: st.booleans(),
    PgType.TIMESTAMPTZ: st.integers(0, 2**50),
    PgType.TEXT: st.text(st.characters(codec="utf-8"), max_size=5),
    PgType.JSON: st.lists(st.integers(-(2**63), 2**64 - 1), max_size=4),
}


@st.composite
def kind_and_readings(draw: st.DrawFn) -> tuple[Kind, list[Reading]]:
    """Readings of one kind, with any of their values there or not, and lists of any length."""
    kind = draw(st.sampled_from(Kind))
    table = READING_TABLES[kind]
    types = {field.attribute: field.type for field in table.fields}
    sparse = {name for name in types if draw(st.integers(0, 2)) == 0}
    readings = []
    for at in range(draw(st.integers(1, 6))):
        values: dict[str, Any] = dict.fromkeys(MODELS[kind].model_fields)
        values["ts"] = TS + at
        for name, type_ in types.items():
            if name in sparse:
                continue
            one = OF_TYPE[type_]
            if name in table.lists:
                one = st.lists(one | st.none(), min_size=1, max_size=table.lists[name])
            values[name] = draw(one | st.none())
        readings.append(STRUCTS[kind](**values))
    return kind, readings  # type: ignore[return-value] # structs of readings
