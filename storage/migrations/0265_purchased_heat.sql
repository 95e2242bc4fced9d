-- Purchased heat is counted in GJ by a register of its own, beside volume and mass.
ALTER TABLE reading_flow ADD COLUMN heat_gj double precision;
