"""Open-circuit voltage of retired LFP cells: curves of three makers, and where on its curve a cell stands.

The foot of the curve tells charge above empty, a share of the nominal charge; the top a share of the cell's own
(docs/battery-health.md, "Numbers and their sources"). So a weak cell comes to its foot sooner, and is no nearer to
empty there than a strong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

OCV_PERCENT = (0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0, 60.0, 98.0, 99.0, 99.5, 100.0)
OCV_VOLTS = (
    (2.5, 3.188, 3.218, 3.238, 3.269, 3.290, 3.301, 3.306, 3.306, 3.34, 3.365, 3.385, 3.44),
    (2.5, 3.184, 3.215, 3.236, 3.266, 3.287, 3.299, 3.304, 3.306, 3.343, 3.367, 3.387, 3.44),
    (2.5, 3.192, 3.220, 3.241, 3.271, 3.292, 3.302, 3.306, 3.307, 3.337, 3.363, 3.384, 3.44),
)
"""V by maker. The first is the documented one (docs/battery-health.md, "Numbers and their sources"), above 98 % a steep
end that lets a cell float at 3.39–3.40 V (unsourced); the others lie some millivolts beside it, as published curves do.
(unsourced)"""
MAKERS = len(OCV_VOLTS)
FOOT = 0.30
"""Place on the curve up to which it tells charge above empty."""
FOOT_SOH = 0.849
"""Mean SoH of the cells that the curve is the median of."""

_STEPS = 200
_TOP = 120
_OCV = np.array([np.interp(np.arange(_STEPS + 1) * (100 / _STEPS), OCV_PERCENT, volts) for volts in OCV_VOLTS])
_SLOPE = np.concatenate([np.diff(_OCV), np.zeros((MAKERS, 1))], axis=1)


def ocv(place: Array, maker: Index | int = 0) -> tuple[Array, Array]:
    """Open-circuit voltage (V) at a place (0–1) on a maker's curve, and its slope (V per unit). Any shapes."""
    position = np.clip(place, 0.0, 1.0) * _STEPS
    step = np.minimum(position.astype(np.intp), _STEPS - 1)
    slope = _SLOPE[maker, step]
    return _OCV[maker, step] + (position - step) * slope, slope * _STEPS


class OpenCircuit(NamedTuple):
    """Cells of some sets."""

    maker: Index
    """Of each set (k, 1)."""
    health: Array
    """Capacity of each cell as a share of nominal (k, 16)."""

    def at(self, soc: Array) -> tuple[Array, Array]:
        """Voltage (V) of rested cells at their own `soc` (0–1), and its slope (V per unit of it); (k, 16)."""
        edge = FOOT * FOOT_SOH / self.health
        at_foot, rises = soc <= edge, (1 - FOOT) / (1 - edge)
        volts, slope = ocv(np.where(at_foot, soc * self.health / FOOT_SOH, FOOT + (soc - edge) * rises), self.maker)
        return volts, slope * np.where(at_foot, self.health / FOOT_SOH, rises)

    def soc_at(self, volts: Array) -> Array:
        """SoC (0–1) at which rested cells show `volts` (k, 16); only on the rising top of the curve."""
        places = np.arange(_TOP, _STEPS + 1) / _STEPS
        place = np.empty(volts.shape)
        for maker in range(MAKERS):
            own = self.maker[:, 0] == maker
            place[own] = np.interp(volts[own], _OCV[maker, _TOP:], places)
        edge = FOOT * FOOT_SOH / self.health
        soc: Array = edge + (place - FOOT) / (1 - FOOT) * (1 - edge)
        return soc
