-- The books are kept by the name of the table that holds them since 0110; `ledger` is a view over it.
UPDATE retention_policy SET table_name = 'ledger_entry' WHERE table_name = 'ledger';
