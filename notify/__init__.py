"""The notifier: from the outbox to people."""
