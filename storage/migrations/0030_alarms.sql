-- Alarms after ISA-18.2 / IEC 62682: what is, all that happened to it, and who is to be told.

-- What is possible: streams/alarms/machine.py, in rows. A test holds the two against each other.
CREATE TABLE alarm_rule (
    state      text NOT NULL,
    event      text NOT NULL,
    next_state text NOT NULL,
    PRIMARY KEY (state, event)
);
INSERT INTO alarm_rule (state, event, next_state) VALUES
    ('active_acknowledged', 'amend', 'active_acknowledged'),
    ('active_acknowledged', 'clear', 'normal'),
    ('active_acknowledged', 'clear_latched', 'returned_unacknowledged'),
    ('active_acknowledged', 'comment', 'active_acknowledged'),
    ('active_acknowledged', 'disable', 'out_of_service'),
    ('active_acknowledged', 'realarm', 'active_unacknowledged'),
    ('active_acknowledged', 'shelve', 'shelved'),
    ('active_acknowledged', 'suppress', 'suppressed'),
    ('active_unacknowledged', 'acknowledge', 'active_acknowledged'),
    ('active_unacknowledged', 'amend', 'active_unacknowledged'),
    ('active_unacknowledged', 'clear', 'returned_unacknowledged'),
    ('active_unacknowledged', 'clear_latched', 'returned_unacknowledged'),
    ('active_unacknowledged', 'comment', 'active_unacknowledged'),
    ('active_unacknowledged', 'disable', 'out_of_service'),
    ('active_unacknowledged', 'realarm', 'active_unacknowledged'),
    ('active_unacknowledged', 'shelve', 'shelved'),
    ('active_unacknowledged', 'suppress', 'suppressed'),
    ('normal', 'amend', 'normal'),
    ('normal', 'comment', 'normal'),
    ('normal', 'disable', 'out_of_service'),
    ('normal', 'raise', 'active_unacknowledged'),
    ('normal', 'raise_suppressed', 'suppressed'),
    ('out_of_service', 'amend', 'out_of_service'),
    ('out_of_service', 'clear', 'out_of_service'),
    ('out_of_service', 'clear_latched', 'out_of_service'),
    ('out_of_service', 'comment', 'out_of_service'),
    ('out_of_service', 'raise', 'out_of_service'),
    ('out_of_service', 'raise_suppressed', 'out_of_service'),
    ('out_of_service', 'resume_active', 'active_unacknowledged'),
    ('out_of_service', 'resume_normal', 'normal'),
    ('returned_unacknowledged', 'acknowledge', 'normal'),
    ('returned_unacknowledged', 'amend', 'returned_unacknowledged'),
    ('returned_unacknowledged', 'close', 'normal'),
    ('returned_unacknowledged', 'comment', 'returned_unacknowledged'),
    ('returned_unacknowledged', 'disable', 'out_of_service'),
    ('returned_unacknowledged', 'raise', 'active_unacknowledged'),
    ('returned_unacknowledged', 'raise_suppressed', 'suppressed'),
    ('returned_unacknowledged', 'shelve', 'shelved'),
    ('shelved', 'amend', 'shelved'),
    ('shelved', 'clear', 'shelved'),
    ('shelved', 'clear_latched', 'shelved'),
    ('shelved', 'comment', 'shelved'),
    ('shelved', 'disable', 'out_of_service'),
    ('shelved', 'raise', 'shelved'),
    ('shelved', 'raise_suppressed', 'shelved'),
    ('shelved', 'resume_active', 'active_unacknowledged'),
    ('shelved', 'resume_normal', 'normal'),
    ('suppressed', 'amend', 'suppressed'),
    ('suppressed', 'clear', 'normal'),
    ('suppressed', 'clear_latched', 'returned_unacknowledged'),
    ('suppressed', 'comment', 'suppressed'),
    ('suppressed', 'disable', 'out_of_service'),
    ('suppressed', 'raise', 'active_unacknowledged'),
    ('suppressed', 'raise_suppressed', 'suppressed'),
    ('suppressed', 'resume_active', 'active_unacknowledged'),
    ('suppressed', 'resume_normal', 'normal'),
    ('suppressed', 'shelve', 'shelved');

-- Battery safety (metric specification, section 4): never suppressed, shelved for hours only, no thresholds of one's own.
CREATE TABLE alarm_safety_kind (kind text PRIMARY KEY);
INSERT INTO alarm_safety_kind VALUES
    ('over_temperature'), ('self_heating'), ('cell_sag'), ('float_current'), ('smoke'), ('water');

CREATE TABLE alarm (
    alarm_id    text PRIMARY KEY,
    site_id     text NOT NULL, -- '' for an alarm of a region
    device_id   text NOT NULL, -- the site's id for an alarm of a site, the region's name for one of a region
    metric      text NOT NULL,
    kind        text NOT NULL,
    region      text NOT NULL DEFAULT '',
    state       text NOT NULL DEFAULT 'normal' CHECK (state IN ('normal', 'active_unacknowledged',
                    'active_acknowledged', 'returned_unacknowledged', 'shelved', 'suppressed', 'out_of_service')),
    active      boolean NOT NULL DEFAULT false, -- whether the condition holds
    severity    text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    safety      boolean NOT NULL DEFAULT false,
    event_at    timestamptz NOT NULL, -- onset as estimated, event time
    raised_at   timestamptz NOT NULL, -- the sample that completed the on-delay, event time
    detected_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- when fenhe came to know
    cleared_at  timestamptz, -- end of the condition, event time
    return_pending_at timestamptz, -- seems to be over since, off-delay not yet passed, event time
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    shelved_until   timestamptz,
    suppressed_by   text, -- a parent's alarm_id, or maintenance:<id>
    group_id    text NOT NULL, -- alarm_id of the first-out: the first alarm of its group at the site
    occurrences int NOT NULL DEFAULT 1,
    amended     boolean NOT NULL DEFAULT false, -- late readings disproved or moved its cause
    disproved   boolean NOT NULL DEFAULT false,
    value       double precision,
    baseline    double precision,
    low         double precision,
    high        double precision,
    z           double precision,
    unit        text NOT NULL DEFAULT '',
    window_s    double precision NOT NULL DEFAULT 0,
    cost        double precision,
    cost_unit   text NOT NULL DEFAULT '',
    detector    text NOT NULL DEFAULT '',
    evidence    jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT alarm_condition CHECK (CASE
        WHEN state IN ('active_unacknowledged', 'active_acknowledged', 'suppressed') THEN active
        WHEN state IN ('normal', 'returned_unacknowledged') THEN NOT active
        ELSE true END)
) WITH (fillfactor = 70);
-- Nobody, by whatever way, gets two alarms of one condition.
CREATE UNIQUE INDEX alarm_one_open ON alarm (site_id, device_id, metric, kind) WHERE state <> 'normal';
CREATE INDEX alarm_key ON alarm (device_id, metric, kind, raised_at);
CREATE INDEX alarm_event ON alarm (event_at);
CREATE INDEX alarm_open_region ON alarm (region) WHERE state <> 'normal';

CREATE TABLE alarm_transition (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id   text NOT NULL REFERENCES alarm,
    event      text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    presented  boolean NOT NULL, -- put before an operator: what EEMUA 191 counts
    actor      text NOT NULL, -- a user's name, or fenhe
    reason     text NOT NULL,
    event_at   timestamptz, -- event time, where it has one
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail     jsonb NOT NULL DEFAULT '{}',
    FOREIGN KEY (from_state, event) REFERENCES alarm_rule (state, event)
);
CREATE INDEX alarm_transition_alarm ON alarm_transition (alarm_id, id);
CREATE INDEX alarm_transition_at ON alarm_transition (at);

CREATE TABLE notification_outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transition_id bigint NOT NULL UNIQUE REFERENCES alarm_transition,
    alarm_id      text NOT NULL REFERENCES alarm,
    what          text NOT NULL CHECK (what IN ('raised', 'returned', 'amended')),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    planned_at    timestamptz
);
CREATE INDEX notification_outbox_waiting ON notification_outbox (id) WHERE planned_at IS NULL;

CREATE TABLE maintenance (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id    text NOT NULL,
    device_id  text NOT NULL DEFAULT '', -- '' for the whole site
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL CHECK (ends_at > starts_at),
    planned_by text NOT NULL,
    reason     text NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cancelled_by text
);
CREATE INDEX maintenance_time ON maintenance (ends_at);

-- An operator's own values in place of the rules' defaults; '' stands for any. The most specific row counts.
CREATE TABLE alarm_setting (
    kind      text NOT NULL,
    site_id   text NOT NULL DEFAULT '',
    device_id text NOT NULL DEFAULT '',
    metric    text NOT NULL DEFAULT '',
    parameter text NOT NULL CHECK (parameter IN
                  ('on_delay_samples', 'off_delay_samples', 'deadband_share', 'realarm_h', 'low', 'high')),
    value     double precision NOT NULL,
    PRIMARY KEY (kind, site_id, device_id, metric, parameter)
);
CREATE TABLE alarm_setting_change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind      text NOT NULL,
    site_id   text NOT NULL,
    device_id text NOT NULL,
    metric    text NOT NULL,
    parameter text NOT NULL,
    before    double precision,
    after     double precision, -- null: back to the default
    actor     text NOT NULL,
    reason    text NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- History is written once: neither the worker nor the owner changes it by accident.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER alarm_transition_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alarm_transition
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alarm_setting_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alarm_setting_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON alarm_transition, alarm_setting_change FROM fenhe_writer;
REVOKE INSERT, UPDATE, DELETE ON alarm_rule, alarm_safety_kind, alarm_setting, maintenance FROM fenhe_writer;

-- The one way by which an alarm changes its state, for workers and for operators.
CREATE FUNCTION alarm_apply(
    p_alarm_id text, p_event text, p_actor text, p_reason text,
    p_event_at timestamptz DEFAULT NULL, p_detail jsonb DEFAULT '{}'
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a alarm;
    after_state text;
    presented_now boolean;
    transition bigint;
    told text;
BEGIN
    SELECT * INTO a FROM alarm WHERE alarm_id = p_alarm_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no alarm %', p_alarm_id USING ERRCODE = 'no_data_found';
    END IF;
    SELECT next_state INTO after_state FROM alarm_rule WHERE state = a.state AND event = p_event;
    IF NOT FOUND OR (p_event = 'resume_active' AND NOT a.active) OR (p_event = 'resume_normal' AND a.active) THEN
        RAISE EXCEPTION '% is not possible: alarm % is %, its condition %', p_event, p_alarm_id, a.state,
            CASE WHEN a.active THEN 'holds' ELSE 'does not hold' END
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    presented_now := after_state = 'active_unacknowledged' AND p_event NOT IN ('comment', 'amend');
    UPDATE alarm SET
        state = after_state,
        active = CASE WHEN p_event IN ('raise', 'raise_suppressed') THEN true
                      WHEN p_event IN ('clear', 'clear_latched') THEN false ELSE active END,
        cleared_at = CASE WHEN p_event IN ('raise', 'raise_suppressed') THEN NULL
                          WHEN p_event IN ('clear', 'clear_latched') THEN p_event_at ELSE cleared_at END,
        return_pending_at = CASE WHEN p_event IN ('raise', 'raise_suppressed', 'clear', 'clear_latched') THEN NULL
                                 ELSE return_pending_at END,
        acknowledged_at = CASE WHEN p_event = 'acknowledge' THEN clock_timestamp()
                               WHEN presented_now THEN NULL ELSE acknowledged_at END,
        acknowledged_by = CASE WHEN p_event = 'acknowledge' THEN p_actor
                               WHEN presented_now THEN NULL ELSE acknowledged_by END,
        shelved_until = CASE WHEN after_state = 'shelved' THEN coalesce((p_detail ->> 'until')::timestamptz, shelved_until) END,
        suppressed_by = CASE WHEN after_state = 'suppressed' THEN coalesce(p_detail ->> 'by', suppressed_by) END,
        amended = amended OR p_event = 'amend',
        changed_at = clock_timestamp()
    WHERE alarm_id = p_alarm_id;
    INSERT INTO alarm_transition (alarm_id, event, from_state, to_state, presented, actor, reason, event_at, detail)
    VALUES (p_alarm_id, p_event, a.state, after_state, presented_now, p_actor, p_reason, p_event_at, p_detail)
    RETURNING id INTO transition;
    told := CASE
        WHEN presented_now THEN 'raised'
        WHEN p_event IN ('clear', 'clear_latched')
            AND a.state IN ('active_unacknowledged', 'active_acknowledged') THEN 'returned'
        WHEN p_event = 'amend' AND a.state NOT IN ('shelved', 'suppressed', 'out_of_service') THEN 'amended'
        END;
    IF told IS NOT NULL THEN
        INSERT INTO notification_outbox (transition_id, alarm_id, what) VALUES (transition, p_alarm_id, told);
    END IF;
    RETURN after_state;
END
$$;
REVOKE ALL ON FUNCTION alarm_apply FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alarm_apply TO fenhe_writer;
