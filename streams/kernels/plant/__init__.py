"""Plant figures: what the meters say together."""
