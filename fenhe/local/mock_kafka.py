"""`python -m fenhe.local.mock_kafka`: librdkafka's mock cluster, out of the confluent-kafka wheel, by ctypes.

It prints `ready HOST:PORT`, then answers lines on standard input, `create TOPIC PARTITIONS` with `ok` or `error …`,
and ends when its input does. All it holds is in memory, about 5 MB per partition: older records are dropped silently.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import sys
from pathlib import Path

_PRODUCER = 0
_ERROR_BYTES = 512


class MockCluster:
    """A one-broker mock cluster inside this process."""

    def __init__(self) -> None:
        self._library = _load()
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        # The cluster borrows a client instance for its thread; NULL configuration means defaults.
        self._client = self._library.rd_kafka_new(_PRODUCER, None, error, _ERROR_BYTES)
        if not self._client:
            raise RuntimeError(error.value.decode())
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            msg = "librdkafka could not start its mock cluster"
            raise RuntimeError(msg)
        # Real brokers wait 3 s for more members by default; there is nobody to wait for here.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)

    @property
    def bootstrap(self) -> str:
        """Its address, host:port."""
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic.

        Raises:
            RuntimeError: librdkafka refused, with its reason (an existing topic is one).
        """
        code: int = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code:
            reason: bytes = self._library.rd_kafka_err2str(code)
            raise RuntimeError(reason.decode())


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_library_path()))
    signatures: dict[str, tuple[object, list[object]]] = {
        "rd_kafka_new": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        "rd_kafka_mock_cluster_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [ctypes.c_void_p]),
        "rd_kafka_mock_topic_create": (
            ctypes.c_int,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int],
        ),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [ctypes.c_void_p, ctypes.c_int32]),
        "rd_kafka_err2str": (ctypes.c_char_p, [ctypes.c_int]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _library_path() -> Path | str:
    package = importlib.util.find_spec("confluent_kafka")
    if package is None or package.origin is None:
        msg = "confluent-kafka is not installed"
        raise RuntimeError(msg)
    folder = Path(package.origin).parent
    # Where the wheels for Linux and Windows, and for macOS, bundle it.
    for bundle in (folder.parent / "confluent_kafka.libs", folder / ".dylibs"):
        for library in sorted(bundle.glob("*rdkafka*")):
            return library
    if (system := ctypes.util.find_library("rdkafka")) is not None:
        return system
    msg = f"no librdkafka beside {folder}"
    raise RuntimeError(msg)


def main() -> None:
    """Serve until standard input ends."""
    cluster = MockCluster()
    print(f"ready {cluster.bootstrap}", flush=True)  # noqa: T201 - the protocol with MockKafka
    for line in sys.stdin:
        _command, name, partitions = line.split()
        try:
            cluster.create_topic(name, int(partitions))
        except (RuntimeError, ValueError) as error:
            print(f"error {error}", flush=True)  # noqa: T201 - the protocol with MockKafka
        else:
            print("ok", flush=True)  # noqa: T201 - the protocol with MockKafka


if __name__ == "__main__":
    main()
