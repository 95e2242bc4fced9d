"""Second-life LFP battery sets (梯次电池), vectorised: every quantity is an array over sets, or over sets × cells.

Model: cell voltage = OCV(SoC) + hysteresis + I·R0 + V1, with one RC pair, less what cold takes; a thermal mass
per set.
Current is positive while charging. Source of the parameters, but for the unsourced ones: docs/simulators.md,
"Parameters and their sources".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.fleet.curves import MAKERS, OpenCircuit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

CELLS_MAX = 16
OHM_AH = 0.080
"""R0·C of a cell, Ω·Ah at 25 °C."""
OHM_AH_CV = 0.086
RC_RATIO = 0.4
"""R1/R0: R1·C = 32 mΩ·Ah."""
TAU_S = (30.0, 60.0)
ACTIVATION_J_MOL = 20_000.0
GAS_CONSTANT = 8.314
REFERENCE_K = 298.15
KELVIN = 273.15

SOH_MEAN, SOH_SD, SOH_LOW, SOH_HIGH = 0.849, 0.049, 0.74, 0.96
SOH_CELL_SD = 0.02
SOH_R_CORRELATION = -0.3
COLD_C = (-20.0, -10.0, -5.0, 0.0, 20.0)
COLD_SHARE = (0.45, 0.65, 0.80, 0.90, 1.0)
"""Share of its 25 °C capacity that a full cell gives at a temperature (k_T).

Source: docs/battery-health.md, "Numbers and their sources".
"""
COLD_FULL_C_RATE = 0.05
"""At this discharge and above, cold keeps all it can inside; at less, in proportion. (unsourced)"""
HYSTERESIS_V = (0.0, 0.010)
HYSTERESIS_SHARE = 0.05
"""Charge, as a share of capacity, over which the hysteresis turns round. (unsourced)"""

HEAT_J_K_AH = 450.0
"""Heat capacity of a 16-cell set for each Ah: 45 kg and 1 kJ/(kg·K) for 100 Ah. (unsourced)"""
THERMAL_TAU_S = (7_200.0, 14_400.0)

FLOAT_V = (3.390, 3.400)
"""Float voltage per cell; the rectifier's set point is this times the number of cells."""
FLOAT_SPREAD_V = 0.006
"""Standard deviation of cell voltages in float. (unsourced)"""
CHARGE_C_RATE = 0.15
"""Most that a rectifier gives a set. (unsourced)"""
CUTOFF_V = 2.80
"""The BMS opens at this loaded voltage of the weakest cell. (unsourced)"""
NOMINAL_AH = (100.0, 150.0, 200.0)
NOMINAL_SHARE = (0.3, 0.3, 0.4)
"""How many of the sets have each rated capacity; both (unsourced)."""


def temperature_factor(temperature_c: Array) -> Array:
    """Resistance relative to 25 °C: exp[(20 kJ/mol)/R·(1/T − 1/298)]."""
    factor: Array = np.exp(ACTIVATION_J_MOL / GAS_CONSTANT * (1.0 / (temperature_c + KELVIN) - 1.0 / REFERENCE_K))
    return factor


def cold_loss_v(curve: OpenCircuit, soc: Array, kept: Array) -> Array:
    """Voltage (V) that cold takes off loaded cells which keep a share `kept` (k, 1) of their capacity inside; (k, 16).

    Diffusion slows: the surface of the particles, which the voltage shows, empties before their core. So the loaded
    curve ends where `kept` is left, and starts from the same full cell.
    """
    reachable = np.maximum(soc - kept, 0.0) / (1.0 - kept)
    loss: Array = np.maximum(curve.at(soc)[0] - curve.at(reachable)[0], 0.0)
    return loss


@dataclass(slots=True)
class Batteries:
    """Parameters and true state of n sets. Cell arrays have shape (n, 16); `cells` masks a sixteenth that is absent."""

    cell_count: Index
    cells: NDArray[np.bool_]
    nominal_ah: Array
    maker: Index
    """Whose open-circuit curve its cells have (n,)."""
    capacity_ah: Array
    """True capacity of each cell (n, 16)."""
    resistance_ohm: Array
    """R0 of each cell at 25 °C (n, 16); 0 where absent."""
    tau_s: Array
    hysteresis_v: Array
    heat_j_k: Array
    thermal_tau_s: Array
    float_v: Array
    """Rectifier set point at the pack, V."""

    charge_ah: Array
    """Charge in each cell (n, 16): the one state that current integrates into."""
    shunted_ah: Array
    """Charge that leaks, fade or the cell's limits kept out, so that the books of charge close (n, 16)."""
    current_a: Array
    """Current in force since each set's last step, held constant until its next one."""
    relaxed_a: Array
    """The RC pair's filtered current: V1 = relaxed·R1."""
    hysteresis: Array
    """−1 after discharge … 1 after charge."""
    temperature_c: Array
    open: NDArray[np.bool_]
    """True once the BMS has cut the set off, until mains returns."""
    throughput_ah: Array
    pack_v: Array
    """Terminal voltage at each set's last step."""
    leak_a: Array
    """Self-discharge of each cell (n, 16), beside the current that everyone sees."""
    joint_ohm: Array
    """Resistance of the joint at each cell (n, 16) beyond a sound one's: ohmic, so without temperature or RC part."""

    @property
    def soh(self) -> Array:
        """True state of health: the weakest cell's capacity over the nominal (n,)."""
        weakest: Array = np.where(self.cells, self.capacity_ah, np.inf).min(axis=1)
        return weakest / self.nominal_ah

    @property
    def filled_soh(self) -> Array:
        """True state of health from full, which is what float fills: of the weakest cell, over the nominal (n,).

        The curve ends above what a rectifier holds, so that 0.3 to 0.6 % of a cell's charge never goes in.
        """
        open_v = np.tile((self.float_v / self.cell_count - self.hysteresis_v / 2)[:, None], CELLS_MAX)
        filled_ah = self.capacity_ah * self.open_circuit(np.arange(len(self.nominal_ah))).soc_at(open_v)
        weakest: Array = np.where(self.cells, filled_ah, np.inf).min(axis=1)
        return weakest / self.nominal_ah

    @property
    def full_ah(self) -> Array:
        """What each set gives from float: what that fills of its weakest cell, less what cold keeps inside (n,)."""
        given: Array = self.filled_soh * self.nominal_ah * np.interp(self.temperature_c, COLD_C, COLD_SHARE)
        return given

    def soc(self, index: Index) -> Array:
        """True SoC (0–1) of the pack: that of its emptiest cell."""
        charge = self.charge_ah[index] / self.capacity_ah[index]
        emptiest: Array = np.where(self.cells[index], charge, np.inf).min(axis=1)
        return emptiest

    def open_circuit(self, index: Index) -> OpenCircuit:
        """Open-circuit curves of the sets at `index`."""
        return OpenCircuit(self.maker[index, None], self.capacity_ah[index] / self.nominal_ah[index, None])

    def lose_capacity(self, kept: Array) -> None:
        """Multiply the capacity of every cell by `kept` (n, 16); cells keep their state of charge."""
        lost = self.charge_ah * (1 - kept)
        self.charge_ah -= lost
        self.shunted_ah += lost
        self.capacity_ah *= kept

    def integrate(self, index: Index, seconds: Array, ambient_c: Array) -> None:
        """Carry the sets at `index` over `seconds` under the current in force; exact for the RC and thermal parts."""
        current = self.current_a[index]
        wanted = self.charge_ah[index] + (current * seconds / 3600.0)[:, None]
        left = wanted - self.leak_a[index] * (seconds / 3600.0)[:, None]
        held = np.minimum(np.maximum(left, 0.0), self.capacity_ah[index])
        self.charge_ah[index] = held
        self.shunted_ah[index] += wanted - held
        self.throughput_ah[index] += np.abs(current) * seconds / 3600.0

        relaxed = self.relaxed_a[index]
        self.relaxed_a[index] = current + (relaxed - current) * np.exp(-seconds / self.tau_s[index])
        moved = np.abs(current) * seconds / (3600.0 * HYSTERESIS_SHARE * self.nominal_ah[index])
        side = self.hysteresis[index]
        self.hysteresis[index] = np.sign(current) + (side - np.sign(current)) * np.exp(-moved)

        temperature = self.temperature_c[index]
        resistance = self.resistance_ohm[index].sum(axis=1) * temperature_factor(temperature) * (1 + RC_RATIO)
        resistance += self.joint_ohm[index].sum(axis=1)
        tau = self.thermal_tau_s[index]
        settled = ambient_c + current * current * resistance * tau / self.heat_j_k[index]
        self.temperature_c[index] = settled + (temperature - settled) * np.exp(-seconds / tau)

    def drive(self, index: Index, *, mains: NDArray[np.bool_], load_w: Array, next_s: Array) -> Array:
        """Set the current of the sets at `index` for the time to come; return their cell voltages (k, 16) now.

        With mains, the rectifier charges at no more than 0.15 C up to its float voltage (solved implicitly over
        `next_s`, so that a 60 s step is stable on the steep end of the curve). Without, the set carries `load_w`
        until its weakest loaded cell reaches the cut-off; it then stays open until mains returns.
        """
        cells = self.cells[index]
        capacity = self.capacity_ah[index]
        open_circuit, slope = self.open_circuit(index).at(self.charge_ah[index] / capacity)
        factor = temperature_factor(self.temperature_c[index])
        inner = self.resistance_ohm[index] * factor[:, None]
        r0 = inner + self.joint_ohm[index]
        shift = self.hysteresis[index] * self.hysteresis_v[index] / 2
        rest = open_circuit + shift[:, None] + inner * RC_RATIO * self.relaxed_a[index][:, None]
        kept = 1.0 - np.interp(self.temperature_c[index], COLD_C, COLD_SHARE)
        cold = np.flatnonzero((kept > 0.0) & (self.relaxed_a[index] < 0.0))
        if len(cold):
            # By the RC pair's filtered current: minutes after the load is gone, the true open-circuit voltage shows.
            drawing = -self.relaxed_a[index[cold]] / (COLD_FULL_C_RATE * self.nominal_ah[index[cold]])
            loss = cold_loss_v(
                self.open_circuit(index[cold]), self.charge_ah[index[cold]] / capacity[cold], kept[cold, None]
            )
            rest[cold] -= np.minimum(drawing, 1.0)[:, None] * loss
        rest_pack = np.where(cells, rest, 0.0).sum(axis=1)
        r_pack = r0.sum(axis=1)

        stiffness = np.where(cells, slope / capacity, 0.0).sum(axis=1) * next_s / 3600.0
        charging = (self.float_v[index] - rest_pack) / (r_pack + stiffness)
        charging = np.minimum(np.maximum(charging, 0.0), CHARGE_C_RATE * self.nominal_ah[index])
        root = np.sqrt(np.maximum(rest_pack * rest_pack - 4 * r_pack * load_w, 0.0))
        discharging = -(rest_pack - root) / (2 * r_pack)

        weakest = np.where(cells, rest + r0 * discharging[:, None], np.inf).min(axis=1)
        opened = ~mains & (self.open[index] | (weakest <= CUTOFF_V))
        current = np.where(mains, charging, np.where(opened, 0.0, discharging))
        self.open[index] = opened
        self.current_a[index] = current
        volts: Array = np.where(cells, rest + r0 * current[:, None], 0.0)
        self.pack_v[index] = volts.sum(axis=1)
        return volts


def second_life(count: int, rng: np.random.Generator, ambient_c: Array) -> Batteries:
    """Draw `count` retired sets, floating at their rectifiers' set points and at `ambient_c` (count,)."""
    nominal = rng.choice(NOMINAL_AH, count, p=NOMINAL_SHARE)
    cell_count = np.where(rng.random(count) < 0.3, 15, CELLS_MAX).astype(np.int64)  # noqa: PLR2004 - a 48 V set has 15 cells or 16
    cells = np.arange(CELLS_MAX)[None, :] < cell_count[:, None]
    health, other = rng.standard_normal((2, count))
    soh = np.clip(SOH_MEAN + SOH_SD * health, SOH_LOW, SOH_HIGH)
    deviation = SOH_R_CORRELATION * health + math.sqrt(1 - SOH_R_CORRELATION**2) * other
    product = OHM_AH * np.maximum(1 + OHM_AH_CV * deviation, 0.7)
    cell_soh = soh[:, None] + SOH_CELL_SD * np.clip(rng.standard_normal((count, CELLS_MAX)), -2.5, 2.5)
    # The pack is as good as its weakest cell, and the documented spread of SoH is that of packs.
    cell_soh += (soh - np.where(cells, cell_soh, np.inf).min(axis=1))[:, None]
    capacity = nominal[:, None] * cell_soh
    spread = np.maximum(1 + OHM_AH_CV / 2 * rng.standard_normal((count, CELLS_MAX)), 0.7)
    resistance = np.where(cells, product[:, None] / nominal[:, None] * spread, 0.0)
    float_cell = rng.uniform(*FLOAT_V, count)
    hysteresis = rng.uniform(*HYSTERESIS_V, count)
    # Of a stream of its own: whatever else is drawn stays what it was while all cells were of one maker.
    maker = rng.spawn(1)[0].integers(0, MAKERS, count)
    rested = np.where(cells, FLOAT_SPREAD_V * rng.standard_normal((count, CELLS_MAX)), 0.0)
    rested -= (rested.sum(axis=1) / cell_count)[:, None]
    volts = np.clip((float_cell - hysteresis / 2)[:, None] + rested, 3.36, 3.43)
    return Batteries(
        nominal_ah=nominal,
        maker=maker,
        capacity_ah=capacity,
        tau_s=rng.uniform(*TAU_S, count),
        heat_j_k=HEAT_J_K_AH * nominal * cell_count / CELLS_MAX,
        thermal_tau_s=rng.uniform(*THERMAL_TAU_S, count),
        cell_count=cell_count,
        cells=cells,
        resistance_ohm=resistance,
        hysteresis_v=hysteresis,
        float_v=float_cell * cell_count,
        charge_ah=OpenCircuit(maker[:, None], cell_soh).soc_at(volts) * capacity,
        shunted_ah=np.zeros((count, CELLS_MAX)),
        current_a=np.zeros(count),
        relaxed_a=np.zeros(count),
        hysteresis=np.ones(count),
        temperature_c=ambient_c.copy(),
        open=np.zeros(count, dtype=bool),
        throughput_ah=np.zeros(count),
        pack_v=float_cell * cell_count,
        leak_a=np.zeros((count, CELLS_MAX)),
        joint_ohm=np.zeros((count, CELLS_MAX)),
    )
