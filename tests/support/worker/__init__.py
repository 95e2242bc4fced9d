"""What tests of a worker are run with."""
