"""What panels are made of: fields, panels, SQL fragments, thresholds."""
