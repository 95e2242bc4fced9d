-- Battery health of sets and sites: state of health with its evidence, outages, discharges with their cause, the fleet now.
ALTER TABLE battery_episode ADD COLUMN temperature_start_c real;

CREATE TABLE battery_soh (
    device_id         text NOT NULL,
    ts                timestamptz NOT NULL,
    site_id           text NOT NULL,
    soh_pct           double precision,
    soh_low_pct       double precision,
    soh_high_pct      double precision,
    sigma_pct         double precision,
    capacity_ah       double precision,
    at_least_pct      double precision,
    method            text,
    evidence_at       timestamptz,
    estimates         int NOT NULL,
    reason            text,
    cutoff_cell_v     real NOT NULL,
    quality           text NOT NULL,
    reference_version text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE battery_discharge (
    device_id       text NOT NULL,
    ts              timestamptz NOT NULL,
    site_id         text NOT NULL,
    cause           text NOT NULL,
    outage_at       timestamptz,
    ended_at        timestamptz,
    duration_h      real NOT NULL,
    charge_ah       double precision,
    cutoff_at       timestamptz,
    cutoff_h        real,
    forecast_p50_h  real,
    forecast_p10_h  real,
    forecast_load_w real,
    coverage        real NOT NULL,
    quality         text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE site_outage (
    device_id     text NOT NULL,
    ts            timestamptz NOT NULL,
    seen_ts       timestamptz NOT NULL,
    site_id       text NOT NULL,
    ended_at      timestamptz,
    duration_h    real NOT NULL,
    largest_gap_s real NOT NULL,
    energy_kwh    double precision,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE site_load_hour (
    device_id  text NOT NULL,
    ts         timestamptz NOT NULL,
    site_id    text NOT NULL,
    load_w     double precision,
    load_max_w real,
    failed_min real NOT NULL,
    coverage   real NOT NULL,
    quality    text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE battery_health_latest (
    device_id              text NOT NULL,
    ts                     timestamptz NOT NULL,
    site_id                text NOT NULL,
    city                   text NOT NULL,
    maker                  text NOT NULL,
    batch                  text NOT NULL,
    nominal_ah             real NOT NULL,
    in_service_years       real,
    soh_pct                real,
    soh_low_pct            real,
    soh_high_pct           real,
    soh_sigma_pct          real,
    soh_at_least_pct       real,
    soh_method             text,
    soh_evidence_at        timestamptz,
    soh_age_days           real,
    soh_estimates          int NOT NULL,
    soh_reason             text,
    soh_bms_pct            real,
    soc_pct                real,
    soc_sigma_pct          real,
    soc_bms_difference_pct real,
    resistance_25c_mohm    real,
    resistance_trend       real,
    resistance_mohm_ah     real,
    float_spread_mv        real,
    float_worst_cell       int,
    float_worst_z          real,
    temperature_mean_c     real,
    load_w                 real,
    backup_p50_h           real,
    backup_p10_h           real,
    contract_h             real NOT NULL,
    misses_contract        boolean,
    last_discharge_at      timestamptz,
    observable             boolean NOT NULL,
    test_priority_kwh      real NOT NULL,
    advice                 text NOT NULL,
    advice_reasons         text NOT NULL,
    flags                  text NOT NULL,
    quality                text NOT NULL,
    reference_version      text NOT NULL,
    PRIMARY KEY (device_id)
) WITH (fillfactor = 50);
CREATE INDEX battery_discharge_ts ON battery_discharge USING brin (ts);
CREATE INDEX site_outage_seen ON site_outage (device_id, seen_ts);
CREATE INDEX site_outage_ts ON site_outage USING brin (ts);
CREATE INDEX site_load_hour_ts ON site_load_hour USING brin (ts);
