"""The distance to a limit or quota, one rule on every page: only what is measured may be called over.

It is a text that begins with its mark: ✕ or ◐ over, ● within, ◇ and violet where it rests on an estimate, which is
neither red nor green. A column of its own for estimates would find no room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dashboards.kit import fields, sql
from dashboards.kit.fields import Field
from dashboards.words import labels
from dashboards.words import plant as labels_plant

if TYPE_CHECKING:
    from schemas.words import Language, Text

WIDTH_PX = 96


class LimitGap(NamedTuple):
    """A distance in % of a row of `plant_rolling`; positive is over."""

    column: str
    of: str
    """The column of the figure that is held against it."""
    published: str
    """SQL: whether there is a limit to hold it to, of the row `{row}`."""
    label: Text
    over: str = fields.BAD
    """Colour of a measured one that is over."""

    def text(self, row: str, language: Language) -> str:
        """SQL: `✕ +3.2 %`; null where it is not known, and `none` where nothing is published to hold the figure to."""
        amount = f"{row}.{self.column}"
        over = fields.MARK_OF[self.over]
        mark = f"CASE WHEN {row}.quality = 'estimated' THEN '◇' WHEN {amount} > 0 THEN '{over}' ELSE '●' END"
        text = f"{mark} || ' ' || {sql.signed_pct(amount)}"
        is_held = self.published.format(row=row)
        none = f"CASE WHEN {row}.{self.of} IS NOT NULL AND NOT ({is_held}) THEN '{labels.NONE(language)}' END"
        return f"coalesce({text}, {none}) AS {self.column}"

    def field(self, width: int | None = WIDTH_PX) -> Field:
        """The column of that text, or its figure among several where there is no width."""
        return Field(name=self.column, label=self.label, marked=True, width=width)


_LIMITED = "{row}.limit_level_3 IS NOT NULL OR {row}.limit_level_1 IS NOT NULL"
_IN_FIGURE = "false"
"""A quota is held against the very figure: where there is the one and no distance, there is no quota."""
LIMIT = LimitGap("gap_to_limit_pct", "unit_energy_kgce", _LIMITED, labels_plant.GAP_LIMIT)
LEADER = LimitGap("gap_to_leader_pct", "unit_energy_kgce", _LIMITED, labels_plant.GAP_LEADER, fields.PARTIAL)
QUOTA = LimitGap("gap_to_quota_pct", "unit_water_m3", _IN_FIGURE, labels_plant.GAP_QUOTA)
ADVANCED_QUOTA = LimitGap(
    "gap_to_advanced_quota_pct", "unit_water_m3", _IN_FIGURE, labels_plant.GAP_ADVANCED_QUOTA, fields.PARTIAL
)
