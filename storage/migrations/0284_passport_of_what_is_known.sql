-- A passport said "unknown" of a chemistry that all figures of the set rest on, and that its nominal voltage tells; and of
-- what a set has given that was heard of and has never discharged, which is 0.
CREATE OR REPLACE VIEW battery_passport_part AS
SELECT d.device_id, d.site_id,
    jsonb_build_object(
        'device_id', d.device_id, 'site_id', d.site_id, 'name', d.name, 'name_zh', d.name_zh,
        'trace_code', nullif(d.detail -> 'battery' ->> 'trace_code', ''),
        'maker', nullif(d.detail -> 'battery' ->> 'maker', ''),
        'batch', nullif(d.detail -> 'battery' ->> 'batch', ''),
        'first_life', nullif(d.detail -> 'battery' ->> 'first_life', ''),
        'commissioned_on', nullif(d.detail -> 'battery' ->> 'commissioned_on', ''),
        'valid_from', life.from_at,
        'chemistry', coalesce(d.detail -> 'battery' ->> 'chemistry', told.chemistry),
        'chemistry_by_voltage', d.detail -> 'battery' ->> 'chemistry' IS NULL AND told.chemistry IS NOT NULL,
        'cell_count', d.detail -> 'battery' -> 'cell_count',
        'nominal_ah', d.detail -> 'battery' -> 'nominal_ah',
        'nominal_v', d.detail -> 'battery' -> 'nominal_v',
        'contract_h', d.detail -> 'battery' -> 'contract_h',
        'current_accuracy', d.detail -> 'accuracy') AS identity,
    (
        SELECT jsonb_build_object(
            'as_of', h.ts, 'soh_pct', h.soh_pct, 'soh_low_pct', h.soh_low_pct, 'soh_high_pct', h.soh_high_pct,
            'soh_at_least_pct', h.soh_at_least_pct, 'method', h.soh_method, 'evidence_at', h.soh_evidence_at,
            'age_days', h.soh_age_days, 'reason', h.soh_reason, 'soh_bms_pct', h.soh_bms_pct, 'quality', h.quality,
            'resistance_25c_mohm', h.resistance_25c_mohm, 'resistance_trend', h.resistance_trend,
            'backup_p50_h', h.backup_p50_h, 'backup_p10_h', h.backup_p10_h, 'misses_contract', h.misses_contract,
            'advice', h.advice, 'advice_reasons', h.advice_reasons, 'reference_version', h.reference_version)
        FROM battery_health_latest h WHERE h.device_id = d.device_id) AS health,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'discharge_at', s.ts, 'soh_pct', s.soh_pct, 'soh_low_pct', s.soh_low_pct, 'soh_high_pct', s.soh_high_pct,
            'usable_pct', s.usable_pct, 'method', s.method, 'evidence_at', s.evidence_at, 'reason', s.reason,
            'change', s.change, 'change_pct', s.change_pct, 'weakest_cell', s.weakest_cell, 'others_pct', s.others_pct,
            'gain_pct', s.gain_pct, 'load_ratio', s.load_ratio, 'witnesses', s.witnesses, 'quality', s.quality,
            'this_discharge', jsonb_build_object(
                'soh_pct', c.soh_pct, 'sigma_ah', c.sigma_ah, 'drawn_ah', c.drawn_ah, 'method', c.method,
                'reason', c.reason, 'temperature_mean_c', c.temperature_mean_c, 'resistance_mohm', c.resistance_mohm,
                'curve_ratio', c.curve_ratio, 'charge_ratio', c.charge_ratio, 'quality', c.quality)
            ) ORDER BY s.ts), '[]')
        FROM battery_soh s
        LEFT JOIN battery_capacity c ON c.device_id = s.device_id AND c.ts = s.ts
        WHERE s.device_id = d.device_id AND s.ts >= life.begin_at) AS estimates,
    (
        SELECT jsonb_build_object(
            'first_at', min(e.ts),
            'discharges', count(*) FILTER (WHERE e.kind = 'discharge'),
            'discharged_ah', CASE WHEN count(*) > 0 AND count(*) FILTER (WHERE e.kind = 'discharge') = 0 THEN 0
                ELSE -sum(e.charge_ah) FILTER (WHERE e.kind = 'discharge') END,
            'full_cycles', CASE WHEN count(*) > 0 AND count(*) FILTER (WHERE e.kind = 'discharge') = 0 THEN 0
                ELSE -sum(e.charge_ah) FILTER (WHERE e.kind = 'discharge')
                / nullif((d.detail -> 'battery' ->> 'nominal_ah')::float8, 0) END,
            'hours_discharged', coalesce(sum(e.duration_h) FILTER (WHERE e.kind = 'discharge'), 0),
            'hours_on_float', coalesce(sum(e.duration_h) FILTER (WHERE e.kind = 'float'), 0),
            'hours_not_heard', coalesce(sum(e.duration_h) FILTER (WHERE e.kind = 'offline'), 0),
            'temperature_min_c', min(e.temperature_min_c), 'temperature_max_c', max(e.temperature_max_c))
        FROM battery_episode e WHERE e.device_id = d.device_id AND e.ts >= life.begin_at) AS use,
    (
        SELECT coalesce(jsonb_object_agg(band, hours), '{}')
        FROM (
            SELECT CASE WHEN q.temperature_max_c < 0 THEN 'below_0_c' WHEN q.temperature_max_c < 25 THEN '0_to_25_c'
                WHEN q.temperature_max_c < 35 THEN '25_to_35_c' WHEN q.temperature_max_c < 45 THEN '35_to_45_c'
                ELSE 'above_45_c' END AS band, count(*) / 4.0 AS hours
            FROM battery_quarter q
            WHERE q.device_id = d.device_id AND q.ts >= life.begin_at AND q.temperature_max_c IS NOT NULL
            GROUP BY 1
        ) AS bands) AS temperature_hours,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'alarm_id', a.alarm_id, 'kind', a.kind, 'metric', a.metric, 'severity', a.severity, 'event_at', a.event_at,
            'cleared_at', a.cleared_at, 'state', a.state, 'value', a.value, 'unit', a.unit) ORDER BY a.event_at), '[]')
        FROM alarm a
        WHERE a.device_id = d.device_id AND NOT a.disproved AND a.event_at >= life.begin_at) AS alarms
FROM device d
CROSS JOIN LATERAL (SELECT to_timestamp((d.detail -> 'battery' ->> 'valid_from')::float8 / 1000) AS from_at) registered
CROSS JOIN LATERAL (SELECT registered.from_at, coalesce(registered.from_at, '2000-01-01 00:00Z') AS begin_at) life
CROSS JOIN LATERAL (
    SELECT (d.detail -> 'battery' ->> 'nominal_v')::float8
        / nullif((d.detail -> 'battery' ->> 'cell_count')::float8, 0) AS cell_v) nominal
CROSS JOIN LATERAL (
    SELECT CASE WHEN nominal.cell_v BETWEEN 3.0 AND 3.4 THEN 'lfp' WHEN nominal.cell_v > 0 THEN 'li_ion' END AS chemistry
) told  -- as schemas/registered/devices.py, BatterySet.chemistry_name
WHERE d.kind = 'battery';
