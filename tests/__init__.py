"""The tests, by kind: unit, integration, e2e, chaos, browser."""
