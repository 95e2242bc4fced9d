"""What operators work with beside the dashboards: one alarm, a sign that one waits, and a shift's handover."""
