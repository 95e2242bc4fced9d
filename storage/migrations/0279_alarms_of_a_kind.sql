-- Past alarms of a kind, the newest first: an alarm's page lists those before it.
CREATE INDEX alarm_kind_event ON alarm (kind, event_at DESC);
