"""Figures for Prometheus, read when they are asked for: counting costs the hot path nothing.

However many open connections to them and say nothing, they are answered, and few of those are held.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector as Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


MOST_UNFINISHED = 32
"""Connections whose request has not come whole; each has a thread. Prometheus has one, for milliseconds. (unsourced)"""
SILENT_S = 10.0
"""Whoever sends or takes nothing for so long is left."""


class _Figures(Source):
    def __init__(self, prefix: str, counters: Callable[[], Mapping[str, float]]) -> None:
        self._prefix = prefix
        self._counters = counters

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        for name, value in self._counters().items():
            family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield family(f"{self._prefix}_{name.removesuffix('_total')}", name.replace("_", " "), value=value)


def serve(port: int | None, prefix: str, counters: Callable[[], Mapping[str, float]]) -> None:
    """Answer GET /metrics on a port, in a thread; no port, no metrics. Names ending in `_total` are counters."""
    if port is not None:
        REGISTRY.register(_Figures(prefix, counters))
        listen(port)


class BoundedServer(ThreadingMixIn, WSGIServer):
    """A thread for each request; of those that do not come to their end the oldest makes room for one more."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        super().__init__(address, handler)
        self._unfinished: dict[socket.socket, None] = {}
        self._lock = threading.Lock()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Begin to read a request, in a thread of its own."""
        assert isinstance(request, socket.socket)  # noqa: S101 - TCP
        with self._lock:
            self._unfinished[request] = None
            if len(self._unfinished) > MOST_UNFINISHED:
                oldest = next(iter(self._unfinished))
                del self._unfinished[oldest]
                with suppress(OSError):  # it has just gone by itself
                    oldest.shutdown(socket.SHUT_RDWR)  # its thread reads the end of it
        super().process_request(request, client_address)

    def heard(self, request: socket.socket) -> None:
        """Its request has come whole, or it is closed."""
        with self._lock:
            self._unfinished.pop(request, None)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close it."""
        assert isinstance(request, socket.socket)  # noqa: S101 - TCP
        self.heard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever goes away, or is sent away, in the middle of it is no error of ours."""


class _Handler(WSGIRequestHandler):
    timeout = SILENT_S

    def parse_request(self) -> bool:
        """Its line and headers have been read then; there is no body."""
        is_whole = super().parse_request()
        assert isinstance(self.server, BoundedServer)  # noqa: S101 - `listen` makes no other
        self.server.heard(self.connection)
        return is_whole

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
        """Say nothing of each request."""


def listen(port: int, registry: CollectorRegistry = REGISTRY) -> BoundedServer:
    """Answer `GET /metrics` on a port of all interfaces, in a thread."""
    server = make_server("0.0.0.0", port, make_wsgi_app(registry), BoundedServer, _Handler)  # noqa: S104 - others scrape
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
