-- What one thread and several take: a join and an aggregate, bound by the processor.
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER lake  FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE}');

CREATE FOREIGN TABLE clients (client bigint, region int)
SERVER files OPTIONS (path 'clients.parquet');
CREATE FOREIGN TABLE loans (client bigint, amount double precision)
SERVER files OPTIONS (path 'loans.parquet');

CREATE FOREIGN TABLE totals () SERVER lake OPTIONS (path 'totals/', format 'parquet', mode 'replace');
INSERT INTO totals
SELECT region, count(*) AS clients, sum(loans) AS loans, sum(amount) AS amount, max(largest) AS largest
FROM  (SELECT   c.client, c.region, count(*) AS loans, sum(l.amount) AS amount,
                max(l.amount) AS largest
       FROM     loans l JOIN clients c ON l.client = c.client
       GROUP BY c.client, c.region) by_client
GROUP BY region;
