-- What was made of the outbox: messages to channels, each sent until the channel has taken it.
CREATE TABLE notification (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel     text NOT NULL,
    group_key   text NOT NULL,
    urgent      boolean NOT NULL,
    digest      boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at      timestamptz NOT NULL,
    attempts    int NOT NULL DEFAULT 0,
    leased_until timestamptz, -- a notifier is at it; after that it is taken to be dead
    sent_at     timestamptz,
    last_error  text
);
CREATE INDEX notification_unsent ON notification (due_at) WHERE sent_at IS NULL;
CREATE INDEX notification_channel ON notification (channel, created_at);

CREATE TABLE notification_item (
    notification_id bigint NOT NULL REFERENCES notification,
    outbox_id       bigint NOT NULL REFERENCES notification_outbox,
    PRIMARY KEY (notification_id, outbox_id)
);
