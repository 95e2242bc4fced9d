"""Current sensors: what is evidence against one, and what is none."""
