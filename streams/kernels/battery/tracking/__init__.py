"""One battery set followed through its readings: episodes, charge, cells, hours."""
