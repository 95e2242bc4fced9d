"""`python -m fenhe`: the command line."""

from fenhe.cli import app

if __name__ == "__main__":
    app()
