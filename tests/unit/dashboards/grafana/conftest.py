"""A Grafana that answers as the real one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.grafana_contract import ContractGrafana, contract_grafana

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def grafana() -> Iterator[ContractGrafana]:
    """A Grafana that holds nothing of ours."""
    with contract_grafana() as server:
        yield server
