"""The command line and the embedded local stack: the only package that knows all others."""
