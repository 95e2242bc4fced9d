-- A new view comes with what a writer may do to tables; this one is read only, as all views are (0281).
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON sees_every_site FROM fenhe_writer;
