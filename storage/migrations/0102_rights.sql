-- Who may do what. Workers append: they take nothing away of what was received, stored, booked, refused or lost, do not
-- touch the registry, and cannot act as a person. The notifier has a role of its own that sees alarms and plans notices.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fenhe_notifier') THEN
        CREATE ROLE fenhe_notifier LOGIN;
    END IF;
    -- Nobody makes temporary tables but who needs them: none of fenhe's own roles does.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Raw readings, books, losses, quarantine: written once. The books' counts only are added to.
DO $$
DECLARE
    raw text;
BEGIN
    FOR raw IN SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname LIKE 'reading\_%'
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM fenhe_writer', raw);
    END LOOP;
END
$$;
REVOKE UPDATE, DELETE ON ledger, ledger_total, log_loss, quarantine FROM fenhe_writer;
GRANT UPDATE (received, stored, duplicate, quarantined) ON ledger, ledger_total TO fenhe_writer;
REVOKE DELETE ON alarm, checkpoint FROM fenhe_writer;
REVOKE INSERT ON alarm_setting_change FROM fenhe_writer;
-- The registry and the reference data are the owner's.
REVOKE INSERT, UPDATE, DELETE ON site, device, reference_version, reference_energy_factor, reference_energy_limit,
    reference_correction, reference_water_quota, reference_target, reference_setting, schema_migration FROM fenhe_writer;

GRANT USAGE ON SCHEMA public TO fenhe_notifier;
GRANT SELECT ON alarm, alarm_transition, alarm_rule, alarm_safety_kind, site, device TO fenhe_notifier;
GRANT SELECT, UPDATE ON notification_outbox TO fenhe_notifier;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification, notification_item TO fenhe_notifier;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fenhe_notifier;
REVOKE UPDATE, DELETE ON notification_outbox FROM fenhe_writer;
REVOKE ALL ON notification, notification_item FROM fenhe_writer;

-- A person's name as it is written down: one form of each letter, nothing that cannot be seen, single spaces.
CREATE FUNCTION person_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        regexp_replace(
            normalize(name, NFKC),
            '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB]',
            '', 'g'),
        '[\s\u0001-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u2800\u3000]+', ' ', 'g'))
$$;
CREATE OR REPLACE FUNCTION alarm_require_name(p_user text, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    who text := person_name(p_user);
BEGIN
    IF coalesce(who, '') = '' OR coalesce(person_name(p_reason), '') = '' THEN
        RAISE EXCEPTION 'a name and a reason are required' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Letters of other scripts that look like those of our own name are taken for them.
    IF translate(lower(who), 'еһнոεɦ', 'ehhneh') = 'fenhe' OR length(p_user) > 100 OR length(p_reason) > 1000 THEN
        RAISE EXCEPTION 'the name % cannot be used, or name or reason is too long', left(who, 100)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- With every act of a person stands the role that signed in; rows of before this migration have none.
ALTER TABLE alarm_transition ADD COLUMN session_role text;
ALTER TABLE alarm_transition ALTER COLUMN session_role SET DEFAULT session_user;
ALTER TABLE alarm_setting_change ADD COLUMN session_role text;
ALTER TABLE alarm_setting_change ALTER COLUMN session_role SET DEFAULT session_user;
ALTER TABLE maintenance ADD COLUMN session_role text;
ALTER TABLE maintenance ALTER COLUMN session_role SET DEFAULT session_user;
ALTER TABLE maintenance ADD COLUMN cancelled_session_role text;

CREATE FUNCTION alarm_transition_by_whom() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.session_role := session_user;
    NEW.actor := person_name(NEW.actor);
    -- Within an operator's function `current_user` is the owner; a worker or notifier that calls `alarm_apply` is itself.
    IF current_user IN ('fenhe_writer', 'fenhe_notifier')
            AND (NEW.actor <> 'fenhe' OR NEW.event IN ('acknowledge', 'comment', 'close', 'shelve', 'disable')) THEN
        RAISE EXCEPTION '% cannot % an alarm as %: that is a person''s act', current_user, NEW.event, NEW.actor
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.event = 'disable' AND (SELECT safety FROM alarm WHERE alarm_id = NEW.alarm_id) THEN
        RAISE EXCEPTION 'a safety alarm is not taken out of service, which has no end: shelve it, for 8 hours at most'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER alarm_transition_by_whom BEFORE INSERT ON alarm_transition
    FOR EACH ROW EXECUTE FUNCTION alarm_transition_by_whom();

CREATE FUNCTION alarm_acknowledged_by() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_user IN ('fenhe_writer', 'fenhe_notifier') AND NEW.acknowledged_by IS NOT NULL THEN
        RAISE EXCEPTION '% cannot acknowledge: that is a person''s act', current_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.acknowledged_by := person_name(NEW.acknowledged_by);
    RETURN NEW;
END
$$;
CREATE TRIGGER alarm_acknowledged_by BEFORE UPDATE OF acknowledged_by ON alarm
    FOR EACH ROW WHEN (NEW.acknowledged_by IS DISTINCT FROM OLD.acknowledged_by)
    EXECUTE FUNCTION alarm_acknowledged_by();

CREATE FUNCTION written_by_whom() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'maintenance' THEN
        IF TG_OP = 'UPDATE' THEN
            NEW.cancelled_session_role := session_user;
        ELSE
            NEW.planned_by := person_name(NEW.planned_by);
            NEW.session_role := session_user;
        END IF;
    ELSE
        NEW.actor := person_name(NEW.actor);
        NEW.session_role := session_user;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER maintenance_by_whom BEFORE INSERT OR UPDATE ON maintenance
    FOR EACH ROW EXECUTE FUNCTION written_by_whom();
CREATE TRIGGER alarm_setting_change_by_whom BEFORE INSERT ON alarm_setting_change
    FOR EACH ROW EXECUTE FUNCTION written_by_whom();
REVOKE ALL ON FUNCTION alarm_transition_by_whom, alarm_acknowledged_by, written_by_whom FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_name TO fenhe_writer, fenhe_notifier, fenhe_operator;

-- Safety alarms that were taken out of service before this come back.
DO $$
BEGIN
    PERFORM alarm_apply(alarm_id, CASE WHEN active THEN 'resume_active' ELSE 'resume_normal' END, 'fenhe',
        'a safety alarm is not out of service without end')
    FROM alarm WHERE safety AND state = 'out_of_service';
END
$$;
