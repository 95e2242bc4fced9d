-- A row for who sees every site. To an account that is limited to some it is empty, as any table is that names neither
-- site nor device (`dashboards/preview/access/confined.py`): a sum of what such a reader sees is not the province's.
CREATE VIEW sees_every_site AS SELECT true AS sees;

-- The year's use of solid waste is the sum of its days, among twenty-five times as many hours.
CREATE INDEX gangue_sum_span_ts ON gangue_sum (span, ts);
