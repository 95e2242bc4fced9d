"""Every model of fenhe: readings, registry, quarantine, records, rows, settings. Imports nothing of ours."""
