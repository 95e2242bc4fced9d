-- A database as fenhe of 2026-11-29 (commit 2f494ae) left it: migrations up to 0090, 12 minutes of the world of
-- tests/support/pipeline.py. Made by pg_dump --inserts; never edited. tests/integration/storage/test_upgrade.py reads it.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.alarm_acknowledge(p_alarm_id text, p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'acknowledge', btrim(p_user), p_reason);
END
$$;
ALTER FUNCTION public.alarm_acknowledge(p_alarm_id text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_apply(p_alarm_id text, p_event text, p_actor text, p_reason text, p_event_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $$
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
ALTER FUNCTION public.alarm_apply(p_alarm_id text, p_event text, p_actor text, p_reason text, p_event_at timestamp with time zone, p_detail jsonb) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_close(p_alarm_id text, p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'close', btrim(p_user), p_reason);
END
$$;
ALTER FUNCTION public.alarm_close(p_alarm_id text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_comment(p_alarm_id text, p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'comment', btrim(p_user), p_reason);
END
$$;
ALTER FUNCTION public.alarm_comment(p_alarm_id text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_out_of_service(p_site_id text, p_device_id text, p_metric text, p_kind text, p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    found_id text;
    moment timestamptz := clock_timestamp();
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    PERFORM 1 FROM site WHERE site_id = p_site_id;
    IF NOT FOUND OR (p_device_id <> p_site_id
            AND NOT EXISTS (SELECT FROM device WHERE device_id = p_device_id AND site_id = p_site_id)) THEN
        RAISE EXCEPTION 'site % has no device %', p_site_id, p_device_id USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT alarm_id INTO found_id FROM alarm
    WHERE site_id = p_site_id AND device_id = p_device_id AND metric = p_metric AND kind = p_kind AND state <> 'normal';
    IF found_id IS NULL THEN
        found_id := left(encode(sha256(convert_to(
            concat_ws(E'\n', p_device_id, p_metric, p_kind, 'out of service', moment), 'UTF8')), 'hex'), 32);
        INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, region, severity, safety, event_at, raised_at,
                           detected_at, group_id)
        SELECT found_id, s.site_id, p_device_id, p_metric, p_kind, s.city, 'low',
               p_kind IN (SELECT kind FROM alarm_safety_kind), moment, moment, moment, found_id
        FROM site s WHERE s.site_id = p_site_id;
    END IF;
    PERFORM alarm_apply(found_id, 'disable', btrim(p_user), p_reason);
    RETURN found_id;
END
$$;
ALTER FUNCTION public.alarm_out_of_service(p_site_id text, p_device_id text, p_metric text, p_kind text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_require_name(p_user text, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF coalesce(btrim(p_user), '') = '' OR coalesce(btrim(p_reason), '') = '' THEN
        RAISE EXCEPTION 'a name and a reason are required' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF lower(btrim(p_user)) = 'fenhe' OR length(p_user) > 100 OR length(p_reason) > 1000 THEN
        RAISE EXCEPTION 'the name % cannot be used, or name or reason is too long', left(p_user, 100)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
ALTER FUNCTION public.alarm_require_name(p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_resume(p_alarm_id text, p_states text[], p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    a alarm;
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    SELECT * INTO a FROM alarm WHERE alarm_id = p_alarm_id FOR UPDATE;
    IF a.alarm_id IS NOT NULL AND NOT a.state = ANY (p_states) THEN
        RAISE EXCEPTION 'alarm % is %', p_alarm_id, a.state USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN alarm_apply(
        p_alarm_id, CASE WHEN a.active THEN 'resume_active' ELSE 'resume_normal' END, btrim(p_user), p_reason);
END
$$;
ALTER FUNCTION public.alarm_resume(p_alarm_id text, p_states text[], p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_return_to_service(p_alarm_id text, p_user text, p_reason text) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT alarm_resume(p_alarm_id, ARRAY['out_of_service'], p_user, p_reason)
$$;
ALTER FUNCTION public.alarm_return_to_service(p_alarm_id text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_set_threshold(p_kind text, p_site_id text, p_device_id text, p_metric text, p_parameter text, p_value double precision, p_user text, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    old double precision;
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    IF p_kind IN (SELECT kind FROM alarm_safety_kind) THEN
        RAISE EXCEPTION 'safety limits are not set by hand' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT value INTO old FROM alarm_setting
    WHERE kind = p_kind AND site_id = p_site_id AND device_id = p_device_id AND metric = p_metric
      AND parameter = p_parameter FOR UPDATE;
    IF p_value IS NULL THEN
        DELETE FROM alarm_setting
        WHERE kind = p_kind AND site_id = p_site_id AND device_id = p_device_id AND metric = p_metric
          AND parameter = p_parameter;
    ELSE
        IF p_value = 'NaN' OR (p_parameter NOT IN ('low', 'high') AND p_value < 0)
                OR (p_parameter LIKE '%_samples' AND (p_value > 4 OR p_value <> trunc(p_value))) THEN
            RAISE EXCEPTION '% cannot be %', p_parameter, p_value USING ERRCODE = 'invalid_parameter_value';
        END IF;
        INSERT INTO alarm_setting VALUES (p_kind, p_site_id, p_device_id, p_metric, p_parameter, p_value)
        ON CONFLICT (kind, site_id, device_id, metric, parameter) DO UPDATE SET value = excluded.value;
    END IF;
    INSERT INTO alarm_setting_change (kind, site_id, device_id, metric, parameter, before, after, actor, reason)
    VALUES (p_kind, p_site_id, p_device_id, p_metric, p_parameter, old, p_value, btrim(p_user), p_reason);
END
$$;
ALTER FUNCTION public.alarm_set_threshold(p_kind text, p_site_id text, p_device_id text, p_metric text, p_parameter text, p_value double precision, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_shelve(p_alarm_id text, p_hours double precision, p_user text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    most double precision;
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    SELECT CASE WHEN safety THEN 8 ELSE 168 END INTO most FROM alarm WHERE alarm_id = p_alarm_id;
    IF p_hours IS NULL OR NOT (p_hours > 0 AND p_hours <= most) THEN
        RAISE EXCEPTION 'shelve for more than 0 and at most % hours', most USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN alarm_apply(p_alarm_id, 'shelve', btrim(p_user), p_reason, NULL,
        jsonb_build_object('until', clock_timestamp() + p_hours * interval '1 hour'));
END
$$;
ALTER FUNCTION public.alarm_shelve(p_alarm_id text, p_hours double precision, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.alarm_unshelve(p_alarm_id text, p_user text, p_reason text) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT alarm_resume(p_alarm_id, ARRAY['shelved'], p_user, p_reason)
$$;
ALTER FUNCTION public.alarm_unshelve(p_alarm_id text, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.committed_at(x xid) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN current_setting('track_commit_timestamp') = 'on' THEN pg_xact_commit_timestamp(x) END
$$;
ALTER FUNCTION public.committed_at(x xid) OWNER TO fenhe_owner;
CREATE FUNCTION public.enpi_variable(site text, variable text, day timestamp with time zone) RETURNS double precision
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN strpos(variable, '.') = 0
        THEN (SELECT e.value FROM enpi_variable_day e WHERE e.site_id = site AND e.name = variable AND e.ts = day)
        ELSE (
            SELECT CASE WHEN count(a.value) >= 12 THEN avg(a.value) END
            FROM generate_series(day, day + interval '23 hours', interval '1 hour') AS h (ts)
            CROSS JOIN LATERAL (
                SELECT x.value
                FROM (
                    SELECT f.ts, f.released_at,
                           CASE split_part(variable, '.', 2)
                               WHEN 'lhv_mj_kg' THEN f.lhv_mj_kg
                               WHEN 'ash_pct' THEN f.ash_pct
                               WHEN 'sulphur_pct' THEN f.sulphur_pct
                               WHEN 'moisture_pct' THEN f.moisture_pct END AS value
                    FROM fuel_assay f
                    WHERE f.site_id = site AND f.fuel = split_part(variable, '.', 1)
                      AND f.ts <= h.ts AND f.until_at > h.ts
                ) x
                WHERE x.value IS NOT NULL ORDER BY x.ts DESC, x.released_at DESC LIMIT 1
            ) a
        ) END
$$;
ALTER FUNCTION public.enpi_variable(site text, variable text, day timestamp with time zone) OWNER TO fenhe_owner;
CREATE FUNCTION public.maintenance_cancel(p_id bigint, p_user text, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    UPDATE maintenance SET cancelled_by = btrim(p_user) || ': ' || p_reason WHERE id = p_id AND cancelled_by IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no maintenance % to cancel', p_id USING ERRCODE = 'no_data_found';
    END IF;
END
$$;
ALTER FUNCTION public.maintenance_cancel(p_id bigint, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.maintenance_plan(p_site_id text, p_device_id text, p_starts_at timestamp with time zone, p_ends_at timestamp with time zone, p_user text, p_reason text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    planned bigint;
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    IF NOT EXISTS (SELECT FROM site WHERE site_id = p_site_id)
            OR (p_device_id <> '' AND NOT EXISTS
                (SELECT FROM device WHERE device_id = p_device_id AND site_id = p_site_id)) THEN
        RAISE EXCEPTION 'there is no site % with device %', p_site_id, p_device_id
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO maintenance (site_id, device_id, starts_at, ends_at, planned_by, reason)
    VALUES (p_site_id, p_device_id, p_starts_at, p_ends_at, btrim(p_user), p_reason) RETURNING id INTO planned;
    RETURN planned;
END
$$;
ALTER FUNCTION public.maintenance_plan(p_site_id text, p_device_id text, p_starts_at timestamp with time zone, p_ends_at timestamp with time zone, p_user text, p_reason text) OWNER TO fenhe_owner;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
ALTER FUNCTION public.refuse_change() OWNER TO fenhe_owner;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alarm (
    alarm_id text NOT NULL,
    site_id text NOT NULL,
    device_id text NOT NULL,
    metric text NOT NULL,
    kind text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'normal'::text NOT NULL,
    active boolean DEFAULT false NOT NULL,
    severity text NOT NULL,
    safety boolean DEFAULT false NOT NULL,
    event_at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    detected_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cleared_at timestamp with time zone,
    return_pending_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    shelved_until timestamp with time zone,
    suppressed_by text,
    group_id text NOT NULL,
    occurrences integer DEFAULT 1 NOT NULL,
    amended boolean DEFAULT false NOT NULL,
    disproved boolean DEFAULT false NOT NULL,
    value double precision,
    baseline double precision,
    low double precision,
    high double precision,
    z double precision,
    unit text DEFAULT ''::text NOT NULL,
    window_s double precision DEFAULT 0 NOT NULL,
    cost double precision,
    cost_unit text DEFAULT ''::text NOT NULL,
    detector text DEFAULT ''::text NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    last_raised_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT alarm_condition CHECK (
CASE
    WHEN (state = ANY (ARRAY['active_unacknowledged'::text, 'active_acknowledged'::text, 'suppressed'::text])) THEN active
    WHEN (state = ANY (ARRAY['normal'::text, 'returned_unacknowledged'::text])) THEN (NOT active)
    ELSE true
END),
    CONSTRAINT alarm_severity_check CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT alarm_state_check CHECK ((state = ANY (ARRAY['normal'::text, 'active_unacknowledged'::text, 'active_acknowledged'::text, 'returned_unacknowledged'::text, 'shelved'::text, 'suppressed'::text, 'out_of_service'::text])))
)
WITH (fillfactor='70');
ALTER TABLE public.alarm OWNER TO fenhe_owner;
CREATE TABLE public.alarm_transition (
    id bigint NOT NULL,
    alarm_id text NOT NULL,
    event text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    presented boolean NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    event_at timestamp with time zone,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.alarm_transition OWNER TO fenhe_owner;
CREATE VIEW public.alarm_chattering AS
 WITH presented AS (
         SELECT a.site_id,
            a.device_id,
            a.metric,
            a.kind,
            a.region,
            t.at,
            lag(t.at, 2) OVER (PARTITION BY a.site_id, a.device_id, a.metric, a.kind ORDER BY t.at) AS third_last
           FROM (public.alarm_transition t
             JOIN public.alarm a USING (alarm_id))
          WHERE (t.presented AND (t.at > (now() - '7 days'::interval)))
        )
 SELECT presented.site_id,
    presented.device_id,
    presented.metric,
    presented.kind,
    presented.region,
    count(*) AS times,
    max(presented.at) AS last_at
   FROM presented
  WHERE ((presented.at - presented.third_last) < '01:00:00'::interval)
  GROUP BY presented.site_id, presented.device_id, presented.metric, presented.kind, presented.region;
ALTER TABLE public.alarm_chattering OWNER TO fenhe_owner;
CREATE VIEW public.alarm_most_frequent AS
 SELECT a.site_id,
    a.device_id,
    a.metric,
    a.kind,
    a.region,
    count(*) AS presented,
    ((count(*))::numeric / sum(count(*)) OVER ()) AS share,
    max(t.at) AS last_at
   FROM (public.alarm_transition t
     JOIN public.alarm a USING (alarm_id))
  WHERE (t.presented AND (t.at > (now() - '30 days'::interval)))
  GROUP BY a.site_id, a.device_id, a.metric, a.kind, a.region;
ALTER TABLE public.alarm_most_frequent OWNER TO fenhe_owner;
CREATE VIEW public.alarm_rate_10min AS
 SELECT date_bin('00:10:00'::interval, t.at, '2000-01-03 00:00:00+00'::timestamp with time zone) AS ts,
    a.region,
    count(*) AS presented,
    count(*) FILTER (WHERE (a.severity = 'critical'::text)) AS critical,
    (count(*) > 10) AS flood
   FROM (public.alarm_transition t
     JOIN public.alarm a USING (alarm_id))
  WHERE t.presented
  GROUP BY (date_bin('00:10:00'::interval, t.at, '2000-01-03 00:00:00+00'::timestamp with time zone)), a.region;
ALTER TABLE public.alarm_rate_10min OWNER TO fenhe_owner;
CREATE TABLE public.alarm_rule (
    state text NOT NULL,
    event text NOT NULL,
    next_state text NOT NULL
);
ALTER TABLE public.alarm_rule OWNER TO fenhe_owner;
CREATE TABLE public.alarm_safety_kind (
    kind text NOT NULL
);
ALTER TABLE public.alarm_safety_kind OWNER TO fenhe_owner;
CREATE TABLE public.alarm_setting (
    kind text NOT NULL,
    site_id text DEFAULT ''::text NOT NULL,
    device_id text DEFAULT ''::text NOT NULL,
    metric text DEFAULT ''::text NOT NULL,
    parameter text NOT NULL,
    value double precision NOT NULL,
    CONSTRAINT alarm_setting_parameter_check CHECK ((parameter = ANY (ARRAY['on_delay_samples'::text, 'off_delay_samples'::text, 'deadband_share'::text, 'realarm_h'::text, 'low'::text, 'high'::text])))
);
ALTER TABLE public.alarm_setting OWNER TO fenhe_owner;
CREATE TABLE public.alarm_setting_change (
    id bigint NOT NULL,
    kind text NOT NULL,
    site_id text NOT NULL,
    device_id text NOT NULL,
    metric text NOT NULL,
    parameter text NOT NULL,
    before double precision,
    after double precision,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.alarm_setting_change OWNER TO fenhe_owner;
ALTER TABLE public.alarm_setting_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alarm_setting_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW public.alarm_standing AS
 SELECT a.alarm_id,
    a.site_id,
    a.device_id,
    a.metric,
    a.kind,
    a.region,
    a.state,
    a.active,
    a.severity,
    a.safety,
    a.event_at,
    a.raised_at,
    a.detected_at,
    a.cleared_at,
    a.return_pending_at,
    a.changed_at,
    a.acknowledged_at,
    a.acknowledged_by,
    a.shelved_until,
    a.suppressed_by,
    a.group_id,
    a.occurrences,
    a.amended,
    a.disproved,
    a.value,
    a.baseline,
    a.low,
    a.high,
    a.z,
    a.unit,
    a.window_s,
    a.cost,
    a.cost_unit,
    a.detector,
    a.evidence,
    (now() - a.event_at) AS standing
   FROM public.alarm a
  WHERE (a.active AND (a.state = ANY (ARRAY['active_unacknowledged'::text, 'active_acknowledged'::text])) AND (a.event_at < (now() - '24:00:00'::interval)));
ALTER TABLE public.alarm_standing OWNER TO fenhe_owner;
ALTER TABLE public.alarm_transition ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alarm_transition_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.battery_latest (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    pack_voltage_v double precision,
    current_a double precision,
    soc_pct real,
    soh_bms_pct real,
    cell_min_v real,
    cell_max_v real,
    cell_spread_mv real,
    worst_cell integer,
    temperature_max_c real,
    temperature_rise_c real,
    temperature_rate_c_min real
)
WITH (fillfactor='50');
ALTER TABLE public.battery_latest OWNER TO fenhe_owner;
CREATE TABLE public.meter_latest (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    total double precision,
    rate double precision
)
WITH (fillfactor='50');
ALTER TABLE public.meter_latest OWNER TO fenhe_owner;
CREATE TABLE public.site_power_latest (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    mains_failed boolean,
    mains_voltage_v real,
    dc_voltage_v real,
    dc_load_current_a real,
    smoke boolean,
    water boolean,
    door boolean
)
WITH (fillfactor='50');
ALTER TABLE public.site_power_latest OWNER TO fenhe_owner;
CREATE VIEW public.arrival AS
 SELECT meter_latest.device_id,
    meter_latest.site_id,
    meter_latest.ts,
    meter_latest.received_at,
    public.committed_at(meter_latest.xmin) AS stored_at
   FROM public.meter_latest
UNION ALL
 SELECT battery_latest.device_id,
    battery_latest.site_id,
    battery_latest.ts,
    battery_latest.received_at,
    public.committed_at(battery_latest.xmin) AS stored_at
   FROM public.battery_latest
UNION ALL
 SELECT site_power_latest.device_id,
    site_power_latest.site_id,
    site_power_latest.ts,
    site_power_latest.received_at,
    public.committed_at(site_power_latest.xmin) AS stored_at
   FROM public.site_power_latest;
ALTER TABLE public.arrival OWNER TO fenhe_owner;
CREATE TABLE public.balance_day (
    site_id text NOT NULL,
    medium text NOT NULL,
    ts timestamp with time zone NOT NULL,
    unit text NOT NULL,
    intake double precision,
    sub_meters double precision,
    outflow double precision,
    residual double precision,
    tolerance double precision,
    meters json NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.balance_day OWNER TO fenhe_owner;
CREATE TABLE public.battery_capacity (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    capacity_ah double precision,
    sigma_ah double precision,
    soh_pct double precision,
    at_least_ah double precision NOT NULL,
    method text,
    reason text,
    drawn_ah double precision NOT NULL,
    soc_start_pct real,
    soc_end_pct real,
    temperature_mean_c real,
    temperature_factor real NOT NULL,
    cutoff_cell_v real NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    full_cycles real NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    flags text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.battery_capacity OWNER TO fenhe_owner;
CREATE TABLE public.battery_day (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    as_of_at timestamp with time zone NOT NULL,
    soh_pct real,
    backup_p50_h real,
    backup_p10_h real,
    contract_h real NOT NULL,
    resistance_25c_mohm real,
    resistance_usual_mohm real,
    resistance_rise_pct real,
    resistance_steps integer NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.battery_day OWNER TO fenhe_owner;
CREATE TABLE public.battery_discharge (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    cause text NOT NULL,
    outage_at timestamp with time zone,
    ended_at timestamp with time zone,
    duration_h real NOT NULL,
    charge_ah double precision,
    cutoff_at timestamp with time zone,
    cutoff_h real,
    forecast_p50_h real,
    forecast_p10_h real,
    forecast_load_w real,
    coverage real NOT NULL,
    quality text NOT NULL
);
ALTER TABLE public.battery_discharge OWNER TO fenhe_owner;
CREATE TABLE public.battery_episode (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    kind text NOT NULL,
    ended_at timestamp with time zone,
    duration_h real NOT NULL,
    charge_ah double precision,
    energy_kwh double precision,
    pack_start_v real,
    pack_end_v real,
    temperature_min_c real,
    temperature_max_c real,
    temperature_mean_c real,
    soc_start_pct real,
    soc_start_sigma_pct real,
    soc_end_pct real,
    rest_cell_v double precision,
    cutoff_at timestamp with time zone,
    current_min_a real,
    current_max_a real,
    self_discharge_pct_month real,
    largest_gap_s real NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    flags text NOT NULL,
    temperature_start_c real
);
ALTER TABLE public.battery_episode OWNER TO fenhe_owner;
CREATE TABLE public.battery_health_latest (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    city text NOT NULL,
    maker text NOT NULL,
    batch text NOT NULL,
    nominal_ah real NOT NULL,
    in_service_years real,
    soh_pct real,
    soh_low_pct real,
    soh_high_pct real,
    soh_sigma_pct real,
    soh_at_least_pct real,
    soh_method text,
    soh_evidence_at timestamp with time zone,
    soh_age_days real,
    soh_estimates integer NOT NULL,
    soh_reason text,
    soh_bms_pct real,
    soc_pct real,
    soc_sigma_pct real,
    soc_bms_difference_pct real,
    resistance_25c_mohm real,
    resistance_trend real,
    resistance_mohm_ah real,
    float_spread_mv real,
    float_worst_cell integer,
    float_worst_z real,
    temperature_mean_c real,
    load_w real,
    backup_p50_h real,
    backup_p10_h real,
    contract_h real NOT NULL,
    misses_contract boolean,
    last_discharge_at timestamp with time zone,
    observable boolean NOT NULL,
    test_priority_kwh real NOT NULL,
    advice text NOT NULL,
    advice_reasons text NOT NULL,
    flags text NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.battery_health_latest OWNER TO fenhe_owner;
CREATE TABLE public.battery_hour (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    soc_pct real,
    soc_sigma_pct real,
    soc_bms_pct real,
    soc_bms_difference_pct real,
    soh_bms_pct real,
    float_min real NOT NULL,
    rest_min real NOT NULL,
    load_min real NOT NULL,
    float_current_a real,
    current_offset_a real,
    float_spread_mv real,
    float_worst_cell integer,
    float_worst_z real,
    rest_spread_mv real,
    rest_worst_cell integer,
    rest_worst_z real,
    load_spread_mv real,
    load_worst_cell integer,
    load_worst_z real,
    temperature_mean_c real,
    temperature_spread_max_c real,
    coverage real NOT NULL,
    quality text NOT NULL,
    flags text NOT NULL
);
ALTER TABLE public.battery_hour OWNER TO fenhe_owner;
CREATE VIEW public.battery_observability AS
 SELECT battery_health_latest.city,
    count(*) AS sets,
    avg((battery_health_latest.observable)::integer) AS observable_share,
    avg(((battery_health_latest.soh_pct IS NOT NULL))::integer) AS estimated_share,
    percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY ((battery_health_latest.soh_age_days)::double precision)) AS median_age_days,
    max(battery_health_latest.soh_age_days) AS oldest_age_days
   FROM public.battery_health_latest
  GROUP BY GROUPING SETS ((battery_health_latest.city), ());
ALTER TABLE public.battery_observability OWNER TO fenhe_owner;
CREATE TABLE public.battery_quarter (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    energy_in_kwh double precision,
    energy_out_kwh double precision,
    charge_ah double precision,
    discharge_ah double precision,
    cell_spread_max_mv real,
    temperature_max_c real,
    temperature_rise_max_c real,
    temperature_rate_max_c_min real,
    coverage real NOT NULL,
    quality text NOT NULL
);
ALTER TABLE public.battery_quarter OWNER TO fenhe_owner;
CREATE TABLE public.battery_resistance (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    resistance_mohm double precision NOT NULL,
    resistance_25c_mohm double precision,
    cell_mohm_ah_25c double precision,
    step_a real NOT NULL,
    step_s real NOT NULL,
    step text NOT NULL,
    temperature_c real
);
ALTER TABLE public.battery_resistance OWNER TO fenhe_owner;
CREATE VIEW public.battery_resistance_fleet AS
 SELECT h.device_id,
    h.site_id,
    h.city,
    h.maker,
    h.batch,
    h.resistance_25c_mohm,
    h.resistance_trend,
    h.resistance_mohm_ah,
    f.median AS fleet_median_mohm_ah,
    (h.resistance_mohm_ah / f.median) AS of_fleet
   FROM public.battery_health_latest h,
    ( SELECT percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY ((battery_health_latest.resistance_mohm_ah)::double precision)) AS median
           FROM public.battery_health_latest) f
  WHERE (h.resistance_mohm_ah IS NOT NULL);
ALTER TABLE public.battery_resistance_fleet OWNER TO fenhe_owner;
CREATE TABLE public.device (
    device_id text NOT NULL,
    site_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    period_s double precision NOT NULL,
    role text NOT NULL,
    detail jsonb NOT NULL,
    CONSTRAINT device_period_s_check CHECK ((period_s > (0)::double precision))
);
ALTER TABLE public.device OWNER TO fenhe_owner;
CREATE VIEW public.battery_set AS
 SELECT device.device_id,
    device.site_id,
    (((device.detail -> 'battery'::text) ->> 'cell_count'::text))::integer AS cell_count,
    (((device.detail -> 'battery'::text) ->> 'nominal_ah'::text))::double precision AS nominal_ah,
    (((device.detail -> 'battery'::text) ->> 'nominal_v'::text))::double precision AS nominal_v,
    (((device.detail -> 'battery'::text) ->> 'contract_h'::text))::double precision AS contract_h,
    ((device.detail -> 'battery'::text) ->> 'maker'::text) AS maker,
    ((device.detail -> 'battery'::text) ->> 'batch'::text) AS batch,
    ((device.detail -> 'battery'::text) ->> 'commissioned_on'::text) AS commissioned_on
   FROM public.device
  WHERE (device.kind = 'battery'::text);
ALTER TABLE public.battery_set OWNER TO fenhe_owner;
CREATE TABLE public.battery_state_latest (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    kind text NOT NULL,
    since_at timestamp with time zone NOT NULL,
    soc_pct real,
    soc_sigma_pct real,
    soc_bms_pct real,
    discharged_ah real,
    power_w real,
    remaining_p50_h real,
    remaining_p10_h real,
    flags text NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.battery_state_latest OWNER TO fenhe_owner;
CREATE TABLE public.site_outage (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    ended_at timestamp with time zone,
    duration_h real NOT NULL,
    largest_gap_s real NOT NULL,
    energy_kwh double precision
);
ALTER TABLE public.site_outage OWNER TO fenhe_owner;
CREATE VIEW public.battery_site AS
 WITH each AS (
         SELECT s.site_id,
            s.device_id,
            s.contract_h,
            n.ts,
            n.kind,
            n.since_at,
            n.power_w,
            n.remaining_p50_h,
            n.remaining_p10_h,
            (n.ts >= (max(n.ts) OVER (PARTITION BY s.site_id) - '00:05:00'::interval)) AS heard,
            (n.kind = 'discharge'::text) AS discharges,
            (h.device_id IS NOT NULL) AS known,
            (h.nominal_ah * h.soh_pct) AS weight,
            h.backup_p50_h,
            h.backup_p10_h,
            h.load_w
           FROM ((public.battery_set s
             LEFT JOIN public.battery_state_latest n USING (device_id))
             LEFT JOIN public.battery_health_latest h USING (device_id))
        ), summed AS (
         SELECT each.site_id,
            count(*) AS sets,
            count(*) FILTER (WHERE (each.heard AND each.discharges)) AS discharging,
            max(each.ts) AS ts,
            min(each.since_at) FILTER (WHERE (each.heard AND each.discharges)) AS since_at,
            max(each.contract_h) AS contract_h,
            sum(each.power_w) FILTER (WHERE (each.heard AND each.discharges)) AS power_w,
                CASE
                    WHEN (NOT COALESCE(bool_or((each.heard AND each.discharges)), false)) THEN 'no_discharge'::text
                    WHEN bool_or((each.heard IS NOT TRUE)) THEN 'silent_set'::text
                    WHEN bool_or((each.discharges AND ((each.remaining_p50_h IS NULL) OR (each.remaining_p10_h IS NULL) OR (COALESCE(each.power_w, (0)::real) <= (0)::double precision)))) THEN 'unknown_set'::text
                    ELSE NULL::text
                END AS remaining_reason,
            sum((each.remaining_p50_h * each.power_w)) FILTER (WHERE each.discharges) AS left_p50_wh,
            sum((each.remaining_p10_h * each.power_w)) FILTER (WHERE each.discharges) AS left_p10_wh,
            min(each.remaining_p50_h) FILTER (WHERE each.discharges) AS first_p50_h,
            min(each.remaining_p10_h) FILTER (WHERE each.discharges) AS first_p10_h,
                CASE
                    WHEN (NOT bool_and(each.known)) THEN 'silent_set'::text
                    WHEN bool_or((each.backup_p10_h IS NULL)) THEN 'unknown_set'::text
                    ELSE NULL::text
                END AS backup_reason,
            (sum((each.backup_p50_h * each.weight)) / NULLIF(sum(each.weight), (0)::double precision)) AS backup_p50_h,
            (sum((each.backup_p10_h * each.weight)) / NULLIF(sum(each.weight), (0)::double precision)) AS backup_p10_h,
            max(each.load_w) AS load_w
           FROM each
          GROUP BY each.site_id
        ), timed AS (
         SELECT u.site_id,
            u.sets,
            u.discharging,
            u.ts,
            u.since_at,
            u.contract_h,
            u.power_w,
            u.remaining_reason,
            u.left_p50_wh,
            u.left_p10_wh,
            u.first_p50_h,
            u.first_p10_h,
            u.backup_reason,
            u.backup_p50_h,
            u.backup_p10_h,
            u.load_w,
            COALESCE(( SELECT max(o.ts) AS max
                   FROM (public.site_outage o
                     JOIN public.device d USING (device_id))
                  WHERE ((d.site_id = u.site_id) AND (o.ended_at IS NULL) AND (u.discharging > 0) AND (o.ts >= (u.since_at - '1 day'::interval)))), u.since_at) AS out_since_at
           FROM summed u
        )
 SELECT timed.site_id,
    timed.ts,
    timed.sets,
    timed.discharging,
    timed.power_w,
    timed.out_since_at,
    timed.contract_h,
        CASE
            WHEN (timed.remaining_reason IS NULL) THEN (timed.left_p50_wh / timed.power_w)
            ELSE NULL::real
        END AS remaining_p50_h,
        CASE
            WHEN (timed.remaining_reason IS NULL) THEN (timed.left_p10_wh / timed.power_w)
            ELSE NULL::real
        END AS remaining_p10_h,
        CASE
            WHEN (timed.remaining_reason IS NULL) THEN timed.first_p50_h
            ELSE NULL::real
        END AS first_opens_p50_h,
        CASE
            WHEN (timed.remaining_reason IS NULL) THEN timed.first_p10_h
            ELSE NULL::real
        END AS first_opens_p10_h,
    timed.remaining_reason,
        CASE
            WHEN (timed.remaining_reason IS NULL) THEN ((((EXTRACT(epoch FROM (timed.ts - timed.out_since_at)) / (3600)::numeric))::double precision + (timed.left_p10_wh / timed.power_w)) < timed.contract_h)
            ELSE NULL::boolean
        END AS will_miss_contract,
    timed.load_w,
        CASE
            WHEN (timed.backup_reason IS NULL) THEN timed.backup_p50_h
            ELSE NULL::real
        END AS backup_p50_h,
        CASE
            WHEN (timed.backup_reason IS NULL) THEN timed.backup_p10_h
            ELSE NULL::real
        END AS backup_p10_h,
    timed.backup_reason,
        CASE
            WHEN (timed.backup_reason IS NULL) THEN (timed.backup_p10_h < timed.contract_h)
            ELSE NULL::boolean
        END AS misses_contract
   FROM timed;
ALTER TABLE public.battery_site OWNER TO fenhe_owner;
CREATE TABLE public.battery_soh (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    soh_pct double precision,
    soh_low_pct double precision,
    soh_high_pct double precision,
    sigma_pct double precision,
    capacity_ah double precision,
    at_least_pct double precision,
    method text,
    evidence_at timestamp with time zone,
    estimates integer NOT NULL,
    reason text,
    cutoff_cell_v real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.battery_soh OWNER TO fenhe_owner;
CREATE VIEW public.battery_test_proposal AS
 SELECT rank() OVER (ORDER BY (sum(battery_health_latest.test_priority_kwh)) DESC, battery_health_latest.site_id) AS rank,
    battery_health_latest.site_id,
    battery_health_latest.city,
    sum(battery_health_latest.test_priority_kwh) AS uncertain_kwh,
    count(*) AS sets,
    count(*) FILTER (WHERE (battery_health_latest.soh_pct IS NULL)) AS never_measured,
    max(battery_health_latest.soh_age_days) AS oldest_age_days,
    min(battery_health_latest.backup_p10_h) AS backup_p10_h,
    max(battery_health_latest.contract_h) AS contract_h
   FROM public.battery_health_latest
  GROUP BY battery_health_latest.site_id, battery_health_latest.city;
ALTER TABLE public.battery_test_proposal OWNER TO fenhe_owner;
CREATE TABLE public.ledger (
    hour timestamp with time zone NOT NULL,
    device_id text NOT NULL,
    partition integer NOT NULL,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    quarantined bigint NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.ledger OWNER TO fenhe_owner;
CREATE VIEW public.books AS
 SELECT ledger.hour,
    ledger.device_id,
    (sum(ledger.received))::bigint AS received,
    (sum(ledger.stored))::bigint AS stored,
    (sum(ledger.duplicate))::bigint AS duplicate,
    (sum(ledger.quarantined))::bigint AS quarantined,
    (sum(ledger.received) = ((sum(ledger.stored) + sum(ledger.duplicate)) + sum(ledger.quarantined))) AS closed
   FROM public.ledger
  GROUP BY ledger.hour, ledger.device_id;
ALTER TABLE public.books OWNER TO fenhe_owner;
CREATE TABLE public.checkpoint (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.checkpoint OWNER TO fenhe_owner;
CREATE TABLE public.detector_status (
    device_id text NOT NULL,
    metric text NOT NULL,
    kind text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    phase text NOT NULL,
    since_at timestamp with time zone NOT NULL,
    samples integer NOT NULL,
    samples_needed integer NOT NULL,
    baseline double precision,
    detector text NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.detector_status OWNER TO fenhe_owner;
CREATE TABLE public.enpi_baseline (
    site_id text NOT NULL,
    line_id text NOT NULL,
    version integer NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    intercept_kgce double precision NOT NULL,
    slope_kgce double precision NOT NULL,
    points integer NOT NULL,
    r_squared double precision NOT NULL,
    cv_rmse double precision NOT NULL,
    fitted_by text NOT NULL,
    fitted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.enpi_baseline OWNER TO fenhe_owner;
CREATE TABLE public.enpi_coefficient (
    site_id text NOT NULL,
    line_id text NOT NULL,
    version integer NOT NULL,
    variable text NOT NULL,
    kgce double precision NOT NULL,
    t double precision NOT NULL
);
ALTER TABLE public.enpi_coefficient OWNER TO fenhe_owner;
CREATE TABLE public.plant_day (
    site_id text NOT NULL,
    line_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    energy_kwh double precision,
    electricity_kgce double precision,
    gas_kgce double precision,
    heat_kgce double precision,
    fuel_kgce double precision,
    water_kgce double precision,
    exported_kgce double precision,
    energy_kgce double precision,
    water_in_m3 double precision,
    water_out_m3 double precision,
    water_reused_m3 double precision,
    production double precision,
    energy_hours integer NOT NULL,
    ratio_energy_kgce double precision NOT NULL,
    ratio_energy_kwh double precision NOT NULL,
    ratio_production double precision NOT NULL,
    water_hours integer NOT NULL,
    ratio_water_m3 double precision NOT NULL,
    ratio_water_production double precision NOT NULL,
    water_production_squared double precision NOT NULL,
    water_times_production double precision NOT NULL,
    unit_energy_kgce double precision,
    unit_water_m3 double precision,
    reuse_rate_pct double precision,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.plant_day OWNER TO fenhe_owner;
CREATE VIEW public.enpi_day AS
 SELECT b.site_id,
    b.line_id,
    d.ts,
    b.version AS baseline_version,
    d.actual_kgce,
    d.expected_kgce,
    (d.actual_kgce /
        CASE
            WHEN (d.expected_kgce > (0)::double precision) THEN d.expected_kgce
            ELSE NULL::double precision
        END) AS enpi,
    (d.week_actual_kgce /
        CASE
            WHEN ((d.week_expected_kgce > (0)::double precision) AND (d.week_days >= 4)) THEN d.week_expected_kgce
            ELSE NULL::double precision
        END) AS enpi_7d,
    d.cusum_kgce,
    d.coverage,
    d.quality,
    d.reference_version
   FROM (public.enpi_baseline b
     CROSS JOIN LATERAL ( SELECT k.ts,
            k.actual_kgce,
            k.expected_kgce,
            k.coverage,
            k.quality,
            k.reference_version,
            sum(k.actual_kgce) OVER week AS week_actual_kgce,
            sum(k.expected_kgce) OVER week AS week_expected_kgce,
            count(k.actual_kgce) OVER week AS week_days,
                CASE
                    WHEN (k.ts >= b.to_at) THEN sum((k.expected_kgce - k.actual_kgce)) FILTER (WHERE (k.ts >= b.to_at)) OVER (ORDER BY k.ts)
                    ELSE NULL::double precision
                END AS cusum_kgce
           FROM ( SELECT p.ts,
                        CASE
                            WHEN x.is_known THEN p.ratio_energy_kgce
                            ELSE NULL::double precision
                        END AS actual_kgce,
                        CASE
                            WHEN x.is_known THEN ((((b.intercept_kgce + x.kgce) * (p.energy_hours)::double precision) / (24)::double precision) + (b.slope_kgce * p.ratio_production))
                            ELSE NULL::double precision
                        END AS expected_kgce,
                    (((p.energy_hours)::numeric / 24.0))::real AS coverage,
                        CASE
                            WHEN (NOT x.is_known) THEN 'unknown'::text
                            WHEN (p.quality = 'estimated'::text) THEN 'estimated'::text
                            WHEN (p.energy_hours < 24) THEN 'partial'::text
                            ELSE 'good'::text
                        END AS quality,
                    p.reference_version
                   FROM (public.plant_day p
                     CROSS JOIN LATERAL ( SELECT COALESCE(sum((c.kgce * v.value)), (0)::double precision) AS kgce,
                            ((p.energy_hours >= 12) AND (count(*) = count(v.value))) AS is_known
                           FROM (public.enpi_coefficient c
                             CROSS JOIN LATERAL ( SELECT public.enpi_variable(c.site_id, c.variable, p.ts) AS value) v)
                          WHERE ((c.site_id = b.site_id) AND (c.line_id = b.line_id) AND (c.version = b.version))) x)
                  WHERE ((p.site_id = b.site_id) AND (p.line_id = b.line_id) AND (p.ts >= b.from_at))) k
          WINDOW week AS (ORDER BY k.ts RANGE BETWEEN '6 days'::interval PRECEDING AND CURRENT ROW)) d)
  WHERE (b.version = ( SELECT max(n.version) AS max
           FROM public.enpi_baseline n
          WHERE ((n.site_id = b.site_id) AND (n.line_id = b.line_id))));
ALTER TABLE public.enpi_day OWNER TO fenhe_owner;
CREATE TABLE public.enpi_variable_day (
    site_id text NOT NULL,
    name text NOT NULL,
    ts timestamp with time zone NOT NULL,
    value double precision NOT NULL,
    entered_by text NOT NULL,
    entered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT enpi_variable_day_name_check CHECK ((name ~ '^[a-z][a-z0-9_]*$'::text))
);
ALTER TABLE public.enpi_variable_day OWNER TO fenhe_owner;
CREATE TABLE public.entity_snapshot (
    entity_id text NOT NULL,
    kernel text NOT NULL,
    version integer NOT NULL,
    ts timestamp with time zone NOT NULL,
    state json NOT NULL
);
ALTER TABLE public.entity_snapshot OWNER TO fenhe_owner;
CREATE TABLE public.entity_state (
    entity_id text NOT NULL,
    kernel text NOT NULL,
    version integer NOT NULL,
    last_ts timestamp with time zone NOT NULL,
    state json NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.entity_state OWNER TO fenhe_owner;
CREATE TABLE public.fuel_assay (
    device_id text NOT NULL,
    fuel text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    until_at timestamp with time zone NOT NULL,
    released_at timestamp with time zone NOT NULL,
    lhv_mj_kg double precision,
    ash_pct double precision,
    sulphur_pct double precision,
    moisture_pct double precision
);
ALTER TABLE public.fuel_assay OWNER TO fenhe_owner;
CREATE TABLE public.gangue_sum (
    device_id text NOT NULL,
    span text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    generated_mwh double precision,
    auxiliary_mwh double precision,
    heat_export_gj double precision,
    gangue_t double precision,
    slime_t double precision,
    coal_t double precision,
    fuel_heat_gj double precision,
    ash_t double precision,
    fly_ash_t double precision,
    bed_ash_t double precision,
    gypsum_t double precision,
    laboratory_share double precision NOT NULL,
    known double precision NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.gangue_sum OWNER TO fenhe_owner;
CREATE TABLE public.gangue_window (
    device_id text NOT NULL,
    span text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    generated_mwh double precision,
    supplied_mwh double precision,
    fuel_heat_gj double precision,
    gross_heat_rate_kj_kwh double precision,
    net_heat_rate_kj_kwh double precision,
    gross_coal_rate_gce_kwh double precision,
    net_coal_rate_gce_kwh double precision,
    net_coal_rate_check_gce_kwh double precision,
    station_service_pct double precision,
    net_efficiency_pct double precision,
    capacity_factor_pct double precision,
    equivalent_h double precision,
    gangue_rate_kg_kwh double precision,
    gangue_share_pct double precision,
    gangue_t double precision,
    fuel_t double precision,
    ash_t double precision,
    fly_ash_t double precision,
    bed_ash_t double precision,
    gypsum_t double precision,
    laboratory_share double precision NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.gangue_window OWNER TO fenhe_owner;
CREATE TABLE public.ledger_total (
    hour timestamp with time zone NOT NULL,
    partition integer NOT NULL,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    quarantined bigint NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE public.ledger_total OWNER TO fenhe_owner;
CREATE TABLE public.log_loss (
    id bigint NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset bigint NOT NULL,
    detected_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    what text NOT NULL
);
ALTER TABLE public.log_loss OWNER TO fenhe_owner;
ALTER TABLE public.log_loss ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.log_loss_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.maintenance (
    id bigint NOT NULL,
    site_id text NOT NULL,
    device_id text DEFAULT ''::text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    planned_by text NOT NULL,
    reason text NOT NULL,
    planned_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancelled_by text,
    CONSTRAINT maintenance_check CHECK ((ends_at > starts_at))
);
ALTER TABLE public.maintenance OWNER TO fenhe_owner;
ALTER TABLE public.maintenance ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.maintenance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.meter_quarter (
    device_id text NOT NULL,
    quantity text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    increment double precision,
    minute_min double precision,
    minute_max double precision,
    known double precision NOT NULL,
    is_whole boolean NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL
);
ALTER TABLE public.meter_quarter OWNER TO fenhe_owner;
CREATE VIEW public.meter_day AS
 SELECT meter_quarter.device_id,
    meter_quarter.quantity,
    date_trunc('day'::text, meter_quarter.ts, 'Asia/Shanghai'::text) AS ts,
    meter_quarter.site_id,
    sum(meter_quarter.increment) AS increment,
    (count(*))::integer AS quarters,
    (sum(meter_quarter.known) / (96)::double precision) AS known,
    ((sum(meter_quarter.coverage) / (96)::double precision))::real AS coverage,
        CASE
            WHEN bool_or((meter_quarter.quality = 'estimated'::text)) THEN 'estimated'::text
            WHEN ((sum(meter_quarter.coverage) / (96)::double precision) >= (0.99)::double precision) THEN 'good'::text
            WHEN (sum(meter_quarter.coverage) > (0)::double precision) THEN 'partial'::text
            ELSE 'unknown'::text
        END AS quality
   FROM public.meter_quarter
  GROUP BY meter_quarter.device_id, meter_quarter.quantity, (date_trunc('day'::text, meter_quarter.ts, 'Asia/Shanghai'::text)), meter_quarter.site_id;
ALTER TABLE public.meter_day OWNER TO fenhe_owner;
CREATE TABLE public.meter_event (
    device_id text NOT NULL,
    quantity text NOT NULL,
    ts timestamp with time zone NOT NULL,
    kind text NOT NULL,
    site_id text NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    until_at timestamp with time zone,
    readings integer NOT NULL,
    value_before double precision NOT NULL,
    value_seen double precision,
    value_after double precision,
    plausible double precision,
    increment double precision,
    rule text NOT NULL
);
ALTER TABLE public.meter_event OWNER TO fenhe_owner;
CREATE VIEW public.meter_hour AS
 SELECT meter_quarter.device_id,
    meter_quarter.quantity,
    date_trunc('hour'::text, meter_quarter.ts) AS ts,
    meter_quarter.site_id,
    sum(meter_quarter.increment) AS increment,
    (count(*))::integer AS quarters,
    (sum(meter_quarter.known) / (4)::double precision) AS known,
    ((sum(meter_quarter.coverage) / (4)::double precision))::real AS coverage,
        CASE
            WHEN bool_or((meter_quarter.quality = 'estimated'::text)) THEN 'estimated'::text
            WHEN ((sum(meter_quarter.coverage) / (4)::double precision) >= (0.99)::double precision) THEN 'good'::text
            WHEN (sum(meter_quarter.coverage) > (0)::double precision) THEN 'partial'::text
            ELSE 'unknown'::text
        END AS quality
   FROM public.meter_quarter
  GROUP BY meter_quarter.device_id, meter_quarter.quantity, (date_trunc('hour'::text, meter_quarter.ts)), meter_quarter.site_id;
ALTER TABLE public.meter_hour OWNER TO fenhe_owner;
CREATE TABLE public.meter_load (
    device_id text NOT NULL,
    quantity text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    rate_1 double precision,
    rate_2 double precision,
    rate_3 double precision,
    rate_4 double precision,
    is_measured boolean NOT NULL,
    production double precision,
    is_idle boolean NOT NULL
);
ALTER TABLE public.meter_load OWNER TO fenhe_owner;
CREATE TABLE public.meter_minute (
    device_id text NOT NULL,
    quantity text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    increment double precision,
    coverage real NOT NULL,
    quality text NOT NULL
);
ALTER TABLE public.meter_minute OWNER TO fenhe_owner;
CREATE VIEW public.meter_month AS
 SELECT m.device_id,
    m.quantity,
    m.ts,
    m.site_id,
    m.increment,
    m.quarters,
    (m.known / (l.length)::double precision) AS known,
    ((m.coverage / (l.length)::double precision))::real AS coverage,
        CASE
            WHEN m.is_estimated THEN 'estimated'::text
            WHEN ((m.coverage / (l.length)::double precision) >= (0.99)::double precision) THEN 'good'::text
            WHEN (m.coverage > (0)::double precision) THEN 'partial'::text
            ELSE 'unknown'::text
        END AS quality
   FROM (( SELECT meter_quarter.device_id,
            meter_quarter.quantity,
            meter_quarter.site_id,
            date_trunc('month'::text, meter_quarter.ts, 'Asia/Shanghai'::text) AS ts,
            sum(meter_quarter.increment) AS increment,
            (count(*))::integer AS quarters,
            sum(meter_quarter.known) AS known,
            sum(meter_quarter.coverage) AS coverage,
            bool_or((meter_quarter.quality = 'estimated'::text)) AS is_estimated
           FROM public.meter_quarter
          GROUP BY meter_quarter.device_id, meter_quarter.quantity, meter_quarter.site_id, (date_trunc('month'::text, meter_quarter.ts, 'Asia/Shanghai'::text))) m
     CROSS JOIN LATERAL ( SELECT (EXTRACT(epoch FROM ((((m.ts AT TIME ZONE 'Asia/Shanghai'::text) + '1 mon'::interval) AT TIME ZONE 'Asia/Shanghai'::text) - m.ts)) / (900)::numeric) AS length) l);
ALTER TABLE public.meter_month OWNER TO fenhe_owner;
CREATE TABLE public.night_flow (
    site_id text NOT NULL,
    meter_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    night_flow_m3_h double precision,
    method text NOT NULL,
    volume_m3 double precision,
    points integer NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.night_flow OWNER TO fenhe_owner;
CREATE TABLE public.notification (
    id bigint NOT NULL,
    channel text NOT NULL,
    group_key text NOT NULL,
    urgent boolean NOT NULL,
    digest boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    leased_until timestamp with time zone,
    sent_at timestamp with time zone,
    last_error text
);
ALTER TABLE public.notification OWNER TO fenhe_owner;
ALTER TABLE public.notification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.notification_item (
    notification_id bigint NOT NULL,
    outbox_id bigint NOT NULL
);
ALTER TABLE public.notification_item OWNER TO fenhe_owner;
CREATE TABLE public.notification_outbox (
    id bigint NOT NULL,
    transition_id bigint NOT NULL,
    alarm_id text NOT NULL,
    what text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    planned_at timestamp with time zone,
    CONSTRAINT notification_outbox_what_check CHECK ((what = ANY (ARRAY['raised'::text, 'returned'::text, 'amended'::text])))
);
ALTER TABLE public.notification_outbox OWNER TO fenhe_owner;
ALTER TABLE public.notification_outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notification_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.partition_progress (
    topic text NOT NULL,
    partition integer NOT NULL,
    event_at timestamp with time zone NOT NULL,
    record_at timestamp with time zone NOT NULL,
    level_at timestamp with time zone,
    lag_ms bigint
)
WITH (fillfactor='50');
ALTER TABLE public.partition_progress OWNER TO fenhe_owner;
CREATE TABLE public.plant_hour (
    site_id text NOT NULL,
    line_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    energy_kwh double precision,
    electricity_kgce double precision,
    gas_kgce double precision,
    heat_kgce double precision,
    fuel_kgce double precision,
    water_kgce double precision,
    exported_kgce double precision,
    energy_kgce double precision,
    energy_known double precision NOT NULL,
    water_in_m3 double precision,
    water_out_m3 double precision,
    water_reused_m3 double precision,
    water_known double precision NOT NULL,
    production double precision,
    production_known double precision NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.plant_hour OWNER TO fenhe_owner;
CREATE TABLE public.plant_rolling (
    site_id text NOT NULL,
    line_id text NOT NULL,
    window_h integer NOT NULL,
    ts timestamp with time zone NOT NULL,
    energy_kgce double precision,
    production double precision,
    unit_energy_kgce double precision,
    unit_electricity_kwh double precision,
    limit_level_1 double precision,
    limit_level_2 double precision,
    limit_level_3 double precision,
    gap_to_limit_pct double precision,
    gap_to_leader_pct double precision,
    leader_is_level_1 boolean,
    grade integer,
    water_in_m3 double precision,
    unit_water_m3 double precision,
    gap_to_quota_pct double precision,
    gap_to_advanced_quota_pct double precision,
    reuse_rate_pct double precision,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.plant_rolling OWNER TO fenhe_owner;
CREATE TABLE public.plant_window (
    site_id text NOT NULL,
    window_min integer NOT NULL,
    ts timestamp with time zone NOT NULL,
    energy_kwh double precision,
    power_kw double precision,
    energy_kgce double precision,
    water_m3 double precision,
    production double precision,
    unit_energy_kgce double precision,
    unit_water_m3 double precision,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.plant_window OWNER TO fenhe_owner;
CREATE TABLE public.site (
    site_id text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    sector text NOT NULL,
    city text NOT NULL,
    product_unit text NOT NULL,
    virtual_meters jsonb DEFAULT '[]'::jsonb NOT NULL,
    product_lines jsonb DEFAULT '[]'::jsonb NOT NULL,
    detection jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.site OWNER TO fenhe_owner;
CREATE VIEW public.product_line AS
 SELECT s.site_id,
    (l.value ->> 'line_id'::text) AS line_id,
    (l.value ->> 'name'::text) AS name,
    (l.value ->> 'name_zh'::text) AS name_zh,
    (l.value ->> 'product'::text) AS product,
    (l.value ->> 'water_quota'::text) AS water_quota,
    s.product_unit
   FROM (public.site s
     CROSS JOIN LATERAL jsonb_array_elements(s.product_lines) l(value))
UNION ALL
 SELECT s.site_id,
    'plant'::text AS line_id,
    s.name,
    s.name_zh,
    ''::text AS product,
    ''::text AS water_quota,
    s.product_unit
   FROM public.site s
  WHERE ((s.sector <> 'base_station'::text) AND (NOT (s.product_lines @> '[{"line_id": "plant"}]'::jsonb)));
ALTER TABLE public.product_line OWNER TO fenhe_owner;
CREATE TABLE public.quarantine (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    topic text NOT NULL,
    site_id text NOT NULL,
    kind text NOT NULL,
    device_id text NOT NULL,
    payload bytea NOT NULL,
    size bigint NOT NULL,
    replayed_at timestamp with time zone
);
ALTER TABLE public.quarantine OWNER TO fenhe_owner;
ALTER TABLE public.quarantine ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.reading_battery (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    pack_voltage_v double precision,
    current_a double precision,
    soc_pct real,
    soh_bms_pct real,
    cell_01_v real,
    cell_02_v real,
    cell_03_v real,
    cell_04_v real,
    cell_05_v real,
    cell_06_v real,
    cell_07_v real,
    cell_08_v real,
    cell_09_v real,
    cell_10_v real,
    cell_11_v real,
    cell_12_v real,
    cell_13_v real,
    cell_14_v real,
    cell_15_v real,
    cell_16_v real,
    temperature_1_c real,
    temperature_2_c real,
    temperature_3_c real,
    temperature_4_c real,
    ambient_c real,
    remaining_ah real,
    full_ah real,
    cycles integer,
    alarm_words json,
    mode text
);
ALTER TABLE public.reading_battery OWNER TO fenhe_owner;
CREATE TABLE public.reading_electricity (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    energy_import_kwh double precision,
    energy_export_kwh double precision,
    reactive_kvarh double precision,
    power_kw double precision,
    voltage_1_v real,
    voltage_2_v real,
    voltage_3_v real,
    current_1_a real,
    current_2_a real,
    current_3_a real,
    power_factor real,
    frequency_hz real
);
ALTER TABLE public.reading_electricity OWNER TO fenhe_owner;
CREATE TABLE public.reading_flow (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    volume_m3 double precision,
    mass_t double precision,
    flow_m3_h double precision,
    flow_t_h double precision,
    pressure_mpa real,
    temperature_c real,
    status integer
);
ALTER TABLE public.reading_flow OWNER TO fenhe_owner;
CREATE TABLE public.reading_gangue_unit (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    power_mw double precision,
    generated_mwh double precision,
    auxiliary_mwh double precision,
    gangue_t double precision,
    slime_t double precision,
    coal_t double precision,
    limestone_t double precision,
    fly_ash_t double precision,
    bed_ash_t double precision,
    gypsum_t double precision,
    heat_export_gj double precision,
    bed_temperature_c real,
    steam_flow_t_h real,
    steam_pressure_mpa real,
    steam_temperature_c real
);
ALTER TABLE public.reading_gangue_unit OWNER TO fenhe_owner;
CREATE TABLE public.reading_lab (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    sample_from timestamp with time zone NOT NULL,
    sample_to timestamp with time zone NOT NULL,
    fuel text NOT NULL,
    lhv_mj_kg double precision,
    ash_pct double precision,
    sulphur_pct double precision,
    moisture_pct double precision
);
ALTER TABLE public.reading_lab OWNER TO fenhe_owner;
CREATE TABLE public.reading_production (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    mass_t double precision,
    state text,
    grade text
);
ALTER TABLE public.reading_production OWNER TO fenhe_owner;
CREATE TABLE public.reading_site_power (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    seq bigint,
    quality text,
    mains_voltage_1_v real,
    mains_voltage_2_v real,
    mains_voltage_3_v real,
    mains_failed boolean,
    dc_voltage_v real,
    dc_load_current_a real,
    smoke boolean,
    water boolean,
    door boolean
);
ALTER TABLE public.reading_site_power OWNER TO fenhe_owner;
CREATE TABLE public.recompute_request (
    id bigint NOT NULL,
    site_id text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    next_at timestamp with time zone,
    next_group integer DEFAULT 0 NOT NULL,
    rows_written bigint DEFAULT 0 NOT NULL,
    finished_at timestamp with time zone,
    error text DEFAULT ''::text NOT NULL
);
ALTER TABLE public.recompute_request OWNER TO fenhe_owner;
ALTER TABLE public.recompute_request ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.recompute_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.reference_correction (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    parameter text NOT NULL,
    from_pct double precision NOT NULL,
    level_1 double precision NOT NULL,
    level_2 double precision NOT NULL,
    level_3 double precision NOT NULL,
    points_below double precision,
    points_above double precision
);
ALTER TABLE public.reference_correction OWNER TO fenhe_owner;
CREATE TABLE public.reference_version (
    version text NOT NULL,
    digest text NOT NULL,
    loaded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.reference_version OWNER TO fenhe_owner;
CREATE VIEW public.reference_current AS
 SELECT reference_version.version
   FROM public.reference_version
  ORDER BY reference_version.loaded_at DESC
 LIMIT 1;
ALTER TABLE public.reference_current OWNER TO fenhe_owner;
CREATE TABLE public.reference_energy_factor (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    kgce double precision NOT NULL,
    per text NOT NULL
);
ALTER TABLE public.reference_energy_factor OWNER TO fenhe_owner;
CREATE TABLE public.reference_energy_limit (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    sector text NOT NULL,
    unit text NOT NULL,
    level_1 double precision,
    level_2 double precision,
    level_3 double precision,
    leader double precision,
    correction text NOT NULL
);
ALTER TABLE public.reference_energy_limit OWNER TO fenhe_owner;
CREATE TABLE public.reference_setting (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL
);
ALTER TABLE public.reference_setting OWNER TO fenhe_owner;
CREATE TABLE public.reference_target (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    material text NOT NULL,
    base text NOT NULL,
    target_t double precision
);
ALTER TABLE public.reference_target OWNER TO fenhe_owner;
CREATE TABLE public.reference_water_quota (
    version text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    name_zh text NOT NULL,
    standard text NOT NULL,
    year integer NOT NULL,
    verified boolean NOT NULL,
    note text NOT NULL,
    sector text NOT NULL,
    general_m3_t double precision NOT NULL,
    advanced_m3_t double precision NOT NULL
);
ALTER TABLE public.reference_water_quota OWNER TO fenhe_owner;
CREATE TABLE public.registry_version (
    one boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT registry_version_one_check CHECK (one)
);
ALTER TABLE public.registry_version OWNER TO fenhe_owner;
CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    engine text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.schema_migration OWNER TO fenhe_owner;
CREATE TABLE public.signal (
    device_id text NOT NULL,
    metric text NOT NULL,
    kind text NOT NULL,
    ts timestamp with time zone NOT NULL,
    seen_ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    active boolean NOT NULL,
    samples integer NOT NULL,
    severity text NOT NULL,
    since_at timestamp with time zone NOT NULL,
    value double precision,
    baseline double precision,
    low double precision,
    high double precision,
    z double precision,
    unit text NOT NULL,
    window_s double precision NOT NULL,
    cost double precision,
    cost_unit text NOT NULL,
    detector text NOT NULL,
    evidence json NOT NULL
);
ALTER TABLE public.signal OWNER TO fenhe_owner;
CREATE TABLE public.site_load_hour (
    device_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    site_id text NOT NULL,
    load_w double precision,
    load_max_w real,
    failed_min real NOT NULL,
    coverage real NOT NULL,
    quality text NOT NULL
);
ALTER TABLE public.site_load_hour OWNER TO fenhe_owner;
CREATE TABLE public.site_silence (
    site_id text NOT NULL,
    region text NOT NULL,
    since timestamp with time zone NOT NULL
);
ALTER TABLE public.site_silence OWNER TO fenhe_owner;
CREATE VIEW public.virtual_meter AS
 SELECT (meter.value ->> 'meter_id'::text) AS meter_id,
    site.site_id,
    (meter.value ->> 'kind'::text) AS kind,
    (meter.value ->> 'quantity'::text) AS quantity,
    (meter.value ->> 'role'::text) AS role,
    (meter.value ->> 'name'::text) AS name,
    (meter.value ->> 'name_zh'::text) AS name_zh,
    (meter.value -> 'parts'::text) AS parts
   FROM public.site,
    LATERAL jsonb_array_elements(site.virtual_meters) meter(value);
ALTER TABLE public.virtual_meter OWNER TO fenhe_owner;
CREATE TABLE public.water_day (
    site_id text NOT NULL,
    ts timestamp with time zone NOT NULL,
    intake_m3 double precision,
    sub_meters_m3 double precision,
    storage_m3 double precision,
    outflow_m3 double precision,
    residual_m3 double precision,
    tolerance_m3 double precision,
    exceeds boolean,
    leak_suspected boolean,
    coverage real NOT NULL,
    quality text NOT NULL,
    reference_version text NOT NULL
);
ALTER TABLE public.water_day OWNER TO fenhe_owner;
INSERT INTO public.alarm VALUES
	('2c490440a5ceae364c264a0efcb1a282', 'bs-1', 's-1', 'smoke', 'smoke', '朔州', 'active_unacknowledged', true, 'critical', true, '2026-05-28 20:37:09.894+00', '2026-05-28 20:37:09.894+00', '2026-11-30 05:34:44.901075+00', NULL, NULL, '2026-11-30 05:34:44.904559+00', NULL, NULL, NULL, NULL, '2c490440a5ceae364c264a0efcb1a282', 1, false, false, 1, NULL, NULL, 0, NULL, '', 0, NULL, '', 'smoke 1', '{"samples": 2, "as_of_ms": 1780000689638}', '2026-05-28 20:37:09.894+00', NULL);
INSERT INTO public.alarm_rule VALUES
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
INSERT INTO public.alarm_safety_kind VALUES
	('over_temperature'),
	('self_heating'),
	('cell_sag'),
	('float_current'),
	('smoke'),
	('water');
INSERT INTO public.alarm_transition OVERRIDING SYSTEM VALUE VALUES
	(1, '2c490440a5ceae364c264a0efcb1a282', 'raise', 'normal', 'active_unacknowledged', true, 'fenhe', 'the condition holds', '2026-05-28 20:37:09.894+00', '2026-11-30 05:34:44.905356+00', '{}');
INSERT INTO public.balance_day VALUES
	('plant-1', 'electricity', '2026-05-28 16:00:00+00', 'kwh', 115.34275930194275, 42.52691429906075, NULL, NULL, NULL, '{"e-1":[1.0,115.34275930194275],"e-2":[-1.0,42.52691429906075]}', 0.0019991205, 'partial', '2026.1');
INSERT INTO public.battery_capacity VALUES
	('b-1', '2026-05-28 20:32:02.726+00', '2026-05-28 20:36:03.025+00', 'bs-1', NULL, NULL, NULL, 2.7755078676815463, NULL, 'too_shallow', 2.7755078676815463, NULL, NULL, 25.20763, 1, 2.8, '2026-05-28 20:36:03.025+00', 0.027755078, 1, 'unknown', '', 'battery-health-2026.6');
INSERT INTO public.battery_discharge VALUES
	('b-1', '2026-05-28 20:32:02.726+00', 'bs-1', 'outage', '2026-05-28 20:32:09.226+00', '2026-05-28 20:36:03.025+00', 0.06674972, -2.7755078676815463, NULL, NULL, NULL, NULL, NULL, 1, 'good');
INSERT INTO public.battery_episode VALUES
	('b-1', '2026-05-28 20:27:02.809+00', '2026-05-28 20:32:02.726+00', 'bs-1', 'charge', '2026-05-28 20:32:02.726+00', 0.083310276, 1.8895239791738137, 0.0967388625638573, 53.26, 49.86, 25.575, 28.275, 26.652243, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 'good', '', 26.625),
	('b-1', '2026-05-28 20:32:02.726+00', '2026-05-28 20:36:03.025+00', 'bs-1', 'discharge', '2026-05-28 20:36:03.025+00', 0.06674972, -2.7755078676815463, -0.13764119839247574, 49.86, 48.84, 23.65, 27.075, 25.20763, NULL, NULL, NULL, NULL, NULL, 45, 45, NULL, 0, 1, 'good', '', 27.075),
	('b-1', '2026-05-28 20:36:03.025+00', '2026-05-28 20:36:03.025+00', 'bs-1', 'charge', NULL, 0, 0, 0, 49.73, 49.73, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 'good', '', NULL);
INSERT INTO public.battery_latest VALUES
	('b-1', '2026-05-28 20:38:02.605+00', 'bs-1', '2026-05-28 20:27:00+00', 52.97, 11.21, 88.8, NULL, 3.306, 3.314, 7.999897, 7, 29.2, 10.900002, 0.060096785);
INSERT INTO public.battery_quarter VALUES
	('b-1', '2026-05-28 20:15:00+00', 'bs-1', 0.07077543515452625, 0, 1.3702715619991057, 0, 10.000229, 29.5, 11.200001, NULL, 0.1968789, 'partial');
INSERT INTO public.battery_resistance VALUES
	('b-1', '2026-05-28 20:36:03.025+00', '2026-05-28 20:36:03.025+00', 'bs-1', 14.642974662717892, 14.115332203799387, 88.22082627374617, 60.78, 59.723, 'load_change', 23.65);
INSERT INTO public.battery_soh VALUES
	('b-1', '2026-05-28 20:32:02.726+00', 'bs-1', NULL, NULL, NULL, NULL, NULL, 2.7755078676815463, NULL, NULL, 0, 'too_shallow', 2.8, 'unknown', 'battery-health-2026.6');
INSERT INTO public.battery_state_latest VALUES
	('b-1', '2026-05-28 20:38:00+00', 'bs-1', 'charge', '2026-05-28 20:36:03.025+00', NULL, NULL, 88.8, NULL, -721.9678, NULL, NULL, '');
INSERT INTO public.checkpoint VALUES
	('test', 0, 3, 0, '2026-11-30 05:34:44.631954+00');
INSERT INTO public.device VALUES
	('e-1', 'plant-1', 'electricity', '', '', 30, 'consumed', '{"kind": "electricity", "name": "", "role": "consumed", "rated": 5000.0, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-1", "accuracy": null, "period_s": 30.0, "rollover": {}, "detection": {}, "device_id": "e-1", "lhv_mj_kg": {}, "absent_values": {}}'),
	('e-2', 'plant-1', 'electricity', '', '', 120, 'internal', '{"kind": "electricity", "name": "", "role": "internal", "rated": 5000.0, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-1", "accuracy": null, "period_s": 120.0, "rollover": {}, "detection": {}, "device_id": "e-2", "lhv_mj_kg": {}, "absent_values": {}}'),
	('w-1', 'plant-1', 'water', '', '', 120, 'consumed', '{"kind": "water", "name": "", "role": "consumed", "rated": 500.0, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-1", "accuracy": null, "period_s": 120.0, "rollover": {}, "detection": {}, "device_id": "w-1", "lhv_mj_kg": {}, "absent_values": {}}'),
	('p-1', 'plant-1', 'production', '', '', 60, 'product', '{"kind": "production", "name": "", "role": "product", "rated": null, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-1", "accuracy": null, "period_s": 60.0, "rollover": {}, "detection": {}, "device_id": "p-1", "lhv_mj_kg": {}, "absent_values": {}}'),
	('w-2', 'plant-1', 'water', '', '', 120, 'reused', '{"kind": "water", "name": "", "role": "reused", "rated": 500.0, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-1", "accuracy": null, "period_s": 120.0, "rollover": {}, "detection": {}, "device_id": "w-2", "lhv_mj_kg": {}, "absent_values": {}}'),
	('u-1', 'plant-2', 'gangue_unit', '', '', 60, 'consumed', '{"kind": "gangue_unit", "name": "", "role": "consumed", "rated": 300.0, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-2", "accuracy": null, "period_s": 60.0, "rollover": {}, "detection": {}, "device_id": "u-1", "lhv_mj_kg": {"coal_t": 21.0, "gangue_t": 12.6}, "absent_values": {}}'),
	('l-1', 'plant-2', 'lab', '', '', 3600, 'internal', '{"kind": "lab", "name": "", "role": "internal", "rated": null, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "plant-2", "accuracy": null, "period_s": 3600.0, "rollover": {}, "detection": {}, "device_id": "l-1", "lhv_mj_kg": {}, "absent_values": {}}'),
	('b-1', 'bs-1', 'battery', '', '', 60, 'internal', '{"kind": "battery", "name": "", "role": "internal", "rated": null, "ranges": {}, "battery": {"batch": "", "maker": "", "cutoff_v": null, "chemistry": null, "nominal_v": 51.2, "cell_count": 16, "contract_h": 3.0, "nominal_ah": 100.0, "float_cell_v": null, "cutoff_cell_v": null, "commissioned_on": ""}, "carrier": "", "name_zh": "", "site_id": "bs-1", "accuracy": null, "period_s": 60.0, "rollover": {}, "detection": {}, "device_id": "b-1", "lhv_mj_kg": {}, "absent_values": {}}'),
	('s-1', 'bs-1', 'site_power', '', '', 60, 'internal', '{"kind": "site_power", "name": "", "role": "internal", "rated": null, "ranges": {}, "battery": null, "carrier": "", "name_zh": "", "site_id": "bs-1", "accuracy": null, "period_s": 60.0, "rollover": {}, "detection": {}, "device_id": "s-1", "lhv_mj_kg": {}, "absent_values": {}}');
INSERT INTO public.entity_snapshot VALUES
	('plant-1', 'plant_limits', 1, '2026-05-29 12:00:00+00', '[]'),
	('plant-2', 'plant_limits', 1, '2026-05-29 12:00:00+00', '[]'),
	('u-1', 'unit_drift', 1, '2026-05-28 18:00:00+00', '[]');
INSERT INTO public.entity_state VALUES
	('b-1', 'pack_monitor', 1, '2026-05-28 20:38:02.605+00', '[1780000682605,52.97,11.21,1780000200000,0.05039960961833346,0.13764836568981192,1.001494389015774,2.7755078676815463,482605.0,9.999990463256836,29.799999237060547,11.5,0.10002767432322943,[[1780000322726,29.799999237060547],[1780000383087,28.899999618530273],[1780000443351,29.5],[1780000503302,26.899999618530273],[1780000563025,23.5],[1780000682605,29.200000762939453]]]'),
	('b-1', 'set_health', 4, '2026-05-28 20:38:02.605+00', '[1780000682605,11.21,11.21,52.97,3.305999994277954,"charge",1780000563025,["charge",1780000563025,49.73,null,0.0,0.4482589166666667,0.02301809537083333,119580,0,0.0,0.0,0,0.0,52.97,21.699999809265137,21.699999809265137,27.000000476837158,27.000000476837158,4524649.145628929,179303,null,null,0,0.0,0.0,0,0.0,0.0,0.0,0.0,null,null,null,0.0,0.0,0],[1779998400000,659796,0,0,240299,0,0.0,0.0,16983086.77110529,659797,8.700000762939453,[[],[],[13.026000022888184,13.022000074386597,13.011000156402588,13.010999917984009,13.009000301361084,13.010999917984009,13.022000074386597,13.023000001907349,13.01199984550476,13.026000022888184,13.01200008392334,13.020999908447266,13.027000188827515,13.02999997138977,13.02400016784668,3.250999927520752]],[[],[],[4,4,4,4,4,4,4,4,4,4,4,4,4,4,4,1]],1],null,0.0,false,null,0,3.310625,3.310625,0.0,false,0.0,0.0,-721.9677485302799,null,0.0,0.0,0,88.80000305175781,null,null,0,false,0]'),
	('b-1', 'set_safety', 1, '2026-05-28 20:38:02.605+00', '[1780000682605,0,[[1780000383087,28.899999618530273],[1780000443351,29.5],[1780000503302,26.899999618530273],[1780000563025,23.5],[1780000682605,29.200000762939453]],"",0.0,0,0,0,0.0,0.0,0,0.0,0,20602,"",0.0,0,[],"",[[],[],[],[],[],[],[]],[2966667,[[23.799999237060547,1780000262542,26.449999809265137,26.449999809265137],[29.700000762939453,1780000262542,26.449999809265137,26.449999809265137],[29.100000381469727,1780000262542,26.449999809265137,26.449999809265137],[22.899999618530273,1780000262542,26.449999809265137,26.449999809265137]],[[3.328000068664551,1780000262542,3.322000026702881,3.322000026702881],[3.328000068664551,1780000262542,3.322000026702881,3.322000026702881],[3.319999933242798,1780000262542,3.322000026702881,3.322000026702881],[3.3269999027252197,1780000262542,3.322000026702881,3.322000026702881],[3.321000099182129,1780000262542,3.322000026702881,3.322000026702881],[3.321000099182129,1780000262542,3.322000026702881,3.322000026702881],[3.3289999961853027,1780000262542,3.322000026702881,3.322000026702881],[3.319999933242798,1780000262542,3.322000026702881,3.322000026702881],[3.322000026702881,1780000262542,3.322000026702881,3.322000026702881],[3.3299999237060547,1780000262542,3.322000026702881,3.322000026702881],[3.3239998817443848,1780000262542,3.322000026702881,3.322000026702881],[3.321000099182129,1780000262542,3.322000026702881,3.322000026702881],[3.322000026702881,1780000262542,3.322000026702881,3.322000026702881],[3.322000026702881,1780000262542,3.322000026702881,3.322000026702881],[3.3269999027252197,1780000262542,3.322000026702881,3.322000026702881],[3.3320000171661377,1780000022809,3.3274999856948853,3.3274999856948853]]]]'),
	('e-1', 'frozen_meters', 1, '2026-05-28 20:32:34.727+00', '[]'),
	('e-1', 'phase_loss', 1, '2026-05-28 20:38:34.971+00', '[]'),
	('e-1', 'register_metering', 2, '2026-05-28 20:38:34.971+00', '[{"energy_import_kwh":[[1780000684828,1780000684828,1,1375.68,1780000684828,0.0,false],[1780000680000,4.21107998672419,4828.0,0.0],[[1780000714971,1780000714971,1,1382.45,1780000714971,0.0,false]],[1780000680000,10.981079986724172,34971.0,0.0],0.0008900650753123725,[1780000025223,1780000714971,21,1780000025223,0.0009561570220853288,0.0,0.000587909640522012,0.0,0,0,0.000527054568267915,6.769999999999982,2]],"reactive_kvarh":[[1780000625181,1780000625181,1,443.54,1780000625181,null,false],[1780000620000,0.7497632845496542,5181.0,0.0],[[1780000714971,1780000714971,1,460.82,1780000714971,null,false]],[1780000680000,6.73013564984964,34971.0,0.0],null,[1780000025223,1780000714971,16,1780000025223,0.00031882823251851427,0.0,0.00019600672235683004,0.0,0,0,0.0001754775763668296,4.029999999999973,2]]},{"energy_export_kwh":[1780000714971,0.0,[1780000680000,0.0,34971.0,0.0]]}]'),
	('e-2', 'phase_loss', 1, '2026-05-28 20:37:09.88+00', '[]'),
	('e-2', 'register_metering', 2, '2026-05-28 20:37:09.88+00', '[{"energy_import_kwh":[[1780000509389,1780000509389,1,542.97,1780000509389,null,false],[1780000500000,0.1331095562542255,9389.0,0.0],[[1780000629880,1780000629880,1,570.8,1780000629880,null,false]],[1780000620000,2.281999485438739,9880.0,0.0],null,[1780000029329,1780000629880,5,1780000029329,0.00028380064897245993,0.0,0.00018749521779355284,0.0,0,0,0.0001659093513666865,1.7000000000000455,2]]},{}]'),
	('l-1', 'fuel_assays', 1, '2026-05-28 21:00:00+00', 'null'),
	('p-1', 'register_metering', 2, '2026-05-28 20:38:14.32+00', '[{"mass_t":[[1780000634437,1780000634437,1,27.385,1780000634437,null,false],[1780000620000,0.2643873864833681,14437.0,0.0],[[1780000694320,1780000694320,1,28.527,1780000694320,null,false]],[1780000680000,0.2730898585575203,14320.0,0.0],null,[1780000034056,1780000694320,11,1780000034056,0.00004374024404572078,0.0,0.00003062339231036607,0.0,0,0,0.000027236091353032528,1.0619999999999994,3]]},{}]'),
	('plant-1', 'energy_balance', 1, '2026-05-28 16:00:00+00', '[["residual_kwh/electricity","balance","kWh",1780070400000,[null,null,115.34275930194275],[],[],{"e-1":[1.0,115.34275930194275],"e-2":[-1.0,42.52691429906075]}]]'),
	('plant-1', 'plant_efficiency', 1, '2026-05-28 20:00:00+00', '{"plant":[["plant-1","plant",1779998400000,115.34275930194275,14.175625118208764,null,null,null,1.3667745252598382,0.0,15.542399643468602,0.04740944405396779,5.316120284946862,null,47.83755961695669,0.04740944405396779,4.903612140532644,0.04609555602073669,0.04736541956663132,"partial","2026.1"],[[0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0],null,0.0,0,false,0,0.0],[]]}'),
	('plant-1', 'plant_limits', 1, '2026-05-29 16:00:00+00', '[]'),
	('plant-1', 'water_balance', 1, '2026-05-28 16:00:00+00', '[["residual_m3","balance","m3",1780070400000,[null,null,null,5.316120284946862],[],[]]]'),
	('plant-2', 'plant_efficiency', 1, '2026-05-28 20:00:00+00', '{"plant":[["plant-2","plant",1779998400000,null,null,null,null,3156.196134123973,null,0.0,3156.196134123973,0.04527194400628408,null,null,null,0.0,7.692577767444689,0.04527194400628408,0.045271944254636765,"partial","2026.1"],[[0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0],null,0.0,0,false,0,0.0],[]]}'),
	('plant-2', 'plant_limits', 1, '2026-05-29 16:00:00+00', '[["unit_energy_kgce","limit","kgce/MWh",1780070400000,[null,321.0,7.692577767444689,0.00006287769792834297],[],[]]]'),
	('s-1', 'site_outages', 1, '2026-05-28 20:38:09.638+00', '[1780000689638,false,2407.5,null,0,0.16067855625,1589903370.0,660396,2407.5,240267,660396]'),
	('s-1', 'site_power_view', 1, '2026-05-28 20:38:09.638+00', 'null'),
	('s-1', 'site_safety', 1, '2026-05-28 20:38:09.638+00', '[[1,2,1780000629894,1780000689638,3,0,0],[]]'),
	('u-1', 'register_metering', 2, '2026-05-28 20:38:17.595+00', '[{"generated_mwh":[[1780000637484,1780000637484,1,5033.52,1780000637484,null,false],[1780000620000,0.9017610278939863,17484.0,0.0],[[1780000697595,1780000697595,1,5036.663,1780000697595,null,false]],[1780000680000,0.9199827818533133,17595.0,0.0],null,[1780000037021,1780000697595,11,1780000037021,0.00005280820088153576,0.0,0.00004647625705858902,0.0,0,0,0.00004647625705858902,2.808999999999287,3]],"auxiliary_mwh":[[1780000637484,1780000637484,1,402.797,1780000637484,null,false],[1780000620000,0.0857582533731969,17484.0,0.0],[[1780000697595,1780000697595,1,403.074,1780000697595,null,false]],[1780000680000,0.08108025153465703,17595.0,0.0],null,[1780000037021,1780000697595,11,1780000037021,4.937902139757072e-6,0.0,3.854210860885532e-6,0.0,0,0,3.854210860885532e-6,0.20099999999996498,3]],"gangue_t":[[1780000637484,1780000637484,1,3026.529,1780000637484,null,false],[1780000620000,0.7351532427209606,17484.0,0.0],[[1780000697595,1780000697595,1,3029.099,1780000697595,null,false]],[1780000680000,0.7522608174876959,17595.0,0.0],null,[1780000037021,1780000697595,11,1780000037021,0.000044825411577270676,0.0,0.00003740504695786752,0.0,0,0,0.00003740504695786752,2.119999999999891,3]],"coal_t":[[1780000637484,1780000637484,1,101.683,1780000637484,null,false],[1780000620000,0.043023500850522964,17484.0,0.0],[[1780000697595,1780000697595,1,101.821,1780000697595,null,false]],[1780000680000,0.04039377152268041,17595.0,0.0],null,[1780000037021,1780000697595,11,1780000037021,3.048475762119056e-6,0.0,2.2795817961950134e-6,0.0,0,0,2.2795817961950134e-6,0.11299999999999955,3]]},{}]'),
	('u-1', 'unit_drift', 1, '2026-05-28 21:00:00+00', '[["net_heat_rate_kj_kwh","heat_rate","kJ/kWh",1780002000000,[null,null],[],[]]]'),
	('w-1', 'register_metering', 2, '2026-05-28 20:37:09.877+00', '[{"volume_m3":[[1780000509386,1780000509386,1,67.871,1780000509386,0.0,false],[1780000500000,0.01659424072853946,9386.0,0.0],[[1780000629877,1780000629877,1,71.35,1780000629877,0.0,false]],[1780000620000,0.2851838145587635,9877.0,0.0],0.00003347222222222222,[1780000029326,1780000629877,5,1780000029326,0.000035477161161494326,0.0,0.000023436900932772044,0.0,0,0,0.000020738320669394006,0.21199999999998909,3]]},{}]'),
	('w-2', 'register_metering', 2, '2026-05-28 20:37:09.884+00', '[{"volume_m3":[[1780000509393,1780000509393,1,610.842,1780000509393,null,false],[1780000500000,0.1500078808449572,9393.0,0.0],[[1780000629884,1780000629884,1,642.153,1780000629884,null,false]],[1780000620000,2.568473363155757,9884.0,0.0],null,[1780000029333,1780000629884,5,1780000029333,0.0003192861302937016,0.0,0.00021091753481346177,0.0,0,0,0.0001866448913087756,1.9149999999999636,3]]},{}]');
INSERT INTO public.fuel_assay VALUES
	('l-1', 'coal', '2026-05-28 19:27:00+00', 'plant-2', '2026-05-28 20:36:00+00', '2026-05-28 20:36:00+00', 22.5, 50, 1.2, NULL),
	('l-1', 'gangue', '2026-05-28 19:27:00+00', 'plant-2', '2026-05-28 20:31:00+00', '2026-05-28 20:31:00+00', 12.1, 50, 1.2, NULL),
	('l-1', 'gangue', '2026-05-28 19:27:00+00', 'plant-2', '2026-05-28 20:49:00+00', '2026-05-28 20:49:00+00', 12.4, 50, 1.2, NULL),
	('l-1', 'gangue', '2026-05-28 20:50:00+00', 'plant-2', '2026-05-28 21:00:00+00', '2026-05-28 21:00:00+00', 13, 50, 1.2, NULL);
INSERT INTO public.gangue_sum VALUES
	('u-1', 'hour', '2026-05-28 20:00:00+00', 'plant-2', 8.409003520541788, 0.7164257530970981, NULL, 6.726847354611533, NULL, 0.40389451658972175, 92.50053382045175, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 0.04527194400628408, 0.045271944, 'partial', '2026.1'),
	('u-1', 'day', '2026-05-28 16:00:00+00', 'plant-2', 8.409003520541788, 0.7164257530970981, NULL, 6.726847354611533, NULL, 0.40389451658972175, 92.50053382045175, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 0.0018863310002618365, 0.001886331, 'partial', '2026.1');
INSERT INTO public.gangue_window VALUES
	('u-1', 'quarter', '2026-05-28 20:30:00+00', 'plant-2', '2026-05-28 20:15:00+00', 8.409003520541788, 7.692577767444689, 92.50053382045175, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 94.3358696207905, 6.726847354611533, 7.130741871201255, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 0.18108778, 'partial', '2026.1'),
	('u-1', 'day', '2026-05-28 21:00:00+00', 'plant-2', '2026-05-27 21:00:00+00', 8.409003520541788, 7.692577767444689, 92.50053382045175, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 94.3358696207905, 6.726847354611533, 7.130741871201255, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 0.001886331, 'partial', '2026.1'),
	('u-1', 'hour', '2026-05-28 21:00:00+00', 'plant-2', '2026-05-28 20:00:00+00', 8.409003520541788, 7.692577767444689, 92.50053382045175, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 94.3358696207905, 6.726847354611533, 7.130741871201255, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 0.045271944, 'partial', '2026.1'),
	('u-1', 'month', '2026-04-30 16:00:00+00', 'plant-2', '2026-04-30 16:00:00+00', 8.409003520541788, 7.692577767444689, 92.50053382045175, 11000.177796868373, 12024.647214087048, 375.3353327078428, 410.29109221113464, 410.29109221113464, 8.51974614289303, 29.929969802222143, 61.914751730671256, 5423.7322516068025, 0.7999577284251305, 94.3358696207905, 6.726847354611533, 7.130741871201255, 3.5653709356006273, 1.7826854678003137, 1.7826854678003137, 0.459932850692481, 1, 6.50459e-05, 'partial', '2026.1');
INSERT INTO public.ledger VALUES
	('2026-05-28 20:00:00+00', 'b-1', 0, 10, 10, 0, 0),
	('2026-05-28 20:00:00+00', 'e-1', 0, 22, 22, 0, 0),
	('2026-05-28 20:00:00+00', 'e-2', 0, 6, 6, 0, 0),
	('2026-05-28 20:00:00+00', 'l-1', 0, 4, 4, 0, 0),
	('2026-05-28 20:00:00+00', 'p-1', 0, 12, 12, 0, 0),
	('2026-05-28 20:00:00+00', 's-1', 0, 11, 11, 0, 0),
	('2026-05-28 20:00:00+00', 'u-1', 0, 12, 12, 0, 0),
	('2026-05-28 20:00:00+00', 'w-1', 0, 6, 6, 0, 0),
	('2026-05-28 20:00:00+00', 'w-2', 0, 6, 6, 0, 0);
INSERT INTO public.ledger_total VALUES
	('2026-05-28 20:00:00+00', 0, 89, 89, 0, 0);
INSERT INTO public.meter_event VALUES
	('e-1', 'energy_import_kwh', '2026-05-28 20:32:34.727+00', 'gap', 'plant-1', '2026-05-28 20:34:04.792+00', '2026-05-28 20:34:04.792+00', 0, 1207.47, 1221.3, 1221.3, NULL, 13.829999999999927, 'no reading for more than three periods'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:32:34.727+00', 'gap', 'plant-1', '2026-05-28 20:34:04.792+00', '2026-05-28 20:34:04.792+00', 0, 402.49, 407.1, 407.1, NULL, 4.610000000000014, 'no reading for more than three periods');
INSERT INTO public.meter_latest VALUES
	('w-1', '2026-05-28 20:37:09.877+00', 'plant-1', 'water', '2026-05-28 20:27:00+00', 71.35, 120.5),
	('w-2', '2026-05-28 20:37:09.884+00', 'plant-1', 'water', '2026-05-28 20:27:00+00', 642.153, NULL),
	('p-1', '2026-05-28 20:38:14.32+00', 'plant-1', 'production', '2026-05-28 20:27:00+00', 28.527, NULL),
	('u-1', '2026-05-28 20:38:17.595+00', 'plant-2', 'gangue_unit', '2026-05-28 20:27:00+00', 5036.663, NULL),
	('e-1', '2026-05-28 20:38:34.971+00', 'plant-1', 'electricity', '2026-05-28 20:27:00+00', 1382.45, 3204.234271124541),
	('e-2', '2026-05-28 20:37:09.88+00', 'plant-1', 'electricity', '2026-05-28 20:27:00+00', 570.8, NULL);
INSERT INTO public.meter_minute VALUES
	('w-1', 'volume_m3', '2026-05-28 20:27:00+00', 'plant-1', 1.7272973342105467, 0.84456664, 'partial'),
	('w-1', 'volume_m3', '2026-05-28 20:28:00+00', 'plant-1', 2.0451876712442836, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:29:00+00', 'plant-1', 1.5436352794920323, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:30:00+00', 'plant-1', 1.4504262524816083, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:31:00+00', 'plant-1', 2.023677690876714, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:32:00+00', 'plant-1', 2.12862966968966, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:33:00+00', 'plant-1', 0.42547318625930897, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:34:00+00', 'plant-1', 0.10607867501729906, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:35:00+00', 'plant-1', 1.477998876759446, 1, 'good'),
	('w-1', 'volume_m3', '2026-05-28 20:36:00+00', 'plant-1', 1.7324115494103292, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:27:00+00', 'plant-1', 15.540996835363982, 0.84445, 'partial'),
	('w-2', 'volume_m3', '2026-05-28 20:28:00+00', 'plant-1', 18.403690964964156, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:29:00+00', 'plant-1', 13.89287181662855, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:30:00+00', 'plant-1', 13.053836272334461, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:31:00+00', 'plant-1', 18.21196520564188, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:32:00+00', 'plant-1', 19.1571678176221, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:33:00+00', 'plant-1', 3.834252533684159, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:34:00+00', 'plant-1', 0.9582106729157276, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:35:00+00', 'plant-1', 13.300830572996253, 1, 'good'),
	('w-2', 'volume_m3', '2026-05-28 20:36:00+00', 'plant-1', 15.591703944692982, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:27:00+00', 'plant-1', 1.5549388753864726, 0.76573336, 'partial'),
	('p-1', 'mass_t', '2026-05-28 20:28:00+00', 'plant-1', 1.3039329526862402, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:29:00+00', 'plant-1', 2.044740312459931, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:30:00+00', 'plant-1', 2.557203868463815, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:31:00+00', 'plant-1', 2.3786948794692195, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:32:00+00', 'plant-1', 1.9522702486137193, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:33:00+00', 'plant-1', 2.3307332634564357, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:34:00+00', 'plant-1', 1.540645830547536, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:35:00+00', 'plant-1', 1.378201649298292, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:36:00+00', 'plant-1', 1.1772507331349726, 1, 'good'),
	('p-1', 'mass_t', '2026-05-28 20:37:00+00', 'plant-1', 1.1332975279258473, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:27:00+00', 'plant-2', 0.18973071561339686, 0.71631664, 'partial'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:28:00+00', 'plant-2', 0.2872312775034641, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:29:00+00', 'plant-2', 0.23946375998023708, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:30:00+00', 'plant-2', 0.27219602465099924, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:31:00+00', 'plant-2', 0.23652323100849126, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:32:00+00', 'plant-2', 0.20455072402003907, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:33:00+00', 'plant-2', 0.2443709672067139, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:34:00+00', 'plant-2', 0.23994140303594702, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:35:00+00', 'plant-2', 0.22654707507932895, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:36:00+00', 'plant-2', 0.2746865685282188, 1, 'good'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:37:00+00', 'plant-2', 0.28167800183852665, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:27:00+00', 'plant-2', 0.102711364843339, 0.71631664, 'partial'),
	('u-1', 'coal_t', '2026-05-28 20:28:00+00', 'plant-2', 0.16914438856082104, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:29:00+00', 'plant-2', 0.13203876318556174, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:30:00+00', 'plant-2', 0.1462562781211156, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:31:00+00', 'plant-2', 0.13537810196167543, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:32:00+00', 'plant-2', 0.13870088203312614, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:33:00+00', 'plant-2', 0.1717328399850203, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:34:00+00', 'plant-2', 0.14471003277865008, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:35:00+00', 'plant-2', 0.16485346799582018, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:36:00+00', 'plant-2', 0.1564503796843572, 1, 'good'),
	('u-1', 'coal_t', '2026-05-28 20:37:00+00', 'plant-2', 0.14062972932783357, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:27:00+00', 'plant-2', 1.9265513641795164, 0.71631664, 'partial'),
	('u-1', 'gangue_t', '2026-05-28 20:28:00+00', 'plant-2', 2.466406439202264, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:29:00+00', 'plant-2', 2.3338895512297526, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:30:00+00', 'plant-2', 2.1804006753068172, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:31:00+00', 'plant-2', 2.2461425129886745, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:32:00+00', 'plant-2', 2.224354008241105, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:33:00+00', 'plant-2', 2.4852697750220516, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:34:00+00', 'plant-2', 2.5762634291926294, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:35:00+00', 'plant-2', 2.648177990586519, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:36:00+00', 'plant-2', 2.5673910113295824, 1, 'good'),
	('u-1', 'gangue_t', '2026-05-28 20:37:00+00', 'plant-2', 2.5528924252334284, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:27:00+00', 'plant-2', 2.237538552177174, 0.71631664, 'partial'),
	('u-1', 'generated_mwh', '2026-05-28 20:28:00+00', 'plant-2', 3.151143327218075, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:29:00+00', 'plant-2', 3.0203216411465394, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:30:00+00', 'plant-2', 3.107846252398048, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:31:00+00', 'plant-2', 3.025347424958757, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:32:00+00', 'plant-2', 3.06487283132923, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:33:00+00', 'plant-2', 2.8938206587613213, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:34:00+00', 'plant-2', 2.8788925478390923, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:35:00+00', 'plant-2', 2.9966985879549495, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:36:00+00', 'plant-2', 3.0767571483232996, 1, 'good'),
	('u-1', 'generated_mwh', '2026-05-28 20:37:00+00', 'plant-2', 3.1247782460397926, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:27:00+00', 'plant-1', 0, 0.91295, 'partial'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:28:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:29:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:30:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:31:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:32:00+00', 'plant-1', 0, 0.57878333, 'partial'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:33:00+00', 'plant-1', NULL, 0, 'unknown'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:34:00+00', 'plant-1', 0, 0.92013335, 'partial'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:35:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:36:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:37:00+00', 'plant-1', 0, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:27:00+00', 'plant-1', 47.80615046857591, 0.91295, 'partial'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:28:00+00', 'plant-1', 29.575460524079887, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:29:00+00', 'plant-1', 37.96114830928695, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:30:00+00', 'plant-1', 30.892926920160733, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:31:00+00', 'plant-1', 33.235560638980644, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:32:00+00', 'plant-1', 24.379567994853268, 0.57878333, 'estimated'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:33:00+00', 'plant-1', 9.213345916837792, 0, 'estimated'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:34:00+00', 'plant-1', 47.76434593640511, 0.92013335, 'estimated'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:35:00+00', 'plant-1', 30.550513810110537, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:36:00+00', 'plant-1', 29.49999333003644, 1, 'good'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:37:00+00', 'plant-1', 43.089906163948626, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:27:00+00', 'plant-1', 15.93815092732161, 0.91295, 'partial'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:28:00+00', 'plant-1', 9.858531984649144, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:29:00+00', 'plant-1', 10.306754068490491, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:30:00+00', 'plant-1', 12.647319400669353, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:31:00+00', 'plant-1', 12.203681499615215, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:32:00+00', 'plant-1', 6.999167071233341, 0.57878333, 'estimated'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:33:00+00', 'plant-1', 3.0711153056126226, 0, 'estimated'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:34:00+00', 'plant-1', 13.387754415828663, 0.92013335, 'estimated'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:35:00+00', 'plant-1', 12.719982329036572, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:36:00+00', 'plant-1', 9.827779712993367, 1, 'good'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:37:00+00', 'plant-1', 11.299627634699988, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:27:00+00', 'plant-1', 13.815872648383959, 0.8445167, 'partial'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:28:00+00', 'plant-1', 16.35950265246467, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:29:00+00', 'plant-1', 12.351538998212122, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:30:00+00', 'plant-1', 11.606412972756543, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:31:00+00', 'plant-1', 16.1887712388741, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:32:00+00', 'plant-1', 17.028038938347596, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:33:00+00', 'plant-1', 3.406122110134047, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:34:00+00', 'plant-1', 0.8506308845727474, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:35:00+00', 'plant-1', 11.82281360053966, 1, 'good'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:36:00+00', 'plant-1', 13.858296470275754, 1, 'good');
INSERT INTO public.meter_quarter VALUES
	('e-1', 'energy_export_kwh', '2026-05-28 20:15:00+00', 'plant-1', 0, 0, 0, 0.19419666528701782, true, 0.19419667, 'partial'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:15:00+00', 'plant-1', 115.34275930194275, 29.575460524079887, 37.96114830928695, 0.19419666528701782, true, 0.19419667, 'partial'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:15:00+00', 'plant-1', 36.10343698046125, 9.858531984649144, 10.306754068490491, 0.19419666528701782, true, 0.19419667, 'partial'),
	('e-1', 'energy_export_kwh', '2026-05-28 20:30:00+00', 'plant-1', 0, 0, 0, 0.4332611123720805, false, 0.43326113, 'partial'),
	('e-1', 'energy_import_kwh', '2026-05-28 20:30:00+00', 'plant-1', 248.62616071133314, 9.213345916837792, 47.76434593640511, 0.5333333333333333, false, 0.43326113, 'estimated'),
	('e-1', 'reactive_kvarh', '2026-05-28 20:30:00+00', 'plant-1', 82.15642736968913, 3.0711153056126226, 13.387754415828663, 0.5333333333333333, false, 0.43326113, 'estimated'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:15:00+00', 'plant-1', 42.52691429906075, 12.351538998212122, 16.35950265246467, 0.18963444630304974, true, 0.18963444, 'partial'),
	('e-2', 'energy_import_kwh', '2026-05-28 20:30:00+00', 'plant-1', 74.76108621550044, 0.8506308845727474, 17.028038938347596, 0.4666666666666667, false, 0.46666667, 'partial'),
	('p-1', 'mass_t', '2026-05-28 20:15:00+00', 'plant-1', 4.903612140532644, 1.3039329526862402, 2.044740312459931, 0.18438222408294677, true, 0.18438223, 'partial'),
	('p-1', 'mass_t', '2026-05-28 20:30:00+00', 'plant-1', 14.448298000909837, 1.1332975279258473, 2.557203868463815, 0.5333333333333333, false, 0.53333336, 'partial'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:15:00+00', 'plant-2', 0.7164257530970981, 0.23946375998023708, 0.2872312775034641, 0.18108777602513632, true, 0.18108778, 'partial'),
	('u-1', 'coal_t', '2026-05-28 20:15:00+00', 'plant-2', 0.40389451658972175, 0.13203876318556174, 0.16914438856082104, 0.18108777602513632, true, 0.18108778, 'partial'),
	('u-1', 'gangue_t', '2026-05-28 20:15:00+00', 'plant-2', 6.726847354611533, 2.3338895512297526, 2.466406439202264, 0.18108777602513632, true, 0.18108778, 'partial'),
	('u-1', 'generated_mwh', '2026-05-28 20:15:00+00', 'plant-2', 8.409003520541788, 3.0203216411465394, 3.151143327218075, 0.18108777602513632, true, 0.18108778, 'partial'),
	('u-1', 'auxiliary_mwh', '2026-05-28 20:30:00+00', 'plant-2', 1.980493995368265, 0.20455072402003907, 0.28167800183852665, 0.5333333333333333, false, 0.53333336, 'partial'),
	('u-1', 'coal_t', '2026-05-28 20:30:00+00', 'plant-2', 1.1987117118875985, 0.13537810196167543, 0.1717328399850203, 0.5333333333333333, false, 0.53333336, 'partial'),
	('u-1', 'gangue_t', '2026-05-28 20:30:00+00', 'plant-2', 19.48089182790081, 2.1804006753068172, 2.648177990586519, 0.5333333333333333, false, 0.53333336, 'partial'),
	('u-1', 'generated_mwh', '2026-05-28 20:30:00+00', 'plant-2', 24.16901369760449, 2.8788925478390923, 3.1247782460397926, 0.5333333333333333, false, 0.53333336, 'partial'),
	('w-1', 'volume_m3', '2026-05-28 20:15:00+00', 'plant-1', 5.316120284946862, 1.5436352794920323, 2.0451876712442836, 0.18963777621587116, true, 0.18963778, 'partial'),
	('w-1', 'volume_m3', '2026-05-28 20:30:00+00', 'plant-1', 9.344695900494365, 0.10607867501729906, 2.12862966968966, 0.4666666666666667, false, 0.46666667, 'partial'),
	('w-2', 'volume_m3', '2026-05-28 20:15:00+00', 'plant-1', 47.83755961695669, 13.89287181662855, 18.403690964964156, 0.1896299997965495, true, 0.18963, 'partial'),
	('w-2', 'volume_m3', '2026-05-28 20:30:00+00', 'plant-1', 84.10796701988757, 0.9582106729157276, 19.1571678176221, 0.4666666666666667, false, 0.46666667, 'partial');
INSERT INTO public.night_flow VALUES
	('plant-1', '', '2026-05-28 16:00:00+00', NULL, 'regression', NULL, 0, 0.0019753936, 'partial', '2026.1'),
	('plant-1', 'w-1', '2026-05-28 16:00:00+00', NULL, 'plain', NULL, 0, 0.0019753936, 'partial', '2026.1'),
	('plant-1', 'w-2', '2026-05-28 16:00:00+00', NULL, 'plain', NULL, 0, 0.0019753126, 'partial', '2026.1');
INSERT INTO public.notification_outbox OVERRIDING SYSTEM VALUE VALUES
	(1, 1, '2c490440a5ceae364c264a0efcb1a282', 'raised', '2026-11-30 05:34:44.906371+00', NULL);
INSERT INTO public.partition_progress VALUES
	('test', 0, '2026-05-28 20:27:00+00', '2026-05-28 20:27:00+00', '2026-05-28 20:27:00+00', 0);
INSERT INTO public.plant_day VALUES
	('plant-1', 'plant', '2026-05-28 16:00:00+00', 115.34275930194275, 14.175625118208764, NULL, NULL, NULL, 1.3667745252598382, 0, 15.542399643468602, 5.316120284946862, NULL, 47.83755961695669, 4.903612140532644, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 89.99858467982293, 0.0019735591, 'partial', '2026.1'),
	('plant-2', 'plant', '2026-05-28 16:00:00+00', NULL, NULL, NULL, NULL, 3156.196134123973, NULL, 0, 3156.196134123973, NULL, NULL, NULL, 7.692577767444689, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0.001886331, 'partial', '2026.1');
INSERT INTO public.plant_hour VALUES
	('plant-1', 'plant', '2026-05-28 20:00:00+00', 115.34275930194275, 14.175625118208764, NULL, NULL, NULL, 1.3667745252598382, 0, 15.542399643468602, 0.04740944405396779, 5.316120284946862, NULL, 47.83755961695669, 0.04740944405396779, 4.903612140532644, 0.04609555602073669, 0.04736542, 'partial', '2026.1'),
	('plant-2', 'plant', '2026-05-28 20:00:00+00', NULL, NULL, NULL, NULL, 3156.196134123973, NULL, 0, 3156.196134123973, 0.04527194400628408, NULL, NULL, NULL, 0, 7.692577767444689, 0.04527194400628408, 0.045271944, 'partial', '2026.1');
INSERT INTO public.plant_rolling VALUES
	('plant-1', 'plant', 1, '2026-05-28 21:00:00+00', 15.542399643468602, 4.903612140532644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5.316120284946862, NULL, NULL, NULL, 89.99858467982293, 0.04736542, 'partial', '2026.1'),
	('plant-1', 'plant', 8, '2026-05-28 21:00:00+00', 15.542399643468602, 4.903612140532644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5.316120284946862, NULL, NULL, NULL, 89.99858467982293, 0.0059206774, 'partial', '2026.1'),
	('plant-1', 'plant', 24, '2026-05-28 21:00:00+00', 15.542399643468602, 4.903612140532644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5.316120284946862, NULL, NULL, NULL, 89.99858467982293, 0.0019735591, 'partial', '2026.1'),
	('plant-1', 'plant', 168, '2026-05-29 16:00:00+00', 15.542399643468602, 4.903612140532644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5.316120284946862, NULL, NULL, NULL, 89.99858467982293, 0.000281937, 'partial', '2026.1'),
	('plant-1', 'plant', 720, '2026-05-29 16:00:00+00', 15.542399643468602, 4.903612140532644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5.316120284946862, NULL, NULL, NULL, 89.99858467982293, 6.57853e-05, 'partial', '2026.1'),
	('plant-2', 'plant', 1, '2026-05-28 21:00:00+00', 3156.196134123973, 7.692577767444689, NULL, NULL, 309, 285, 321, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, 0.045271944, 'partial', '2026.1'),
	('plant-2', 'plant', 8, '2026-05-28 21:00:00+00', 3156.196134123973, 7.692577767444689, NULL, NULL, 309, 285, 321, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, 0.005658993, 'partial', '2026.1'),
	('plant-2', 'plant', 24, '2026-05-28 21:00:00+00', 3156.196134123973, 7.692577767444689, NULL, NULL, 309, 285, 321, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, 0.001886331, 'partial', '2026.1'),
	('plant-2', 'plant', 168, '2026-05-29 16:00:00+00', 3156.196134123973, 7.692577767444689, NULL, NULL, 309, 285, 321, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, 0.00026947586, 'partial', '2026.1'),
	('plant-2', 'plant', 720, '2026-05-29 16:00:00+00', 3156.196134123973, 7.692577767444689, NULL, NULL, 309, 285, 321, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, NULL, 6.28777e-05, 'partial', '2026.1');
INSERT INTO public.plant_window VALUES
	('plant-1', 15, '2026-05-28 20:28:00+00', 47.80615046857591, NULL, 6.3194640372135105, 1.7272973342105467, 1.5549388753864726, NULL, NULL, 0.05607222, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:29:00+00', 77.3816109926558, NULL, 10.480105885899833, 3.77248500545483, 2.858871828072713, NULL, NULL, 0.12273889, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:30:00+00', 115.34275930194275, NULL, 15.542399643468602, 5.316120284946862, 4.903612140532644, NULL, NULL, 0.18940556, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:31:00+00', 146.23568622210348, NULL, 19.712044951469377, 6.766546537428471, 7.460816008996458, NULL, NULL, 0.25607222, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:32:00+00', 179.47124686108413, NULL, 24.3169828883245, 8.790224228305185, 9.839510888465679, NULL, NULL, 0.3227389, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:33:00+00', 203.8508148559374, NULL, 27.860502482969178, 10.918853897994845, 11.791781137079397, NULL, NULL, 0.38004518, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:34:00+00', 213.06416077277518, NULL, 29.102211852335813, 11.344327084254154, 14.122514400535833, NULL, NULL, 0.42448962, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:35:00+00', 260.82850670918026, NULL, 34.99972279526694, 11.450405759271453, 15.663160231083369, NULL, 0.7236940532585544, 0.4893815, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:36:00+00', 291.3790205192908, NULL, 39.134374453744385, 12.928404636030898, 17.04136188038166, NULL, 0.7518865821697656, 0.55604815, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:37:00+00', 320.87901384932724, 1942.1807707244104, 43.20532664335926, 14.660816185441227, 18.218612613516633, 2.3376906736108047, 0.7982723859302918, 0.6227148, 'partial', '2026.1'),
	('plant-1', 15, '2026-05-28 20:38:00+00', 363.96892001327586, 2001.1211672562615, 48.50107611090854, 14.660816185441227, 19.35191014144248, 2.493311375296438, 0.8284786592213779, 0.66715926, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:28:00+00', 47.80615046857591, NULL, 6.3194640372135105, 1.7272973342105467, 1.5549388753864726, NULL, NULL, 0.014018055, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:29:00+00', 77.3816109926558, NULL, 10.480105885899833, 3.77248500545483, 2.858871828072713, NULL, NULL, 0.030684723, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:30:00+00', 115.34275930194275, NULL, 15.542399643468602, 5.316120284946862, 4.903612140532644, NULL, NULL, 0.04735139, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:31:00+00', 146.23568622210348, NULL, 19.712044951469377, 6.766546537428471, 7.460816008996458, NULL, NULL, 0.064018056, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:32:00+00', 179.47124686108413, NULL, 24.3169828883245, 8.790224228305185, 9.839510888465679, NULL, NULL, 0.08068472, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:33:00+00', 203.8508148559374, NULL, 27.860502482969178, 10.918853897994845, 11.791781137079397, NULL, NULL, 0.095011294, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:34:00+00', 213.06416077277518, NULL, 29.102211852335813, 11.344327084254154, 14.122514400535833, NULL, NULL, 0.106122404, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:35:00+00', 260.82850670918026, NULL, 34.99972279526694, 11.450405759271453, 15.663160231083369, NULL, NULL, 0.12234537, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:36:00+00', 291.3790205192908, NULL, 39.134374453744385, 12.928404636030898, 17.04136188038166, NULL, NULL, 0.13901204, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:37:00+00', 320.87901384932724, NULL, 43.20532664335926, 14.660816185441227, 18.218612613516633, NULL, NULL, 0.1556787, 'partial', '2026.1'),
	('plant-1', 60, '2026-05-28 20:38:00+00', 363.96892001327586, NULL, 48.50107611090854, 14.660816185441227, 19.35191014144248, NULL, NULL, 0.16678981, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:28:00+00', NULL, NULL, 901.8645624470112, NULL, 2.047807836563777, NULL, NULL, 0.047754444, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:29:00+00', NULL, NULL, 2083.4267952373375, NULL, 4.911719886278388, NULL, NULL, 0.11442111, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:30:00+00', NULL, NULL, 3181.4294420726865, NULL, 7.692577767444689, NULL, NULL, 0.18108778, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:31:00+00', NULL, NULL, 4223.631135469939, NULL, 10.52822799519174, NULL, NULL, 0.24775444, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:32:00+00', NULL, NULL, 5286.3021083524845, NULL, 13.317052189142006, NULL, NULL, 0.31442112, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:33:00+00', NULL, NULL, 6341.986607476724, NULL, 16.177374296451198, NULL, NULL, 0.38108778, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:34:00+00', NULL, NULL, 7533.5133379139925, NULL, 18.826823988005803, NULL, NULL, 0.44775444, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:35:00+00', NULL, NULL, 8744.797438153479, NULL, 21.46577513280895, 407.3832593535214, NULL, 0.5144211, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:36:00+00', NULL, NULL, 10001.432765143829, NULL, 24.23592664568457, 412.66970771776437, NULL, 0.58108777, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:37:00+00', NULL, NULL, 11217.314813353994, NULL, 27.03799722547965, 414.87225254920855, NULL, 0.64775443, 'partial', '2026.1'),
	('plant-2', 15, '2026-05-28 20:38:00+00', NULL, NULL, 12415.627499272516, NULL, 29.881097469680917, 415.5010541989004, NULL, 0.7144211, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:28:00+00', NULL, NULL, 901.8645624470112, NULL, 2.047807836563777, NULL, NULL, 0.011938611, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:29:00+00', NULL, NULL, 2083.4267952373375, NULL, 4.911719886278388, NULL, NULL, 0.028605277, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:30:00+00', NULL, NULL, 3181.4294420726865, NULL, 7.692577767444689, NULL, NULL, 0.045271944, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:31:00+00', NULL, NULL, 4223.631135469939, NULL, 10.52822799519174, NULL, NULL, 0.06193861, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:32:00+00', NULL, NULL, 5286.3021083524845, NULL, 13.317052189142006, NULL, NULL, 0.07860528, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:33:00+00', NULL, NULL, 6341.986607476724, NULL, 16.177374296451198, NULL, NULL, 0.095271945, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:34:00+00', NULL, NULL, 7533.5133379139925, NULL, 18.826823988005803, NULL, NULL, 0.11193861, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:35:00+00', NULL, NULL, 8744.797438153479, NULL, 21.46577513280895, NULL, NULL, 0.12860528, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:36:00+00', NULL, NULL, 10001.432765143829, NULL, 24.23592664568457, NULL, NULL, 0.14527194, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:37:00+00', NULL, NULL, 11217.314813353994, NULL, 27.03799722547965, NULL, NULL, 0.16193861, 'partial', '2026.1'),
	('plant-2', 60, '2026-05-28 20:38:00+00', NULL, NULL, 12415.627499272516, NULL, 29.881097469680917, NULL, NULL, 0.17860527, 'partial', '2026.1');
INSERT INTO public.reading_battery VALUES
	('b-1', '2026-05-28 20:27:02.809+00', '2026-05-28 20:27:00+00', NULL, NULL, 53.26, 29.1, 88.8, NULL, 3.326, 3.331, 3.328, 3.326, 3.325, 3.331, 3.327, 3.329, 3.327, 3.333, 3.333, 3.324, 3.326, 3.327, 3.334, 3.332, 22.1, 26.7, 28.4, 29.3, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:28:02.93+00', '2026-05-28 20:27:00+00', NULL, NULL, 53.26, 28.37, 88.8, NULL, 3.327, 3.332, 3.33, 3.328, 3.333, 3.326, 3.331, 3.324, 3.325, 3.332, 3.325, 3.331, 3.329, 3.332, 3.327, 3.327, 28.7, 26, 29.5, 28.9, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:29:02.637+00', '2026-05-28 20:27:00+00', NULL, NULL, 49.9, 27.43, 88.8, NULL, 3.324, 3.328, 3.323, 3.323, 3.323, 3.331, 3.33, 3.331, 3.326, 3.329, 3.33, 3.326, 3.328, 3.325, 3.323, NULL, 25.6, 29.3, 24.6, 22.8, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:31:02.542+00', '2026-05-28 20:27:00+00', NULL, NULL, 49.86, 24.96, 88.8, NULL, 3.328, 3.328, 3.32, 3.327, 3.321, 3.321, 3.329, 3.32, 3.322, 3.33, 3.324, 3.321, 3.322, 3.322, 3.327, NULL, 23.8, 29.7, 29.1, 22.9, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:32:02.726+00', '2026-05-28 20:27:00+00', NULL, NULL, 52.07, -45, 88.8, NULL, 3.253, 3.255, 3.251, 3.257, 3.25, 3.25, 3.26, 3.253, 3.256, 3.254, 3.253, 3.251, 3.259, 3.26, 3.26, 3.251, 26.2, 29.8, 25.4, 26.9, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:33:03.087+00', '2026-05-28 20:27:00+00', NULL, NULL, 48.82, -45, 88.8, NULL, 3.257, 3.253, 3.255, 3.253, 3.252, 3.251, 3.253, 3.26, 3.254, 3.257, 3.256, 3.259, 3.254, 3.253, 3.253, NULL, 28.9, 23, 23.3, 25.4, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:34:03.351+00', '2026-05-28 20:27:00+00', NULL, NULL, 48.81, -45, 88.8, NULL, 3.256, 3.256, 3.252, 3.25, 3.252, 3.251, 3.256, 3.251, 3.251, 3.256, 3.253, 3.258, 3.255, 3.259, 3.252, NULL, 20.8, 29.5, 21.7, 27.8, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:35:03.302+00', '2026-05-28 20:27:00+00', NULL, NULL, 48.84, -45, 88.8, NULL, 3.26, 3.258, 3.253, 3.251, 3.255, 3.259, 3.253, 3.259, 3.251, 3.259, 3.25, 3.253, 3.259, 3.258, 3.259, NULL, 26.9, 21.8, 24.3, 21.6, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:36:03.025+00', '2026-05-28 20:27:00+00', NULL, NULL, 49.73, 15.78, 88.8, NULL, 3.318, 3.317, 3.313, 3.311, 3.32, 3.319, 3.316, 3.316, 3.319, 3.315, 3.315, 3.314, 3.313, 3.311, 3.317, NULL, 20.6, 23.5, 21.4, 21.3, 18.3, NULL, NULL, NULL, '[0,3]', NULL),
	('b-1', '2026-05-28 20:38:02.605+00', '2026-05-28 20:27:00+00', NULL, NULL, 52.97, 11.21, 88.8, NULL, 3.309, 3.314, 3.31, 3.31, 3.312, 3.309, 3.306, 3.311, 3.311, 3.313, 3.311, 3.313, 3.314, 3.309, 3.311, 3.311, 24.1, 25.6, 29.1, 29.2, 18.3, NULL, NULL, NULL, '[0,3]', NULL);
INSERT INTO public.reading_electricity VALUES
	('e-1', '2026-05-28 20:27:05.223+00', '2026-05-28 20:27:00+00', NULL, NULL, 1007.5, NULL, 335.83, 2488.058714401947, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:27:34.663+00', '2026-05-28 20:27:00+00', NULL, NULL, 1031.08, NULL, 343.69, 3286.726183924475, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:28:05.181+00', '2026-05-28 20:27:00+00', NULL, NULL, 1060.26, NULL, 353.42, 2123.1517515339483, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:28:35.069+00', '2026-05-28 20:27:00+00', NULL, NULL, 1072.36, NULL, 357.45, 3520.3542146640793, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:29:04.616+00', '2026-05-28 20:27:00+00', NULL, NULL, 1087.2, NULL, 362.4, 3159.8638512460698, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:29:34.431+00', '2026-05-28 20:27:00+00', NULL, NULL, 1102.3, NULL, 367.43, 2594.2305648254023, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:30:04.801+00', '2026-05-28 20:27:00+00', NULL, NULL, 1126.7, NULL, NULL, 2814.6463924952527, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:30:35.182+00', '2026-05-28 20:27:00+00', NULL, NULL, 1134.4, NULL, 378.13, 1091.0948914499227, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:31:05.114+00', '2026-05-28 20:27:00+00', NULL, NULL, 1157.72, NULL, 385.91, 2007.9604233090718, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:31:35.14+00', '2026-05-28 20:27:00+00', NULL, NULL, 1178.09, NULL, 392.7, 2334.5277158975528, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:32:05.007+00', '2026-05-28 20:27:00+00', NULL, NULL, 1188.76, NULL, NULL, 636.904754575859, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:32:34.727+00', '2026-05-28 20:27:00+00', NULL, NULL, 1207.47, NULL, 402.49, 1813.3646051683647, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:34:04.792+00', '2026-05-28 20:27:00+00', NULL, NULL, 1221.3, NULL, 407.1, 3329.2650476682065, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:34:34.834+00', '2026-05-28 20:27:00+00', NULL, NULL, 1244.54, NULL, 414.85, 1751.0688986701196, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:35:04.942+00', '2026-05-28 20:27:00+00', NULL, NULL, 1273, NULL, NULL, 2137.4998035089648, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:35:34.85+00', '2026-05-28 20:27:00+00', NULL, NULL, 1283.13, NULL, 427.71, 3449.1577965644738, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:36:04.968+00', '2026-05-28 20:27:00+00', NULL, NULL, 1301.99, NULL, 434, 3423.0405339163644, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:36:34.638+00', '2026-05-28 20:27:00+00', NULL, NULL, 1317.36, NULL, 439.12, 604.7542498665778, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:37:05.181+00', '2026-05-28 20:27:00+00', NULL, NULL, 1330.63, NULL, 443.54, 2399.5655542904506, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:37:34.698+00', '2026-05-28 20:27:00+00', NULL, NULL, 1349.4, NULL, NULL, 1142.3519803809118, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:38:04.828+00', '2026-05-28 20:27:00+00', NULL, NULL, 1375.68, NULL, NULL, 3392.850075407938, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-1', '2026-05-28 20:38:34.971+00', '2026-05-28 20:27:00+00', NULL, NULL, 1382.45, NULL, 460.82, 3204.234271124541, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:27:09.329+00', '2026-05-28 20:27:00+00', NULL, NULL, 451.23, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:29:09.406+00', '2026-05-28 20:27:00+00', NULL, NULL, 483.97, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:31:09.288+00', '2026-05-28 20:27:00+00', NULL, NULL, 507.16, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:33:09.478+00', '2026-05-28 20:27:00+00', NULL, NULL, 541.27, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:35:09.389+00', '2026-05-28 20:27:00+00', NULL, NULL, 542.97, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('e-2', '2026-05-28 20:37:09.88+00', '2026-05-28 20:27:00+00', NULL, NULL, 570.8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.reading_flow VALUES
	('w-1', '2026-05-28 20:27:09.326+00', '2026-05-28 20:27:00+00', NULL, NULL, 56.404, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-1', '2026-05-28 20:29:09.403+00', '2026-05-28 20:27:00+00', NULL, NULL, 60.497, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-1', '2026-05-28 20:31:09.285+00', '2026-05-28 20:27:00+00', NULL, NULL, 63.395, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-1', '2026-05-28 20:33:09.475+00', '2026-05-28 20:27:00+00', NULL, NULL, 67.659, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-1', '2026-05-28 20:35:09.386+00', '2026-05-28 20:27:00+00', NULL, NULL, 67.871, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-1', '2026-05-28 20:37:09.877+00', '2026-05-28 20:27:00+00', NULL, NULL, 71.35, NULL, 120.5, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:27:09.333+00', '2026-05-28 20:27:00+00', NULL, NULL, 507.639, NULL, NULL, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:29:09.41+00', '2026-05-28 20:27:00+00', NULL, NULL, 544.47, NULL, NULL, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:31:09.292+00', '2026-05-28 20:27:00+00', NULL, NULL, 570.552, NULL, NULL, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:33:09.482+00', '2026-05-28 20:27:00+00', NULL, NULL, 608.927, NULL, NULL, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:35:09.393+00', '2026-05-28 20:27:00+00', NULL, NULL, 610.842, NULL, NULL, NULL, NULL, NULL, NULL),
	('w-2', '2026-05-28 20:37:09.884+00', '2026-05-28 20:27:00+00', NULL, NULL, 642.153, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.reading_gangue_unit VALUES
	('u-1', '2026-05-28 20:27:17.021+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5003.165, 400.296, 3002.139, NULL, 100.178, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:28:17.277+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5006.302, 400.562, 3004.84, NULL, 100.322, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:29:17.424+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5009.472, 400.859, 3007.222, NULL, 100.502, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:30:17.642+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5012.445, 401.076, 3009.547, NULL, 100.615, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:31:17.538+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5015.608, 401.371, 3011.667, NULL, 100.775, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:32:17.493+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5018.572, 401.583, 3013.962, NULL, 100.9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:33:17.368+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5021.671, 401.784, 3016.152, NULL, 101.044, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:34:17.398+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5024.48, 402.046, 3018.757, NULL, 101.227, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:35:16.882+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5027.363, 402.275, 3021.3, NULL, 101.355, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:36:16.933+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5030.397, 402.5, 3023.983, NULL, 101.534, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:37:17.484+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5033.52, 402.797, 3026.529, NULL, 101.683, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('u-1', '2026-05-28 20:38:17.595+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, 5036.663, 403.074, 3029.099, NULL, 101.821, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.reading_lab VALUES
	('l-1', '2026-05-28 20:31:00+00', '2026-05-28 20:27:00+00', NULL, NULL, '2026-05-28 19:27:00+00', '2026-05-28 20:31:00+00', 'gangue', 12.1, 50, 1.2, NULL),
	('l-1', '2026-05-28 20:36:00+00', '2026-05-28 20:27:00+00', NULL, NULL, '2026-05-28 19:27:00+00', '2026-05-28 20:36:00+00', 'coal', 22.5, 50, 1.2, NULL),
	('l-1', '2026-05-28 20:49:00+00', '2026-05-28 20:27:00+00', NULL, NULL, '2026-05-28 19:27:00+00', '2026-05-28 20:49:00+00', 'gangue', 12.4, 50, 1.2, NULL),
	('l-1', '2026-05-28 21:00:00+00', '2026-05-28 20:27:00+00', NULL, NULL, '2026-05-28 20:50:00+00', '2026-05-28 21:00:00+00', 'gangue', 13, 50, 1.2, NULL);
INSERT INTO public.reading_production VALUES
	('p-1', '2026-05-28 20:27:14.056+00', '2026-05-28 20:27:00+00', NULL, NULL, 8.902, NULL, NULL),
	('p-1', '2026-05-28 20:28:14.539+00', '2026-05-28 20:27:00+00', NULL, NULL, 10.949, NULL, NULL),
	('p-1', '2026-05-28 20:29:14.006+00', '2026-05-28 20:27:00+00', NULL, NULL, 12.011, NULL, NULL),
	('p-1', '2026-05-28 20:30:14.234+00', '2026-05-28 20:27:00+00', NULL, NULL, 14.361, NULL, NULL),
	('p-1', '2026-05-28 20:31:13.813+00', '2026-05-28 20:27:00+00', NULL, NULL, 16.967, NULL, NULL),
	('p-1', '2026-05-28 20:32:14.198+00', '2026-05-28 20:27:00+00', NULL, NULL, 19.287, NULL, NULL),
	('p-1', '2026-05-28 20:33:14.528+00', '2026-05-28 20:27:00+00', NULL, NULL, 21.14, NULL, NULL),
	('p-1', '2026-05-28 20:34:14.248+00', '2026-05-28 20:27:00+00', NULL, NULL, 23.615, NULL, NULL),
	('p-1', '2026-05-28 20:35:14.486+00', '2026-05-28 20:27:00+00', NULL, NULL, 24.866, NULL, NULL),
	('p-1', '2026-05-28 20:36:14.644+00', '2026-05-28 20:27:00+00', NULL, NULL, 26.29, NULL, NULL),
	('p-1', '2026-05-28 20:37:14.437+00', '2026-05-28 20:27:00+00', NULL, NULL, 27.385, NULL, NULL),
	('p-1', '2026-05-28 20:38:14.32+00', '2026-05-28 20:27:00+00', NULL, NULL, 28.527, NULL, NULL);
INSERT INTO public.reading_site_power VALUES
	('s-1', '2026-05-28 20:27:09.242+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:29:09.541+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:30:09.395+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:31:09.802+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:32:09.226+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, true, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:33:09.727+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, true, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:34:09.583+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, true, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:35:09.736+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, true, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:36:09.493+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, false, NULL, NULL),
	('s-1', '2026-05-28 20:37:09.894+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, true, NULL, NULL),
	('s-1', '2026-05-28 20:38:09.638+00', '2026-05-28 20:27:00+00', NULL, NULL, NULL, NULL, NULL, false, 53.5, 45, true, NULL, NULL);
INSERT INTO public.registry_version VALUES
	(true, 2);
INSERT INTO public.schema_migration VALUES
	(1, 'roles', '73e7d276b2dcde5bd9f64361bee232441bfb0ba81de2870a471a73fb8e09e1c2', 'postgresql', '2026-11-30 05:34:43.34882+00'),
	(2, 'registry', '5a5760423b42b14884954215a83fe5a7e81cf14db583063058c51f79e214edab', 'postgresql', '2026-11-30 05:34:43.387622+00'),
	(3, 'pipeline', '8d53faaa920eb11d33094fd2959dca002ab63c854b79e05aae305f038272e8ef', 'postgresql', '2026-11-30 05:34:43.433557+00'),
	(4, 'readings', '62b853725807deb6599216bcc40fc104fc51b5d46bef22c3ca6ac219e88b696d', 'postgresql', '2026-11-30 05:34:43.481017+00'),
	(5, 'derived', '5f0eb2c01ebce91c5db4fcdee6d5486cb8e9a5443be0d11a42bab734d44265f0', 'postgresql', '2026-11-30 05:34:43.537212+00'),
	(6, 'hypertables', '8e6a260fe19d34038c939085455a7ca9144d00151d9d4dc1f4c88f71577acbce', 'postgresql', '2026-11-30 05:34:43.561576+00'),
	(10, 'meter_event', 'f8f83077ccede5b1a7cc1dfb4312cc2ba1318ab002c1bf7ab7f739d794c68f7d', 'postgresql', '2026-11-30 05:34:43.591905+00'),
	(11, 'virtual_meter', 'ef91a77a98a048026bf94c525c9ea7b89307c8ec55ea87c9a83183c1ae9fd0df', 'postgresql', '2026-11-30 05:34:43.600015+00'),
	(15, 'reference', 'd4cc0f2537bbaed5e4715b119a885ac15be548983373264406306f0a3e859dc0', 'postgresql', '2026-11-30 05:34:43.718905+00'),
	(16, 'plant', '61ac2cf82c47aef7aa006535547b249af0d617bb9603b11f5c8f2ff81be6094c', 'postgresql', '2026-11-30 05:34:43.815074+00'),
	(17, 'plant_hypertables', '132686490cc9b75d841fc956bceb0cbb7e46e0dffaca1654b189e44728079ff6', 'postgresql', '2026-11-30 05:34:43.819584+00'),
	(18, 'recompute', 'a02c5e075ee590290737276949ad70396e78480aded9130938c898e4e94c965c', 'postgresql', '2026-11-30 05:34:43.83094+00'),
	(19, 'meter_rollups', 'bc724c0d8d4a40b7c4ff4018ca6d4520db26deb9140bebb9370addb13c2137d2', 'postgresql', '2026-11-30 05:34:43.840646+00'),
	(20, 'battery_health', 'e5635d4f13b49c41a4f01ecdf1554ca638d63124331065d30f8149e8ab7b510b', 'postgresql', '2026-11-30 05:34:43.890597+00'),
	(21, 'battery_hours', '480b0af1cb433436b2a7095d2ec98ecb2267f8af4b9cc9b57a9ac621e5a4f081', 'postgresql', '2026-11-30 05:34:43.896505+00'),
	(22, 'battery_fleet', '04cd8abbbd0ccf6cb42d1c2346d1e17fee28b21e19f6b79fa216c7ba07c49926', 'postgresql', '2026-11-30 05:34:43.953503+00'),
	(23, 'battery_fleet_views', '5521697c2dc9d0ae39f63bd2e9a28ab0a5727709f348b39c85a70ca8f6ac8385', 'postgresql', '2026-11-30 05:34:43.968589+00'),
	(30, 'alarms', '516bc9853c6356e01d119909d991667d6ade0d753778fc1ba30ee84cc3e40501', 'postgresql', '2026-11-30 05:34:44.070451+00'),
	(31, 'alarm_operator', 'cded4d752ebe773d59b1bca29f88d4a724d69e0b4df6f60cf7f79403b88759a2', 'postgresql', '2026-11-30 05:34:44.081242+00'),
	(32, 'alarm_rates', 'db1672df4ea2671b0ca51191227ea8c983a57af22e287377b82b40e9a95d26d8', 'postgresql', '2026-11-30 05:34:44.091547+00'),
	(33, 'alarm_last_raised', '7824f779aee1f5a4fdc6f67ed38b5a960006b0a1763ea44afa22f631d72b11b9', 'postgresql', '2026-11-30 05:34:44.094189+00'),
	(34, 'silence', '95be42eb9c5335700f65fd3d7fe84c8b74accf525ebac72b3d5b873f4d5dfe77', 'postgresql', '2026-11-30 05:34:44.102524+00'),
	(35, 'signal', 'c7d7983f0e17eb64ad143d6e1c82c689c43dd9afc98546c50ce546fb9d07fa9b', 'postgresql', '2026-11-30 05:34:44.109486+00'),
	(36, 'detector_status', 'fbd91fdc6f6307b848aaafc44c0f5eaf4142c5c4a8c59e2df471c825eb3d3da6', 'postgresql', '2026-11-30 05:34:44.124868+00'),
	(40, 'arrivals', '1eb1afcaff0c3b2b361ef85793d9dff4dab2580b66dde7f740d36f3232e6edd3', 'postgresql', '2026-11-30 05:34:44.13003+00'),
	(48, 'notifications', 'ced14e3c0123ec3e00c43d1d2bc5648ea5232ddb1c692ed60b719d52f54f0254', 'postgresql', '2026-11-30 05:34:44.142207+00'),
	(55, 'enpi', '64c0d97d981e6040ddd362b6aa9a3807cfc57e0252fc5b896b4e7210108d90ab', 'postgresql', '2026-11-30 05:34:44.15987+00'),
	(70, 'ledger_hours', '39bb8893446fa652d58255b0a11b2cacf97a277fb8468306c05850c65fd9d2c2', 'postgresql', '2026-11-30 05:34:44.170293+00'),
	(71, 'brin_summaries', '98946265f3a87b408f43511980b5d60572cef92d8ec9378dc5c1fc57908f29c9', 'postgresql', '2026-11-30 05:34:44.184436+00'),
	(72, 'minutes_by_time', 'fc35e7ae98c561357f85a5b235d04ff0777687d21315fdd182e09112c51ee95f', 'postgresql', '2026-11-30 05:34:44.189824+00'),
	(73, 'battery_days', '9e351785e3dcf3e1b8b3415baf3eee8a945d341f750fd264770e696c1b1fdea2', 'postgresql', '2026-11-30 05:34:44.199668+00'),
	(74, 'battery_days', '087059762f99d9fc001f0a4d50e162c4f32e90539d52131f73c0b6df213ceb42', 'postgresql', '2026-11-30 05:34:44.202942+00'),
	(75, 'progress_pace', '46204522090f7bda82b7b4fcf0d8f62ed4e6d69e2b2886432a9f3aa1b78c68e4', 'postgresql', '2026-11-30 05:34:44.205001+00'),
	(80, 'meter_load', 'ddf1b74a909ef6d5a883036d410c38d88d62256b99d7cd8d279359c02569e9c6', 'postgresql', '2026-11-30 05:34:44.211212+00'),
	(81, 'meter_load', '59c3c326fb977b7390eff929d5691ff7141c2a084a7f65461e5c62f2a7b79961', 'postgresql', '2026-11-30 05:34:44.216211+00'),
	(82, 'balance_day', 'af7c38ee587e25ae753b55bab7bde280d13615d7de4c9ed4d1f889c87e6bffa3', 'postgresql', '2026-11-30 05:34:44.225656+00'),
	(83, 'site_detection', 'e7565917765a9a797a1f7f0327ad1c33d6adcf0ea64d0c5d1f36608fb61747c6', 'postgresql', '2026-11-30 05:34:44.22884+00'),
	(85, 'enpi_variables', 'ab661f2c864e178777d24867eb0e8594480b4cc686b7bc85019f29383d18d678', 'postgresql', '2026-11-30 05:34:44.307831+00'),
	(90, 'battery_sites', 'f800cb9f872399f898ab7f1a87e8fbe4638a56724943e3c8426b886a5e8ff168', 'postgresql', '2026-11-30 05:34:44.323082+00');
INSERT INTO public.signal VALUES
	('s-1', 'smoke', 'smoke', '2026-05-28 20:37:09.894+00', '2026-05-28 20:37:09.894+00', 'bs-1', true, 1, 'critical', '2026-05-28 20:37:09.894+00', 1, NULL, NULL, 0, NULL, '', 0, NULL, '', 'smoke 1', '{}'),
	('s-1', 'smoke', 'smoke', '2026-05-28 20:38:09.638+00', '2026-05-28 20:38:09.638+00', 'bs-1', true, 2, 'critical', '2026-05-28 20:37:09.894+00', 1, NULL, NULL, 0, NULL, '', 0, NULL, '', 'smoke 1', '{}');
INSERT INTO public.site VALUES
	('plant-1', 'Coking plant', '焦化厂', 'coking', '长治', 't', '[]', '[]', '{}'),
	('plant-2', 'Gangue power', '矸石电厂', 'gangue_power', '朔州', 'MWh', '[]', '[{"name": "", "meters": [], "line_id": "plant", "name_zh": "", "product": "power_subcritical_300", "parameters": {}, "water_quota": "", "idle_production_per_h": 0.0}]', '{}'),
	('bs-1', 'Base station 1', '基站1', 'base_station', '朔州', 't', '[]', '[]', '{}');
INSERT INTO public.site_outage VALUES
	('s-1', '2026-05-28 20:32:09.226+00', '2026-05-28 20:36:09.493+00', 'bs-1', '2026-05-28 20:36:09.493+00', 0.06674083, 0, 0.16067855625);
INSERT INTO public.site_power_latest VALUES
	('s-1', '2026-05-28 20:38:09.638+00', 'bs-1', '2026-05-28 20:27:00+00', false, NULL, 53.5, 45, true, NULL, NULL);
INSERT INTO public.water_day VALUES
	('plant-1', '2026-05-28 16:00:00+00', 5.316120284946862, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.0019753936, 'partial', '2026.1');
SELECT pg_catalog.setval('public.alarm_setting_change_id_seq', 1, false);
SELECT pg_catalog.setval('public.alarm_transition_id_seq', 1, true);
SELECT pg_catalog.setval('public.log_loss_id_seq', 1, false);
SELECT pg_catalog.setval('public.maintenance_id_seq', 1, false);
SELECT pg_catalog.setval('public.notification_id_seq', 1, false);
SELECT pg_catalog.setval('public.notification_outbox_id_seq', 1, true);
SELECT pg_catalog.setval('public.quarantine_id_seq', 1, false);
SELECT pg_catalog.setval('public.recompute_request_id_seq', 1, false);
ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (alarm_id);
ALTER TABLE ONLY public.alarm_rule
    ADD CONSTRAINT alarm_rule_pkey PRIMARY KEY (state, event);
ALTER TABLE ONLY public.alarm_safety_kind
    ADD CONSTRAINT alarm_safety_kind_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY public.alarm_setting_change
    ADD CONSTRAINT alarm_setting_change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alarm_setting
    ADD CONSTRAINT alarm_setting_pkey PRIMARY KEY (kind, site_id, device_id, metric, parameter);
ALTER TABLE ONLY public.alarm_transition
    ADD CONSTRAINT alarm_transition_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.balance_day
    ADD CONSTRAINT balance_day_pkey PRIMARY KEY (site_id, ts, medium);
ALTER TABLE ONLY public.battery_capacity
    ADD CONSTRAINT battery_capacity_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_day
    ADD CONSTRAINT battery_day_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_discharge
    ADD CONSTRAINT battery_discharge_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_episode
    ADD CONSTRAINT battery_episode_pkey PRIMARY KEY (device_id, ts, kind);
ALTER TABLE ONLY public.battery_health_latest
    ADD CONSTRAINT battery_health_latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.battery_hour
    ADD CONSTRAINT battery_hour_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_latest
    ADD CONSTRAINT battery_latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.battery_quarter
    ADD CONSTRAINT battery_quarter_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_resistance
    ADD CONSTRAINT battery_resistance_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_soh
    ADD CONSTRAINT battery_soh_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.battery_state_latest
    ADD CONSTRAINT battery_state_latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (topic, partition);
ALTER TABLE ONLY public.detector_status
    ADD CONSTRAINT detector_status_pkey PRIMARY KEY (device_id, metric, kind);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.enpi_baseline
    ADD CONSTRAINT enpi_baseline_pkey PRIMARY KEY (site_id, line_id, version);
ALTER TABLE ONLY public.enpi_coefficient
    ADD CONSTRAINT enpi_coefficient_pkey PRIMARY KEY (site_id, line_id, version, variable);
ALTER TABLE ONLY public.enpi_variable_day
    ADD CONSTRAINT enpi_variable_day_pkey PRIMARY KEY (site_id, name, ts);
ALTER TABLE ONLY public.entity_snapshot
    ADD CONSTRAINT entity_snapshot_pkey PRIMARY KEY (entity_id, kernel, ts);
ALTER TABLE ONLY public.entity_state
    ADD CONSTRAINT entity_state_pkey PRIMARY KEY (entity_id, kernel);
ALTER TABLE ONLY public.fuel_assay
    ADD CONSTRAINT fuel_assay_pkey PRIMARY KEY (device_id, ts, fuel, released_at);
ALTER TABLE ONLY public.gangue_sum
    ADD CONSTRAINT gangue_sum_pkey PRIMARY KEY (device_id, ts, span);
ALTER TABLE ONLY public.gangue_window
    ADD CONSTRAINT gangue_window_pkey PRIMARY KEY (device_id, ts, span);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (device_id, hour, partition);
ALTER TABLE ONLY public.ledger_total
    ADD CONSTRAINT ledger_total_pkey PRIMARY KEY (hour, partition);
ALTER TABLE ONLY public.log_loss
    ADD CONSTRAINT log_loss_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.meter_event
    ADD CONSTRAINT meter_event_pkey PRIMARY KEY (device_id, quantity, ts, kind);
ALTER TABLE ONLY public.meter_latest
    ADD CONSTRAINT meter_latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.meter_load
    ADD CONSTRAINT meter_load_pkey PRIMARY KEY (device_id, ts, quantity);
ALTER TABLE ONLY public.meter_minute
    ADD CONSTRAINT meter_minute_pkey PRIMARY KEY (device_id, ts, quantity);
ALTER TABLE ONLY public.meter_quarter
    ADD CONSTRAINT meter_quarter_pkey PRIMARY KEY (device_id, ts, quantity);
ALTER TABLE ONLY public.night_flow
    ADD CONSTRAINT night_flow_pkey PRIMARY KEY (site_id, ts, meter_id);
ALTER TABLE ONLY public.notification_item
    ADD CONSTRAINT notification_item_pkey PRIMARY KEY (notification_id, outbox_id);
ALTER TABLE ONLY public.notification_outbox
    ADD CONSTRAINT notification_outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.notification_outbox
    ADD CONSTRAINT notification_outbox_transition_id_key UNIQUE (transition_id);
ALTER TABLE ONLY public.notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.partition_progress
    ADD CONSTRAINT partition_progress_pkey PRIMARY KEY (topic, partition);
ALTER TABLE ONLY public.plant_day
    ADD CONSTRAINT plant_day_pkey PRIMARY KEY (site_id, ts, line_id);
ALTER TABLE ONLY public.plant_hour
    ADD CONSTRAINT plant_hour_pkey PRIMARY KEY (site_id, ts, line_id);
ALTER TABLE ONLY public.plant_rolling
    ADD CONSTRAINT plant_rolling_pkey PRIMARY KEY (site_id, ts, line_id, window_h);
ALTER TABLE ONLY public.plant_window
    ADD CONSTRAINT plant_window_pkey PRIMARY KEY (site_id, window_min, ts);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reading_battery
    ADD CONSTRAINT reading_battery_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_electricity
    ADD CONSTRAINT reading_electricity_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_flow
    ADD CONSTRAINT reading_flow_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_gangue_unit
    ADD CONSTRAINT reading_gangue_unit_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_lab
    ADD CONSTRAINT reading_lab_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_production
    ADD CONSTRAINT reading_production_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.reading_site_power
    ADD CONSTRAINT reading_site_power_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.recompute_request
    ADD CONSTRAINT recompute_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reference_correction
    ADD CONSTRAINT reference_correction_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.reference_energy_factor
    ADD CONSTRAINT reference_energy_factor_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.reference_energy_limit
    ADD CONSTRAINT reference_energy_limit_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.reference_setting
    ADD CONSTRAINT reference_setting_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.reference_target
    ADD CONSTRAINT reference_target_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.reference_version
    ADD CONSTRAINT reference_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.reference_water_quota
    ADD CONSTRAINT reference_water_quota_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.registry_version
    ADD CONSTRAINT registry_version_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.signal
    ADD CONSTRAINT signal_pkey PRIMARY KEY (device_id, metric, kind, ts);
ALTER TABLE ONLY public.site_load_hour
    ADD CONSTRAINT site_load_hour_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.site_outage
    ADD CONSTRAINT site_outage_pkey PRIMARY KEY (device_id, ts);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (site_id);
ALTER TABLE ONLY public.site_power_latest
    ADD CONSTRAINT site_power_latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.site_silence
    ADD CONSTRAINT site_silence_pkey PRIMARY KEY (site_id);
ALTER TABLE ONLY public.water_day
    ADD CONSTRAINT water_day_pkey PRIMARY KEY (site_id, ts);
CREATE INDEX alarm_event ON public.alarm USING btree (event_at);
CREATE INDEX alarm_key ON public.alarm USING btree (device_id, metric, kind, raised_at);
CREATE UNIQUE INDEX alarm_one_open ON public.alarm USING btree (site_id, device_id, metric, kind) WHERE (state <> 'normal'::text);
CREATE INDEX alarm_open_region ON public.alarm USING btree (region) WHERE (state <> 'normal'::text);
CREATE INDEX alarm_transition_alarm ON public.alarm_transition USING btree (alarm_id, id);
CREATE INDEX alarm_transition_at ON public.alarm_transition USING btree (at);
CREATE INDEX battery_capacity_seen ON public.battery_capacity USING btree (device_id, seen_ts);
CREATE INDEX battery_day_ts ON public.battery_day USING brin (ts) WITH (autosummarize='on');
CREATE INDEX battery_discharge_ts ON public.battery_discharge USING brin (ts) WITH (autosummarize='on');
CREATE INDEX battery_episode_seen ON public.battery_episode USING btree (device_id, seen_ts);
CREATE INDEX battery_episode_ts ON public.battery_episode USING brin (ts) WITH (autosummarize='on');
CREATE INDEX battery_hour_ts ON public.battery_hour USING brin (ts) WITH (autosummarize='on');
CREATE INDEX battery_quarter_ts ON public.battery_quarter USING brin (ts) WITH (autosummarize='on');
CREATE INDEX battery_resistance_seen ON public.battery_resistance USING btree (device_id, seen_ts);
CREATE INDEX detector_status_site ON public.detector_status USING btree (site_id);
CREATE INDEX device_site ON public.device USING btree (site_id);
CREATE INDEX fuel_assay_site ON public.fuel_assay USING btree (site_id, ts);
CREATE INDEX gangue_window_ts ON public.gangue_window USING brin (ts) WITH (autosummarize='on');
CREATE INDEX ledger_hour ON public.ledger USING btree (hour);
CREATE INDEX maintenance_time ON public.maintenance USING btree (ends_at);
CREATE INDEX meter_event_seen ON public.meter_event USING btree (device_id, seen_ts);
CREATE INDEX meter_event_site ON public.meter_event USING btree (site_id, ts);
CREATE INDEX meter_load_ts ON public.meter_load USING brin (ts) WITH (autosummarize='on');
CREATE INDEX meter_minute_ts ON public.meter_minute USING brin (ts) WITH (autosummarize='on');
CREATE INDEX meter_quarter_ts ON public.meter_quarter USING brin (ts) WITH (autosummarize='on');
CREATE INDEX notification_channel ON public.notification USING btree (channel, created_at);
CREATE INDEX notification_outbox_waiting ON public.notification_outbox USING btree (id) WHERE (planned_at IS NULL);
CREATE INDEX notification_unsent ON public.notification USING btree (due_at) WHERE (sent_at IS NULL);
CREATE INDEX plant_rolling_ts ON public.plant_rolling USING brin (ts) WITH (autosummarize='on');
CREATE INDEX plant_window_ts ON public.plant_window USING brin (ts) WITH (autosummarize='on');
CREATE INDEX quarantine_reason ON public.quarantine USING btree (reason, device_id);
CREATE INDEX quarantine_received ON public.quarantine USING btree (received_at);
CREATE INDEX reading_battery_ts ON public.reading_battery USING brin (ts) WITH (autosummarize='on');
CREATE INDEX reading_electricity_ts ON public.reading_electricity USING brin (ts) WITH (autosummarize='on');
CREATE INDEX reading_flow_ts ON public.reading_flow USING brin (ts) WITH (autosummarize='on');
CREATE INDEX reading_gangue_unit_ts ON public.reading_gangue_unit USING brin (ts) WITH (autosummarize='on');
CREATE INDEX reading_site_power_ts ON public.reading_site_power USING brin (ts) WITH (autosummarize='on');
CREATE UNIQUE INDEX recompute_request_open ON public.recompute_request USING btree (site_id, reason) WHERE (finished_at IS NULL);
CREATE INDEX signal_seen ON public.signal USING btree (device_id, seen_ts);
CREATE INDEX signal_site ON public.signal USING btree (site_id, ts);
CREATE INDEX signal_ts ON public.signal USING brin (ts) WITH (autosummarize='on');
CREATE INDEX site_load_hour_ts ON public.site_load_hour USING brin (ts) WITH (autosummarize='on');
CREATE INDEX site_outage_seen ON public.site_outage USING btree (device_id, seen_ts);
CREATE INDEX site_outage_ts ON public.site_outage USING brin (ts) WITH (autosummarize='on');
CREATE INDEX site_silence_region ON public.site_silence USING btree (region);
CREATE TRIGGER alarm_setting_change_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.alarm_setting_change FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER alarm_transition_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.alarm_transition FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.alarm_transition
    ADD CONSTRAINT alarm_transition_alarm_id_fkey FOREIGN KEY (alarm_id) REFERENCES public.alarm(alarm_id);
ALTER TABLE ONLY public.alarm_transition
    ADD CONSTRAINT alarm_transition_from_state_event_fkey FOREIGN KEY (from_state, event) REFERENCES public.alarm_rule(state, event);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(site_id);
ALTER TABLE ONLY public.enpi_baseline
    ADD CONSTRAINT enpi_baseline_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.enpi_coefficient
    ADD CONSTRAINT enpi_coefficient_site_id_line_id_version_fkey FOREIGN KEY (site_id, line_id, version) REFERENCES public.enpi_baseline(site_id, line_id, version) ON DELETE CASCADE;
ALTER TABLE ONLY public.enpi_variable_day
    ADD CONSTRAINT enpi_variable_day_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.notification_item
    ADD CONSTRAINT notification_item_notification_id_fkey FOREIGN KEY (notification_id) REFERENCES public.notification(id);
ALTER TABLE ONLY public.notification_item
    ADD CONSTRAINT notification_item_outbox_id_fkey FOREIGN KEY (outbox_id) REFERENCES public.notification_outbox(id);
ALTER TABLE ONLY public.notification_outbox
    ADD CONSTRAINT notification_outbox_alarm_id_fkey FOREIGN KEY (alarm_id) REFERENCES public.alarm(alarm_id);
ALTER TABLE ONLY public.notification_outbox
    ADD CONSTRAINT notification_outbox_transition_id_fkey FOREIGN KEY (transition_id) REFERENCES public.alarm_transition(id);
ALTER TABLE ONLY public.recompute_request
    ADD CONSTRAINT recompute_request_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(site_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_correction
    ADD CONSTRAINT reference_correction_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_energy_factor
    ADD CONSTRAINT reference_energy_factor_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_energy_limit
    ADD CONSTRAINT reference_energy_limit_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_setting
    ADD CONSTRAINT reference_setting_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_target
    ADD CONSTRAINT reference_target_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
ALTER TABLE ONLY public.reference_water_quota
    ADD CONSTRAINT reference_water_quota_version_fkey FOREIGN KEY (version) REFERENCES public.reference_version(version) ON DELETE CASCADE;
GRANT USAGE ON SCHEMA public TO fenhe_writer;
GRANT USAGE ON SCHEMA public TO fenhe_reader;
GRANT USAGE ON SCHEMA public TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_acknowledge(p_alarm_id text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_acknowledge(p_alarm_id text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_apply(p_alarm_id text, p_event text, p_actor text, p_reason text, p_event_at timestamp with time zone, p_detail jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_apply(p_alarm_id text, p_event text, p_actor text, p_reason text, p_event_at timestamp with time zone, p_detail jsonb) TO fenhe_writer;
REVOKE ALL ON FUNCTION public.alarm_close(p_alarm_id text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_close(p_alarm_id text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_comment(p_alarm_id text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_comment(p_alarm_id text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_out_of_service(p_site_id text, p_device_id text, p_metric text, p_kind text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_out_of_service(p_site_id text, p_device_id text, p_metric text, p_kind text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_require_name(p_user text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.alarm_resume(p_alarm_id text, p_states text[], p_user text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.alarm_return_to_service(p_alarm_id text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_return_to_service(p_alarm_id text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_set_threshold(p_kind text, p_site_id text, p_device_id text, p_metric text, p_parameter text, p_value double precision, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_set_threshold(p_kind text, p_site_id text, p_device_id text, p_metric text, p_parameter text, p_value double precision, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_shelve(p_alarm_id text, p_hours double precision, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_shelve(p_alarm_id text, p_hours double precision, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.alarm_unshelve(p_alarm_id text, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.alarm_unshelve(p_alarm_id text, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.maintenance_cancel(p_id bigint, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.maintenance_cancel(p_id bigint, p_user text, p_reason text) TO fenhe_operator;
REVOKE ALL ON FUNCTION public.maintenance_plan(p_site_id text, p_device_id text, p_starts_at timestamp with time zone, p_ends_at timestamp with time zone, p_user text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.maintenance_plan(p_site_id text, p_device_id text, p_starts_at timestamp with time zone, p_ends_at timestamp with time zone, p_user text, p_reason text) TO fenhe_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm TO fenhe_operator;
GRANT SELECT,INSERT ON TABLE public.alarm_transition TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_transition TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_transition TO fenhe_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_chattering TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_chattering TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_most_frequent TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_most_frequent TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_rate_10min TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_rate_10min TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_rule TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_rule TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_rule TO fenhe_operator;
GRANT SELECT ON TABLE public.alarm_safety_kind TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_safety_kind TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_safety_kind TO fenhe_operator;
GRANT SELECT ON TABLE public.alarm_setting TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_setting TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_setting TO fenhe_operator;
GRANT SELECT,INSERT ON TABLE public.alarm_setting_change TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_setting_change TO fenhe_reader;
GRANT SELECT ON TABLE public.alarm_setting_change TO fenhe_operator;
GRANT USAGE ON SEQUENCE public.alarm_setting_change_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_standing TO fenhe_writer;
GRANT SELECT ON TABLE public.alarm_standing TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.alarm_transition_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_latest TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_latest TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_latest TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_latest TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.site_power_latest TO fenhe_writer;
GRANT SELECT ON TABLE public.site_power_latest TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.arrival TO fenhe_writer;
GRANT SELECT ON TABLE public.arrival TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.balance_day TO fenhe_writer;
GRANT SELECT ON TABLE public.balance_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_capacity TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_capacity TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_day TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_discharge TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_discharge TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_episode TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_episode TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_health_latest TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_health_latest TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_hour TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_hour TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_observability TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_observability TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_quarter TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_quarter TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_resistance TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_resistance TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_resistance_fleet TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_resistance_fleet TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.device TO fenhe_writer;
GRANT SELECT ON TABLE public.device TO fenhe_reader;
GRANT SELECT ON TABLE public.device TO fenhe_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_set TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_set TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_state_latest TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_state_latest TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.site_outage TO fenhe_writer;
GRANT SELECT ON TABLE public.site_outage TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_site TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_site TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_soh TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_soh TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.battery_test_proposal TO fenhe_writer;
GRANT SELECT ON TABLE public.battery_test_proposal TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ledger TO fenhe_writer;
GRANT SELECT ON TABLE public.ledger TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.books TO fenhe_writer;
GRANT SELECT ON TABLE public.books TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.checkpoint TO fenhe_writer;
GRANT SELECT ON TABLE public.checkpoint TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.detector_status TO fenhe_writer;
GRANT SELECT ON TABLE public.detector_status TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.enpi_baseline TO fenhe_writer;
GRANT SELECT ON TABLE public.enpi_baseline TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.enpi_coefficient TO fenhe_writer;
GRANT SELECT ON TABLE public.enpi_coefficient TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.plant_day TO fenhe_writer;
GRANT SELECT ON TABLE public.plant_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.enpi_day TO fenhe_writer;
GRANT SELECT ON TABLE public.enpi_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.enpi_variable_day TO fenhe_writer;
GRANT SELECT ON TABLE public.enpi_variable_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.entity_snapshot TO fenhe_writer;
GRANT SELECT ON TABLE public.entity_snapshot TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.entity_state TO fenhe_writer;
GRANT SELECT ON TABLE public.entity_state TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.fuel_assay TO fenhe_writer;
GRANT SELECT ON TABLE public.fuel_assay TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.gangue_sum TO fenhe_writer;
GRANT SELECT ON TABLE public.gangue_sum TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.gangue_window TO fenhe_writer;
GRANT SELECT ON TABLE public.gangue_window TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ledger_total TO fenhe_writer;
GRANT SELECT ON TABLE public.ledger_total TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.log_loss TO fenhe_writer;
GRANT SELECT ON TABLE public.log_loss TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.log_loss_id_seq TO fenhe_writer;
GRANT SELECT ON TABLE public.maintenance TO fenhe_writer;
GRANT SELECT ON TABLE public.maintenance TO fenhe_reader;
GRANT SELECT ON TABLE public.maintenance TO fenhe_operator;
GRANT USAGE ON SEQUENCE public.maintenance_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_quarter TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_quarter TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_day TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_day TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_event TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_event TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_hour TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_hour TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_load TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_load TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_minute TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_minute TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meter_month TO fenhe_writer;
GRANT SELECT ON TABLE public.meter_month TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.night_flow TO fenhe_writer;
GRANT SELECT ON TABLE public.night_flow TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notification TO fenhe_writer;
GRANT SELECT ON TABLE public.notification TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.notification_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notification_item TO fenhe_writer;
GRANT SELECT ON TABLE public.notification_item TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notification_outbox TO fenhe_writer;
GRANT SELECT ON TABLE public.notification_outbox TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.notification_outbox_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partition_progress TO fenhe_writer;
GRANT SELECT ON TABLE public.partition_progress TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.plant_hour TO fenhe_writer;
GRANT SELECT ON TABLE public.plant_hour TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.plant_rolling TO fenhe_writer;
GRANT SELECT ON TABLE public.plant_rolling TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.plant_window TO fenhe_writer;
GRANT SELECT ON TABLE public.plant_window TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.site TO fenhe_writer;
GRANT SELECT ON TABLE public.site TO fenhe_reader;
GRANT SELECT ON TABLE public.site TO fenhe_operator;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.product_line TO fenhe_writer;
GRANT SELECT ON TABLE public.product_line TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.quarantine TO fenhe_writer;
GRANT SELECT ON TABLE public.quarantine TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.quarantine_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_battery TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_battery TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_electricity TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_electricity TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_flow TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_flow TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_gangue_unit TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_gangue_unit TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_lab TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_lab TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_production TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_production TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_site_power TO fenhe_writer;
GRANT SELECT ON TABLE public.reading_site_power TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recompute_request TO fenhe_writer;
GRANT SELECT ON TABLE public.recompute_request TO fenhe_reader;
GRANT USAGE ON SEQUENCE public.recompute_request_id_seq TO fenhe_writer;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_correction TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_correction TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_version TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_version TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_current TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_current TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_energy_factor TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_energy_factor TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_energy_limit TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_energy_limit TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_setting TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_setting TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_target TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_target TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reference_water_quota TO fenhe_writer;
GRANT SELECT ON TABLE public.reference_water_quota TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.registry_version TO fenhe_writer;
GRANT SELECT ON TABLE public.registry_version TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.signal TO fenhe_writer;
GRANT SELECT ON TABLE public.signal TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.site_load_hour TO fenhe_writer;
GRANT SELECT ON TABLE public.site_load_hour TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.site_silence TO fenhe_writer;
GRANT SELECT ON TABLE public.site_silence TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.virtual_meter TO fenhe_writer;
GRANT SELECT ON TABLE public.virtual_meter TO fenhe_reader;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.water_day TO fenhe_writer;
GRANT SELECT ON TABLE public.water_day TO fenhe_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE fenhe_owner IN SCHEMA public GRANT USAGE ON SEQUENCES  TO fenhe_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE fenhe_owner IN SCHEMA public GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO fenhe_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE fenhe_owner IN SCHEMA public GRANT SELECT ON TABLES  TO fenhe_reader;
