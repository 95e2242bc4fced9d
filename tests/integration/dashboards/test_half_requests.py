"""The page answers, however many open connections to it and never finish a request."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from fenhe.local import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 400
"""File descriptors that the page may have."""
MANY = 600
PAGE = "from dashboards.preview.server import serve; serve(database_url='postgresql://127.0.0.1:9/none', port={port})"
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nsome of it"


@contextmanager
def page() -> Iterator[int]:
    """A page with few file descriptors, at a port."""
    port = free_port()
    words = [sys.executable, "-c", PAGE.format(port=port)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, limits[1]))
    try:
        process = subprocess.Popen(words, stderr=subprocess.PIPE)  # noqa: S603 - our own words
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    try:
        wait_until(lambda: is_well(port), what="the page to answer", timeout=60)
        yield port
    finally:
        process.terminate()
        process.communicate()


def is_well(port: int) -> bool:
    """Whether the page says that it is."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.timeout(180)
def test_requests_that_never_end_leave_the_page_to_others() -> None:
    """Nothing said, half of the headers, half of a body, half of a second request: the oldest make room."""
    with page() as port, ExitStack() as opened:
        for begun in (
            b"",
            b"GET /healthz HTTP/1.1\r\nHos",
            POST,
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /",
        ):
            for _ in range(MANY // 4):
                opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)).sendall(begun)
            assert is_well(port), begun
        with socket.create_connection(("127.0.0.1", port), timeout=10) as patient:
            patient.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            patient.sendall(b"Connection: close\r\n\r\n")
            assert b"200 OK" in patient.recv(1_000)
