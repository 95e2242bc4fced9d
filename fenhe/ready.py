"""Readiness as a file: what a supervisor, a container's health check or a test waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ReadyFile:
    """A file that is there while the process is ready, and not a moment longer than it can help."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.clear()

    def set(self) -> None:
        """Say that the process is ready."""
        if self._path is not None:
            self._path.touch()

    def clear(self) -> None:
        """Say that it is not."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
