"""The Faust worker: the app, its consumer, and who shepherds the partitions."""
