"""The commands of `fenhe`, a module each."""
