"""Tests that kill, stop or pause processes on purpose."""
