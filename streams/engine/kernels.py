"""What an engine computes: folds over readings, folds and views over rows, and stages behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.kernels.contract import Fold

if TYPE_CHECKING:
    from schemas.metrics import Row
    from streams.engine.stage import Stage
    from streams.kernels.contract import KernelView


class Kernels(NamedTuple):
    """What is computed: from readings first, then from rows, in this order."""

    readings: tuple[Fold, ...]
    rows: tuple[Fold | KernelView, ...]
    stages: tuple[Stage, ...] = ()
    """What follows from the rows, in the same transaction."""

    @property
    def folds(self) -> tuple[Fold, ...]:
        """All that remember something."""
        return (*self.readings, *(kernel for kernel in self.rows if isinstance(kernel, Fold)))

    @property
    def viewed(self) -> frozenset[type[Row]]:
        """Types of rows that any view is computed from."""
        views = (kernel for kernel in self.rows if not isinstance(kernel, Fold))
        return frozenset(row_type for view in views for row_type in view.inputs)

    @property
    def heard(self) -> frozenset[type[Row]]:
        """Types of rows that anything follows from; the others need not be kept once they are written."""
        sources = (fold.source for fold in self.folds if not isinstance(fold.source, frozenset))
        return self.viewed.union(sources, *(stage.hears for stage in self.stages))
