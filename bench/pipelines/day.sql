-- Job day of the benchmark, over all nine columns of the rejected-loans file.
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER lake  FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE}');

CREATE FOREIGN TABLE rejected (
    "Amount Requested"     double precision,
    "Application Date"     date,
    "Loan Title"           text,
    "Risk_Score"           double precision,
    "Debt-To-Income Ratio" text,
    "Zip Code"             text,
    "State"                text,
    "Employment Length"    text,
    "Policy Code"          double precision
) SERVER files OPTIONS (path '${FILE}', on_error 'fail');

-- Upsert into files would need a mode that rewrites; one drain into an empty lake only adds.
CREATE FOREIGN TABLE day () SERVER lake OPTIONS (path 'day/', format 'parquet', mode 'replace');
INSERT INTO day
SELECT   "Application Date", "State", count(*) AS n, avg("Risk_Score") AS risk_avg,
         min("Risk_Score") AS risk_min, max("Risk_Score") AS risk_max,
         sum("Amount Requested") AS amount
FROM     rejected
GROUP BY "Application Date", "State";
