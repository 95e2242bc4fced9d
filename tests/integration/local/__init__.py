"""Integration tests of `fenhe.local`, of brokers and of what is secured."""
