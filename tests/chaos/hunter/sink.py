"""Who receives the notices: a web hook that keeps what it took, and refuses when it is told to."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

OK, AWAY = 200, 503


class Sink:
    """A web hook's receiver; `with` starts and stops it."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        """Messages, as text, and how often each was taken."""
        self.refuses = False
        self._lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(sink._take(body))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, body: dict[str, object]) -> int:
        if self.refuses:
            return AWAY
        with self._lock:
            self.taken[f"{body['title']}\n{body['message']}"] += 1
        return OK
