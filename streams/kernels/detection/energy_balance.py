"""A site's meters of one medium no longer add up as they used to: one of them is at fault, or something is lost.

The residual of a day is held against its own usual: the median share of the intake over four weeks. What sub-meters
never covered, losses and the meters' constant errors stay the same and cancel; a meter that slowly shows too little, or
suddenly another scale, does not. Far is farther than half of the meters' tolerance and five spreads of the days, on two
days running. Tolerance and two days: docs/detection.md, "Numbers and their sources"; half and five (unsourced).
Nothing is learned from a day that lies far.

Which meter it is, is told where it can be: the one whose correction alone brings the shares of all meters back to their
usual, clearly better than that of any other.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.detection import own_rule
from schemas.kinds import unit_name
from schemas.metrics import BalanceDay
from schemas.metrics.signal import SignalKind
from schemas.time import DAY_MS
from streams.kernels.detection.judgement import Judgement
from streams.kernels.detection.plant_limits import WaterBalance
from streams.kernels.detection.robust import median, robust_sd
from streams.kernels.detection.row_watch import Judged, RowWatch, Series, SeriesReading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.detection import BalanceRule
    from schemas.metrics import Row
    from schemas.registry import Site
    from streams.kernels.detection.row_watch import Watched

SURE = 2.0
"""A correction is told where the next best leaves this many times as much unexplained. (unsourced)"""
DIGITS = 6
"""Decimals of a share that are remembered."""


class BalanceMemory(NamedTuple):
    """What is known of one balance."""

    shares: list[float] = []  # noqa: RUF012 - never changed
    """Residual over intake of the newest days, oldest first."""
    usual: dict[str, float] = {}  # noqa: RUF012 - never changed
    """Each meter's usual share of the intake."""
    far_days: int = 0
    """In a row, up to now."""
    since_ts: int = 0
    lost: float = 0.0
    """Since then: more than usual that nothing accounts for."""


class EnergyBalance(RowWatch):
    """Fold of balance days: every medium of a site."""

    name = "energy_balance"
    left_alone = WaterBalance.metrics
    source: type[Row] = BalanceDay
    window_s = {SignalKind.BALANCE: DAY_MS / 1000}  # noqa: RUF012 - read only

    def __init__(self, rule: BalanceRule, version: str) -> None:
        super().__init__(version)
        self._rule = rule

    def read(self, _site: Site, row: BalanceDay, /) -> Iterable[SeriesReading]:
        """Residual, tolerance and intake of a day, and what passed each meter."""
        series = Series(f"residual_{row.unit}/{row.medium}", SignalKind.BALANCE)
        figures = (row.residual, row.tolerance, row.intake)
        meters: Any = row.meters  # text as written, or an object as read back
        beside = orjson.loads(meters) if isinstance(meters, str) else meters
        yield SeriesReading(series, unit_name(row.unit), row.ts + DAY_MS, figures, beside)

    def judge(self, site: Site, watched: Watched, /) -> Judged:
        """Active on the second day in a row that lies far; over on the first one that does not."""
        rule, memory = own_rule(self._rule, "balance", site.detection), BalanceMemory(*watched.memory)
        ts, unit = watched.newest.ts, watched.newest.unit
        residual, tolerance, intake = watched.newest.figures
        learned = len(memory.shares), rule.days_needed
        if residual is None or tolerance is None or not intake or intake <= 0:
            return Judged(watched.memory, None, learned)
        signed: Mapping[str, Any] = watched.newest.beside
        meters = {name: (sign, amount) for name, (sign, amount) in signed.items() if amount is not None}
        share = residual / intake
        if learned[0] < learned[1]:
            after = _learn(rule, memory, share, meters, intake)
            return Judged(tuple(after), None, (len(after.shares), rule.days_needed))
        usual = median(memory.shares)
        far = max(rule.tolerance_share * tolerance / intake, rule.sd * _spread(memory.shares))
        change = share - usual
        if abs(change) <= far:
            after = _learn(rule, memory, share, meters, intake)._replace(far_days=0, since_ts=0, lost=0.0)
        else:
            after = memory._replace(
                far_days=memory.far_days + 1,
                since_ts=memory.since_ts or ts - DAY_MS,
                lost=max(0.0, memory.lost + change * intake),
            )
        if after.far_days and after.far_days < rule.confirm_days:
            return Judged(tuple(after), None, learned)
        is_adopted = after.far_days >= rule.confirm_days + rule.adopt_days
        active = after.far_days > 0 and not is_adopted and rule.enabled
        evidence: dict[str, float | int | str | None] = {
            "intake": intake,
            "residual_share": share,
            "usual_share": usual,
            "far_share": far,
            "tolerance": tolerance,
            "days": len(memory.shares),
        }
        if active:
            evidence |= culprit(meters, memory.usual, usual)
        if is_adopted:
            evidence["ended"] = "adopted"
        verdict = Judgement(
            active=active,
            since_ts=after.since_ts,
            value=residual,
            evidence=evidence,
            baseline=usual * intake,
            low=(usual - far) * intake,
            high=(usual + far) * intake,
            z=change / far,
            cost=after.lost if active and after.lost else None,
            cost_unit=unit if active and after.lost else "",
        )
        return Judged(() if is_adopted else tuple(after), verdict, learned)


def _learn(
    rule: BalanceRule, memory: BalanceMemory, share: float, meters: Mapping[str, tuple[float, float]], intake: float
) -> BalanceMemory:
    kept = [*memory.shares, round(share, DIGITS)][-rule.days :]
    weight = 1 / min(len(memory.shares) + 1, rule.days)
    usual = {}
    for name, (_, amount) in meters.items():
        before = memory.usual.get(name, amount / intake)
        usual[name] = round(before + weight * (amount / intake - before), DIGITS)
    return memory._replace(shares=kept, usual=usual)


def _spread(shares: list[float]) -> float:
    """Of days, from their differences: a residual that creeps must not widen what it is held against."""
    changes = [now - before for before, now in itertools.pairwise(shares)]
    return robust_sd(changes) / math.sqrt(2)


def culprit(
    meters: Mapping[str, tuple[float, float]], usual: Mapping[str, float], usual_residual: float
) -> dict[str, float | int | str | None]:
    """Tell the meter whose correction alone explains the day, with its share of the intake as it is and should be.

    `meters`: sign in the residual and amount, by device; `usual`: share of the intake, by device.
    """
    left = {name: _unexplained(name, meters, usual, usual_residual) for name in meters}
    (best, least), *others = sorted(left.items(), key=lambda item: item[1])
    if others and others[0][1] < SURE * least:
        return {"meter": "cannot be told"}
    intake = math.fsum(amount for sign, amount in meters.values() if sign > 0)
    return {
        "meter": best,
        "meter_share": meters[best][1] / intake,
        "meter_usual_share": usual.get(best),
        "meter_shows_pct": 100 * meters[best][1] / (meters[best][1] + _missing(best, meters, usual_residual)),
    }


def _missing(name: str, meters: Mapping[str, tuple[float, float]], usual_residual: float) -> float:
    """What a meter would have to show more for the residual to be the usual share of the intake."""
    residual = math.fsum(sign * amount for sign, amount in meters.values())
    intake = math.fsum(amount for sign, amount in meters.values() if sign > 0)
    sign = meters[name][0]
    short = usual_residual * intake - residual
    return short / (1 - usual_residual) if sign > 0 else -short


def _unexplained(
    name: str, meters: Mapping[str, tuple[float, float]], usual: Mapping[str, float], usual_residual: float
) -> float:
    """How far the shares of all meters lie from their usual once one is corrected, summed."""
    amounts = {each: amount for each, (_, amount) in meters.items()}
    amounts[name] += _missing(name, meters, usual_residual)
    intake = math.fsum(amounts[each] for each, (sign, _) in meters.items() if sign > 0)
    if intake <= 0:
        return math.inf
    return math.fsum(abs(amount / intake - usual.get(each, 0.0)) for each, amount in amounts.items())
