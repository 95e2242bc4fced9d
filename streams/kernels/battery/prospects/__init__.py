"""What follows from a set's rows: state of health, backup time, days, the fleet."""
