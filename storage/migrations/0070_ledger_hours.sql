-- The books' totals by hour of arrival, kept by the same transactions as the books: a month of them is 720 rows a
-- partition, where the books themselves have one a device and hour.
CREATE TABLE ledger_total (
    hour        timestamptz NOT NULL,
    partition   int  NOT NULL,
    received    bigint NOT NULL,
    stored      bigint NOT NULL,
    duplicate   bigint NOT NULL,
    quarantined bigint NOT NULL,
    PRIMARY KEY (hour, partition)
) WITH (fillfactor = 50);

INSERT INTO ledger_total
SELECT hour, partition, sum(received), sum(stored), sum(duplicate), sum(quarantined)
FROM ledger
GROUP BY hour, partition;
