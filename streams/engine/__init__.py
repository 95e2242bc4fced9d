"""The transaction engine: one batch, one transaction; folding, derivation and recompute."""
