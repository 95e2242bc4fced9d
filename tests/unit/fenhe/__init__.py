"""Tests of commands and of what they are made of."""
