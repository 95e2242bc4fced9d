"""The simulators: believable, seeded, and unable to send what the models forbid."""
