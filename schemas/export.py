"""JSON Schema of everything on the wire, for those who build the devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.kafka.record import MicroBatch
from schemas.readings import MODELS, Kind, Reading
from schemas.registry import Registry
from schemas.topics import Topic

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _document(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **model.model_json_schema(), "title": title}


def _payload(kind: Kind, model: type[Reading]) -> dict[str, Any]:
    """A payload: one reading, or an array of them."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "title": f"fenhe {kind} payload",
        "description": f"Topic {Topic('<site_id>', kind, '<device_id>')}, QoS 1: one reading or an array of them.",
        "$defs": {**definitions, "reading": schema},
        "oneOf": [
            {"$ref": "#/$defs/reading"},
            {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/reading"}},
        ],
    }


def json_schemas() -> dict[str, dict[str, Any]]:
    """File name to JSON Schema: one per kind of reading, the Kafka record and the registry."""
    return {
        **{f"reading.{kind}.json": _payload(kind, model) for kind, model in MODELS.items()},
        "record.micro_batch.json": _document(MicroBatch, "fenhe Kafka record"),
        "registry.json": _document(Registry, "fenhe registry"),
    }
