-- How often an alarm came and went before: asked of each notice, so that one that flaps is not told sixty times.
CREATE INDEX notification_outbox_alarm ON notification_outbox (alarm_id, id);
