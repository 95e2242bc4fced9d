-- Raw readings as the devices sent them, keyed (device_id, ts): the truth that every derived row can be rebuilt from.
CREATE TABLE reading_electricity (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    energy_import_kwh double precision,
    energy_export_kwh double precision,
    reactive_kvarh double precision,
    power_kw double precision,
    voltage_1_v real, voltage_2_v real, voltage_3_v real,
    current_1_a real, current_2_a real, current_3_a real,
    power_factor real,
    frequency_hz real,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_flow (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    volume_m3 double precision,
    mass_t double precision,
    flow_m3_h double precision,
    flow_t_h double precision,
    pressure_mpa real,
    temperature_c real,
    status int,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_production (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    mass_t double precision,
    state text,
    grade text,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_gangue_unit (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
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
    steam_temperature_c real,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_lab (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    sample_from timestamptz NOT NULL,
    sample_to timestamptz NOT NULL,
    fuel text NOT NULL,
    lhv_mj_kg double precision,
    ash_pct double precision,
    sulphur_pct double precision,
    moisture_pct double precision,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_battery (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    pack_voltage_v double precision,
    current_a double precision,
    soc_pct real,
    soh_bms_pct real,
    cell_01_v real, cell_02_v real, cell_03_v real, cell_04_v real,
    cell_05_v real, cell_06_v real, cell_07_v real, cell_08_v real,
    cell_09_v real, cell_10_v real, cell_11_v real, cell_12_v real,
    cell_13_v real, cell_14_v real, cell_15_v real, cell_16_v real,
    temperature_1_c real, temperature_2_c real, temperature_3_c real, temperature_4_c real,
    ambient_c real,
    remaining_ah real,
    full_ah real,
    cycles int,
    alarm_words json,
    mode text,
    PRIMARY KEY (device_id, ts)
);

CREATE TABLE reading_site_power (
    device_id text NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint,
    quality text,
    mains_voltage_1_v real, mains_voltage_2_v real, mains_voltage_3_v real,
    mains_failed boolean,
    dc_voltage_v real,
    dc_load_current_a real,
    smoke boolean,
    water boolean,
    door boolean,
    PRIMARY KEY (device_id, ts)
);
