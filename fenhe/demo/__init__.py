"""The demo: everything on this machine, with a simulated world, from one command."""
