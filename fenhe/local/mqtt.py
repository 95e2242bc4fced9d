"""An MQTT broker on 127.0.0.1: Mosquitto where it is installed, amqtt elsewhere."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from abc import abstractmethod
from pathlib import Path

from fenhe.local.processes import Process, Runner, accepts_connections, free_port
from fenhe.local.services import MissingServiceError, Services, project_root


class Broker(Runner):
    """An MQTT broker of ours: anonymous, on 127.0.0.1, the same port through all restarts."""

    kind: str
    """What it is, for logs and reports."""
    keeps_sessions: bool
    """Whether sessions and their queues survive `restart`."""
    speaks_mqtt5: bool

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        """Describe the broker; `start` starts it.

        Args:
            directory: holds its configuration, sessions and log.
            port: None for a free one.
        """
        self.directory = directory
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.process = self._make_process()

    @property
    @abstractmethod
    def version(self) -> str:
        """The broker's version."""

    @property
    def url(self) -> str:
        """Such as mqtt://127.0.0.1:21883."""
        return f"mqtt://{self.host}:{self.port}"

    def start(self) -> None:
        """Start the broker and return when it takes connections."""
        self.process.start()
        self.process.wait_until(lambda: accepts_connections(self.port, self.host), what=f"{self.kind} to listen")

    def stop(self) -> None:
        """Ask the broker to end, and wait."""
        self.process.terminate()

    def kill(self) -> None:
        """`kill -9`: what the broker had not written is gone."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start again on the same port."""
        self.stop()
        self.start()

    @abstractmethod
    def _make_process(self) -> Process: ...


class Mosquitto(Broker):
    """Eclipse Mosquitto, of the machine's own binary.

    Sessions and queued messages survive `restart`. Mosquitto writes them when it is asked to end and every
    `autosave_interval` seconds in between: what it acknowledged to a device since then does not survive `kill`.
    """

    kind = "mosquitto"
    keeps_sessions = True
    speaks_mqtt5 = True

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        max_inflight_messages: int = 8_000,
        autosave_interval_s: int = 5,
    ) -> None:
        """Describe the broker; `start` starts it.

        Args:
            directory: holds its configuration, sessions and log.
            port: None for a free one.
            max_inflight_messages: unacknowledged messages per client; an MQTT 5 client may ask for fewer.
            autosave_interval_s: how often sessions are written to disk.

        Raises:
            MissingServiceError: it is not installed.
        """
        self._binary = _mosquitto_binary()
        self._max_inflight_messages = max_inflight_messages
        self._autosave_interval_s = autosave_interval_s
        super().__init__(directory, port=port)

    @property
    def version(self) -> str:
        """Such as "2.0.11"."""
        # It prints its version with its usage, and exits with 3 as after a wrong option.
        usage = subprocess.run([self._binary, "-h"], check=False, capture_output=True, text=True).stdout
        return usage.split("\n", 1)[0].rsplit(" ", 1)[-1]

    def start(self) -> None:
        """Write the configuration, start the broker and return when it takes connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(self._configuration_text())
        super().start()

    @property
    def _configuration(self) -> Path:
        return self.directory / "mosquitto.conf"

    def _configuration_text(self) -> str:
        lines = [
            f"listener {self.port} {self.host}",
            "allow_anonymous true",
            # Never drop silently: a full queue must be seen as memory, not as missing readings.
            "max_queued_messages 0",
            f"max_inflight_messages {self._max_inflight_messages}",
            "persistence true",
            f"persistence_location {self.directory}/",
            f"autosave_interval {self._autosave_interval_s}",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # as another user it could not write into our folder
        return "\n".join(lines) + "\n"

    def _make_process(self) -> Process:
        return Process(
            self.kind,
            [self._binary, "-c", self._configuration],
            log=self.directory / "mosquitto.log",
            death_signal=signal.SIGTERM,
        )


class Amqtt(Broker):
    """The broker of the amqtt wheel: pure Python, MQTT 3.1.1 only, sessions in memory only."""

    kind = "amqtt"
    keeps_sessions = False
    speaks_mqtt5 = False

    @property
    def version(self) -> str:
        """Such as "0.12.1"."""
        return importlib.metadata.version("amqtt")

    def _make_process(self) -> Process:
        if importlib.util.find_spec("amqtt") is None:
            msg = "amqtt is not installed: pip install 'fenhe[embedded]'"
            raise MissingServiceError(msg)
        return Process(
            self.kind,
            [sys.executable, "-m", "fenhe.local.amqtt_broker", "--port", str(self.port)],
            log=self.directory / "amqtt.log",
            environment={"PYTHONUNBUFFERED": "1"},
            directory=project_root(),
        )


def find_mqtt(directory: Path, services: Services = Services.AUTO, *, port: int | None = None) -> Broker:
    """Return the broker to use, not yet started.

    Raises:
        MissingServiceError: `services` asks for one that is not on this machine.
    """
    match services:
        case Services.REAL:
            return Mosquitto(directory, port=port)
        case Services.EMBEDDED:
            return Amqtt(directory, port=port)
        case Services.AUTO:
            try:
                return Mosquitto(directory, port=port)
            except MissingServiceError:
                return Amqtt(directory, port=port)


def _mosquitto_binary() -> str:
    # Debian puts it in sbin, which is not on every user's PATH.
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
    if (found := shutil.which("mosquitto", path=search)) is None:
        msg = "mosquitto is not installed (Debian: apt-get install mosquitto)"
        raise MissingServiceError(msg)
    return str(Path(found).resolve())
