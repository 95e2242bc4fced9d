"""`python -m bench.energy_balance`: energy balances of simulated plants, healthy and with one meter at fault.

Plants of every sector over a quarter of a year, every sub-meter and main meter of electricity, gas and steam in turn
with a scale error and with a bias that grows over 30 days. Printed are false alarms of the healthy plants, and by the
size of what went missing (the fault's end value times the meter's share of its intake): recall within 30 days, median
delay, and how often the right meter, none or a wrong one is named.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson

from schemas.metrics import BalanceDay, Signal
from schemas.registry import Sector, Site
from schemas.time import DAY_MS
from simulators.truth import Label, LabelKind
from streams.kernels.detection.energy_balance import EnergyBalance
from streams.kernels.detection.reference import detection
from tests.support.worlds.balances import START_TS, Simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS, FAULT_DAY, WITHIN_DAYS = 90, 50, 30
SECTORS = (Sector.STEEL, Sector.COKING, Sector.CEMENT, Sector.METHANOL, Sector.ALUMINIUM, Sector.CAUSTIC_SODA)
FAULTS = ((LabelKind.SCALE, 0.1), (LabelKind.SCALE, 1.05), (LabelKind.SLOW_BIAS, -0.1), (LabelKind.SLOW_BIAS, 0.03))
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 99.0)
"""Upper ends of the classes of what went missing, as shares of the intake."""
KERNEL = EnergyBalance(detection().balance, "bench")
SITE = Site(site_id="any", name="Any", name_zh="厂", sector=Sector.STEEL, city="太原")


def active(rows: Sequence[BalanceDay]) -> list[Signal]:
    """Active verdicts."""
    return [row for row in KERNEL.fold(None, SITE, rows)[1] if isinstance(row, Signal) and row.active]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.energy_balance", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--healthy", action="store_true", help="only false alarms, of meters read every 15 minutes")
    options = parser.parse_args()
    if options.healthy:
        quiet(options.seeds)
        return
    healthy: dict[str, int] = {"balances": 0, "false": 0}
    by_step: dict[tuple[str, float], list[dict[str, Any]]] = defaultdict(list)
    for seed in range(1, options.seeds + 1):
        for sector in SECTORS:
            world = Simulated({sector: 1}, days=DAYS, seed=seed)
            rows = next(iter(world.rows().values()))
            healthy["balances"] += len({row.medium for row in rows})
            healthy["false"] += sum(row.samples == 1 for row in active(rows))
            shares = {
                name: abs(amount) / row.intake
                for row in rows[-12:]
                for name, (_, amount) in orjson.loads(row.meters).items()
                if row.intake
            }
            for device_id, share in shares.items():
                for kind, size in FAULTS:
                    found = faulty(world, device_id, kind, size)
                    lost = share * abs(size - 1 if kind is LabelKind.SCALE else size)
                    step = next(each for each in STEPS if lost <= each)
                    by_step[kind.value, step].append(found)
    print(json.dumps({**healthy, "balance_years": round(healthy["balances"] * DAYS / 365.25, 1)}))
    for (name, step), results in sorted(by_step.items()):
        hits = [each for each in results if each["delay"] is not None]
        print(
            f"{name:10} up to {step:6.1%} of the intake: {len(hits):3} of {len(results):3} within {WITHIN_DAYS} days,"
            f" median {statistics.median(each['delay'] for each in hits) if hits else '-'} days;"
            f" named right {sum(each['named'] == 'right' for each in hits)},"
            f" wrong {sum(each['named'] == 'wrong' for each in hits)}",
            flush=True,
        )


def quiet(seeds: int) -> None:
    """False alarms of healthy plants at several thresholds. A plant that stops is blurred by readings far apart."""
    shares = (0.1, 0.2, 0.3, 0.4, 0.5, 0.625)
    false, balances = dict.fromkeys(shares, 0), 0
    for seed in range(1, seeds + 1):
        for sector in (*SECTORS, Sector.AMMONIA):
            world = Simulated({sector: 1}, days=DAYS, seed=seed, read_s=900)
            rows = next(iter(world.rows().values()))
            balances += len({row.medium for row in rows})
            for share in shares:
                rule = detection().balance.model_copy(update={"tolerance_share": share})
                given = EnergyBalance(rule, "bench").fold(None, SITE, rows)[1]
                false[share] += sum(isinstance(row, Signal) and row.active and row.samples == 1 for row in given)
            print(f"{balances} balances, false by share of the tolerance: {json.dumps(false)}", flush=True)


def faulty(world: Simulated, device_id: str, kind: LabelKind, size: float) -> dict[str, Any]:
    """Delay in days and whom the newest verdict names, of one meter's fault."""
    begin = START_TS + FAULT_DAY * DAY_MS
    site_id = world.devices[device_id].site_id
    label = Label(kind, site_id, device_id, "", begin, begin + WITHIN_DAYS * DAY_MS, size, "1")
    verdicts = [each for each in active(world.rows([label])[site_id]) if each.ts <= begin + WITHIN_DAYS * DAY_MS]
    after = [each for each in verdicts if each.ts > begin]
    if not after:
        return {"delay": None, "named": "none"}
    meters = [orjson.loads(each.evidence)["meter"] for each in after]
    blamed = [each for each in meters if each != "cannot be told"]
    named = "none" if not blamed else "right" if blamed[-1] == device_id else "wrong"
    return {"delay": round((after[0].ts - begin) / DAY_MS), "named": named}


if __name__ == "__main__":
    main()
