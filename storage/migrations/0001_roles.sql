-- Three roles: the owner runs migrations, the writer is the workers', the reader is Grafana's and the preview's.
-- Passwords are set by the migration runner from its settings; there are no defaults.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fenhe_writer') THEN
        CREATE ROLE fenhe_writer LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fenhe_reader') THEN
        CREATE ROLE fenhe_reader LOGIN;
    END IF;
END
$$;

ALTER ROLE fenhe_reader SET default_transaction_read_only = on;
ALTER ROLE fenhe_reader SET statement_timeout = '15s';

GRANT USAGE ON SCHEMA public TO fenhe_writer, fenhe_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO fenhe_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO fenhe_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO fenhe_writer;
