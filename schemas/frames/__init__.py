"""Forms of messages that are not fenhe's own: Sparkplug B and YD/T 1363."""
