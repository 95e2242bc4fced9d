"""TimescaleDB and plain PostgreSQL: migrations, pool, writers, checkpoint, ledger, state, books."""
