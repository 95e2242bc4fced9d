-- Parameters of a site's own of the detectors that judge it as a whole: limit, quota, balance, efficiency.
ALTER TABLE site ADD COLUMN detection jsonb NOT NULL DEFAULT '{}';
