-- Rows the stream processors derive. They are rebuilt from the raw readings, so they are upserted, never summed twice.
CREATE TABLE meter_minute (
    device_id text NOT NULL,
    quantity  text NOT NULL,
    ts        timestamptz NOT NULL,
    site_id   text NOT NULL,
    increment double precision,
    coverage  real NOT NULL,
    quality   text NOT NULL,
    PRIMARY KEY (device_id, quantity, ts)
);

CREATE TABLE plant_window (
    site_id    text NOT NULL,
    window_min int  NOT NULL,
    ts         timestamptz NOT NULL,
    energy_kwh double precision,
    power_kw   double precision,
    energy_kgce double precision,
    water_m3   double precision,
    production double precision,
    unit_energy_kgce double precision,
    unit_water_m3    double precision,
    coverage   real NOT NULL,
    quality    text NOT NULL,
    reference_version text NOT NULL,
    PRIMARY KEY (site_id, window_min, ts)
);

CREATE TABLE battery_quarter (
    device_id text NOT NULL,
    ts        timestamptz NOT NULL,
    site_id   text NOT NULL,
    energy_in_kwh  double precision,
    energy_out_kwh double precision,
    charge_ah      double precision,
    discharge_ah   double precision,
    cell_spread_max_mv real,
    temperature_max_c  real,
    temperature_rise_max_c real,
    temperature_rate_max_c_min real,
    coverage  real NOT NULL,
    quality   text NOT NULL,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE meter_latest (
    device_id   text PRIMARY KEY,
    ts          timestamptz NOT NULL,
    site_id     text NOT NULL,
    kind        text NOT NULL,
    received_at timestamptz NOT NULL,
    total       double precision,
    rate        double precision
) WITH (fillfactor = 50);

CREATE TABLE battery_latest (
    device_id   text PRIMARY KEY,
    ts          timestamptz NOT NULL,
    site_id     text NOT NULL,
    received_at timestamptz NOT NULL,
    pack_voltage_v double precision,
    current_a      double precision,
    soc_pct        real,
    soh_bms_pct    real,
    cell_min_v     real,
    cell_max_v     real,
    cell_spread_mv real,
    worst_cell     int,
    temperature_max_c      real,
    temperature_rise_c     real,
    temperature_rate_c_min real
) WITH (fillfactor = 50);

CREATE TABLE site_power_latest (
    device_id   text PRIMARY KEY,
    ts          timestamptz NOT NULL,
    site_id     text NOT NULL,
    received_at timestamptz NOT NULL,
    mains_failed      boolean,
    mains_voltage_v   real,
    dc_voltage_v      real,
    dc_load_current_a real,
    smoke boolean,
    water boolean,
    door  boolean
) WITH (fillfactor = 50);
