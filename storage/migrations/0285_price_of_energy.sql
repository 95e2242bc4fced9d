-- What a tonne of coal equivalent costs a plant, yuan: what it spent beyond its baseline is then told in money.
ALTER TABLE site ADD COLUMN coal_yuan_t double precision;
