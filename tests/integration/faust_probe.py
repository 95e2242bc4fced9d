"""A Faust worker for the tests of Kafka: `python -m tests.integration.faust_probe BOOTSTRAP TOPIC GROUP FOLDER`.

It takes records in batches as the real workers do and prints `value=…` for each, until it is asked to end.
"""

from __future__ import annotations

import sys
from typing import Any

import faust


def main() -> None:
    """Run the worker."""
    bootstrap, topic, group, folder = sys.argv[1:]
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
    )

    async def read(stream: Any) -> None:  # noqa: ANN401 - faust ships no types
        async for events in stream.take_events(50, within=0.1):
            for event in events:
                print(f"value={event.value.decode()}", flush=True)  # noqa: T201 - its output is its result

    app.agent(app.topic(topic, value_type=bytes, value_serializer="raw", key_serializer="raw"))(read)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
