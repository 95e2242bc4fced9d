"""A database that a local stack kept from another fenhe."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fenhe.clear_errors import PlainError
from fenhe.pipeline import prepare_database
from storage.pool import connect
from tests.support.databases import own_database

if TYPE_CHECKING:
    from pathlib import Path

    from fenhe.local import Postgres


def test_data_of_a_newer_fenhe_is_refused_in_a_sentence_with_what_helps(postgres: Postgres, tmp_path: Path) -> None:
    """Whoever goes back to an older one reads what to do, and no traceback; the data stay as they are."""
    with own_database(postgres) as name:
        owner_url = postgres.url("fenhe_owner", name)
        with connect(owner_url, name="test") as connection:
            connection.execute(
                "INSERT INTO schema_migration (number, name, checksum, engine)"
                " SELECT 9999, 'of_tomorrow', checksum, engine FROM schema_migration LIMIT 1"
            )
        stack = SimpleNamespace(environment=lambda: {"FENHE_DB_OWNER_URL": owner_url}, directory=tmp_path)
        with pytest.raises(
            PlainError, match=r"migration 9999.*upgrade fenhe; or leave .* name another with --directory"
        ):
            prepare_database(cast("Any", stack))
