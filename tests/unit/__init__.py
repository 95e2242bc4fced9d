"""Tests of pure code: no service, no sleep."""
