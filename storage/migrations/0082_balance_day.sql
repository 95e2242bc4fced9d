-- A site's balance of electricity, steam or a gas over a local day: a row a medium and day.
CREATE TABLE balance_day (
    site_id           text NOT NULL,
    medium            text NOT NULL,
    ts                timestamptz NOT NULL,
    unit              text NOT NULL,
    intake            double precision,
    sub_meters        double precision,
    outflow           double precision,
    residual          double precision,
    tolerance         double precision,
    meters            json NOT NULL,
    coverage          real NOT NULL,
    quality           text NOT NULL,
    reference_version text NOT NULL,
    PRIMARY KEY (site_id, ts, medium)
);
