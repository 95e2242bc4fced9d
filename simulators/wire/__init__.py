"""How simulated messages travel: encodings, disorder, networks, publishers."""
