"""The catalogue of scenarios as a page, written from the scenarios themselves so that it cannot fall behind them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from simulators.scenes.scenario import load, names

if TYPE_CHECKING:
    from simulators.scenes.scenario import Scenario
    from simulators.truth import Label

SEED = 1
NOW_TS = 1_772_323_200_000
"""Labels of a scenario that is watched live are counted as if it began here; their number does not depend on it."""

_HEAD = """# Scenarios

Simulated worlds, each a YAML file under `simulators/scenarios/` that says what it holds and what happens in it. \
This page is written by `fenhe scenarios catalogue`; a test holds it against the files.

```
fenhe scenarios list
fenhe scenarios labels meter-chaos                      # what happens, when and where
fenhe simulate --scenario meter-chaos --truth truth.sqlite
fenhe demo --scenario meter-chaos                       # watched live, each of them
```

`fenhe demo` shows one with a date of its own as if that date were such that it has come as far as is said below: \
before the live moment lies a past, sampled as an archive keeps it.

The same name and seed give the same bytes. Labels are those of seed 1, maintenance included, each kind with how \
often it happens. How devices, faults and networks are modelled: [simulators](simulators.md).
"""


def catalogue() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *(_section(load(name)) for name in names())])


def labels_of(scenario: Scenario, seed: int = SEED) -> list[Label]:
    """Everything that happens in a scenario until it is over."""
    start = scenario.start_ts(NOW_TS)
    return scenario.scene(seed=seed, start_ts=start).labels(scenario.end_ts(start))


def hours_of(ms: int) -> str:
    """Say "36 hours" or "40 days"."""
    hours = ms / HOUR_MS
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"  # noqa: PLR2004 - two days are still hours


def _section(scenario: Scenario) -> str:
    start = scenario.start.isoformat(timespec="minutes") if scenario.start else "live, after some hours of history"
    hours = ((scenario.history or 0) + scenario.lasts) / 3_600_000
    length = hours_of(round(hours * HOUR_MS))
    plants = ", ".join(f"{count} {sector.value}" for sector, count in scenario.plants.items() if count) or "none"
    kinds = Counter(label.kind.value for label in labels_of(scenario))
    happens = ", ".join(f"`{kind}` × {count}" for kind, count in sorted(kinds.items())) or "nothing but daily life"
    watched = "from its beginning" if scenario.watch is None else f"{hours_of(scenario.watch.at)} after its start"
    return f"""## {scenario.name}

**{scenario.title}** · {scenario.title_zh}

{scenario.about.strip()}

Look at: {scenario.look.strip()} {scenario.look_zh}

| | |
|---|---|
| starts | {start} |
| length | {length} |
| watched live | {watched} |
| plants | {plants} |
| battery sets | {scenario.fleet.sets:,} |
| labels | {happens} |
"""
