-- The operator's hand: functions that anybody who signs in as fenhe_operator can call, from the command line, a page
-- or a Grafana panel. They run with the owner's rights and a fixed search path, ask for a name and a reason, and go
-- by the same table of rules as the workers.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fenhe_operator') THEN
        CREATE ROLE fenhe_operator LOGIN;
    END IF;
END
$$;
ALTER ROLE fenhe_operator SET statement_timeout = '15s';
ALTER ROLE fenhe_operator SET idle_in_transaction_session_timeout = '10s';
GRANT USAGE ON SCHEMA public TO fenhe_operator;
GRANT SELECT ON alarm, alarm_transition, alarm_rule, alarm_safety_kind, alarm_setting, alarm_setting_change, maintenance,
    site, device TO fenhe_operator;

CREATE FUNCTION alarm_require_name(p_user text, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION alarm_acknowledge(p_alarm_id text, p_user text, p_reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'acknowledge', btrim(p_user), p_reason);
END
$$;

CREATE FUNCTION alarm_comment(p_alarm_id text, p_user text, p_reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'comment', btrim(p_user), p_reason);
END
$$;

CREATE FUNCTION alarm_close(p_alarm_id text, p_user text, p_reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    RETURN alarm_apply(p_alarm_id, 'close', btrim(p_user), p_reason);
END
$$;

-- At most 7 days, 8 hours where people are in danger. (unsourced)
CREATE FUNCTION alarm_shelve(p_alarm_id text, p_hours double precision, p_user text, p_reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION alarm_resume(p_alarm_id text, p_states text[], p_user text, p_reason text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION alarm_unshelve(p_alarm_id text, p_user text, p_reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT alarm_resume(p_alarm_id, ARRAY['shelved'], p_user, p_reason)
$$;

-- Also for a condition that is not in alarm: it then never comes up until it is taken back.
CREATE FUNCTION alarm_out_of_service(
    p_site_id text, p_device_id text, p_metric text, p_kind text, p_user text, p_reason text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION alarm_return_to_service(p_alarm_id text, p_user text, p_reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT alarm_resume(p_alarm_id, ARRAY['out_of_service'], p_user, p_reason)
$$;

CREATE FUNCTION alarm_set_threshold(
    p_kind text, p_site_id text, p_device_id text, p_metric text, p_parameter text, p_value double precision,
    p_user text, p_reason text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION maintenance_plan(
    p_site_id text, p_device_id text, p_starts_at timestamptz, p_ends_at timestamptz, p_user text, p_reason text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE FUNCTION maintenance_cancel(p_id bigint, p_user text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM alarm_require_name(p_user, p_reason);
    UPDATE maintenance SET cancelled_by = btrim(p_user) || ': ' || p_reason WHERE id = p_id AND cancelled_by IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no maintenance % to cancel', p_id USING ERRCODE = 'no_data_found';
    END IF;
END
$$;

REVOKE ALL ON FUNCTION alarm_require_name, alarm_resume, alarm_acknowledge, alarm_comment, alarm_close, alarm_shelve,
    alarm_unshelve, alarm_out_of_service, alarm_return_to_service, alarm_set_threshold, maintenance_plan,
    maintenance_cancel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION alarm_acknowledge, alarm_comment, alarm_close, alarm_shelve, alarm_unshelve,
    alarm_out_of_service, alarm_return_to_service, alarm_set_threshold, maintenance_plan, maintenance_cancel
    TO fenhe_operator;
