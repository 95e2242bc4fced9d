#!/bin/sh
# Runs once, when the database's volume is new: the owner, who is no superuser, and the database it owns.
# The image may run this file or source it: so it sets no shell options, and psql's failure is its own.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv owner_password FENHE_DB_OWNER_PASSWORD
CREATE ROLE fenhe_owner LOGIN CREATEROLE PASSWORD :'owner_password';
-- Nobody but a superuser makes large objects: a reader could fill the disk with them. The database is made of this one.
\connect template1
REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
\connect postgres
CREATE DATABASE fenhe OWNER fenhe_owner;
SQL
