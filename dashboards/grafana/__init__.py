"""Grafana: build the JSON, publish it, watch over fenhe itself."""
