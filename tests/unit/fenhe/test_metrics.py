"""The metrics are answered, and cost little, however many open connections and never finish a request."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry

from fenhe.local import wait_until
from fenhe.metrics import MOST_UNFINISHED, BoundedServer, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 400


@pytest.fixture
def server() -> Iterator[BoundedServer]:
    """A server of no figures."""
    server = listen(0, CollectorRegistry())
    yield server
    server.shutdown()
    server.server_close()


def answers(port: int) -> bool:
    """Whether a scrape is answered."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return bool(answer.status == 200)


@pytest.mark.parametrize("begun", [b"", b"GET /metrics HT", b"GET /metrics HTTP/1.1\r\nHost: me\r\nX: "])
def test_requests_that_never_end_leave_the_port_to_others(server: BoundedServer, begun: bytes) -> None:
    """Each would keep a thread for ever; the oldest make room, and a scrape is answered all the same."""
    before, port = threading.active_count(), server.server_port
    with ExitStack() as opened:
        for _ in range(MANY):
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)).sendall(begun)
        assert answers(port)
        wait_until(lambda: threading.active_count() <= before + MOST_UNFINISHED, what="threads to end")
        assert answers(port)
    wait_until(lambda: threading.active_count() <= before, what="all of them to end")
