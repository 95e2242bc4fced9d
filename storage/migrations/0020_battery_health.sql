-- Battery health from readings: what a set did, what a discharge said of its capacity, load steps, hours, the present.
-- `seen_ts` says which reading gave a row out: a late reading takes back what was said behind it.
CREATE TABLE battery_episode (
    device_id                text NOT NULL,
    ts                       timestamptz NOT NULL,
    seen_ts                  timestamptz NOT NULL,
    site_id                  text NOT NULL,
    kind                     text NOT NULL,
    ended_at                 timestamptz,
    duration_h               real NOT NULL,
    charge_ah                double precision,
    energy_kwh               double precision,
    pack_start_v             real,
    pack_end_v               real,
    temperature_min_c        real,
    temperature_max_c        real,
    temperature_mean_c       real,
    soc_start_pct            real,
    soc_start_sigma_pct      real,
    soc_end_pct              real,
    rest_cell_v              double precision,
    cutoff_at                timestamptz,
    current_min_a            real,
    current_max_a            real,
    self_discharge_pct_month real,
    largest_gap_s            real NOT NULL,
    coverage                 real NOT NULL,
    quality                  text NOT NULL,
    flags                    text NOT NULL,
    PRIMARY KEY (device_id, ts, kind)
);

CREATE TABLE battery_capacity (
    device_id          text NOT NULL,
    ts                 timestamptz NOT NULL,
    seen_ts            timestamptz NOT NULL,
    site_id            text NOT NULL,
    capacity_ah        double precision,
    sigma_ah           double precision,
    soh_pct            double precision,
    at_least_ah        double precision NOT NULL,
    method             text,
    reason             text,
    drawn_ah           double precision NOT NULL,
    soc_start_pct      real,
    soc_end_pct        real,
    temperature_mean_c real,
    temperature_factor real NOT NULL,
    cutoff_cell_v      real NOT NULL,
    ended_at           timestamptz NOT NULL,
    full_cycles        real NOT NULL,
    coverage           real NOT NULL,
    quality            text NOT NULL,
    flags              text NOT NULL,
    reference_version  text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE battery_resistance (
    device_id           text NOT NULL,
    ts                  timestamptz NOT NULL,
    seen_ts             timestamptz NOT NULL,
    site_id             text NOT NULL,
    resistance_mohm     double precision NOT NULL,
    resistance_25c_mohm double precision,
    cell_mohm_ah_25c    double precision,
    step_a              real NOT NULL,
    step_s              real NOT NULL,
    step                text NOT NULL,
    temperature_c       real,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE battery_hour (
    device_id                text NOT NULL,
    ts                       timestamptz NOT NULL,
    site_id                  text NOT NULL,
    soc_pct                  real,
    soc_sigma_pct            real,
    soc_bms_pct              real,
    soc_bms_difference_pct   real,
    soh_bms_pct              real,
    float_min                real NOT NULL,
    rest_min                 real NOT NULL,
    load_min                 real NOT NULL,
    float_current_a          real,
    current_offset_a         real,
    float_spread_mv          real,
    float_worst_cell         int,
    float_worst_z            real,
    rest_spread_mv           real,
    rest_worst_cell          int,
    rest_worst_z             real,
    load_spread_mv           real,
    load_worst_cell          int,
    load_worst_z             real,
    temperature_mean_c       real,
    temperature_spread_max_c real,
    coverage                 real NOT NULL,
    quality                  text NOT NULL,
    flags                    text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE battery_state_latest (
    device_id       text NOT NULL,
    ts              timestamptz NOT NULL,
    site_id         text NOT NULL,
    kind            text NOT NULL,
    since_at        timestamptz NOT NULL,
    soc_pct         real,
    soc_sigma_pct   real,
    soc_bms_pct     real,
    discharged_ah   real,
    power_w         real,
    remaining_p50_h real,
    remaining_p10_h real,
    flags           text NOT NULL,
    PRIMARY KEY (device_id)
) WITH (fillfactor = 50);
CREATE INDEX battery_episode_seen ON battery_episode (device_id, seen_ts);
CREATE INDEX battery_episode_ts ON battery_episode USING brin (ts);
CREATE INDEX battery_capacity_seen ON battery_capacity (device_id, seen_ts);
CREATE INDEX battery_resistance_seen ON battery_resistance (device_id, seen_ts);
