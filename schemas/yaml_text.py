"""YAML as every file of fenhe is read: dates and times stay as they are written, and the models read them.

YAML has moments of its own, and a moment that YAML has read has lost how it was written: whether it named an offset,
and how many digits it had. So `valid_from: 2026-03-01` means the same with quotes and without.
"""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """The safe loader, but for moments."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """Read a document of plain values. Raises `yaml.YAMLError` where it is none."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
