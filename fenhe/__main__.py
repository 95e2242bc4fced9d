"""`fenhe` and `python -m fenhe`: the command line."""

import sys

from fenhe.garbage import none_to_look_for

SERVICES = (["collect"], ["work"], ["guard"])
"""Loaded without the other commands, which took a tenth of a worker's start (measured)."""


def main() -> None:
    """Load the commands, and run the one that was asked for."""
    with none_to_look_for():  # what is loaded stays: looking through it took a tenth of the time (measured)
        if sys.argv[1:2] in SERVICES:
            from fenhe.commands.services import app  # noqa: PLC0415 - it is what is loaded so
        else:
            from fenhe.cli import app  # noqa: PLC0415 - as above

    app()


if __name__ == "__main__":
    main()
