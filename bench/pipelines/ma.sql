-- Job ma of the benchmark, over all nine columns of the rejected-loans file.
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

CREATE FOREIGN TABLE ma () SERVER lake OPTIONS (path 'ma/', format 'parquet');
INSERT INTO ma SELECT *, avg("Risk_Score") OVER (ROWS 49 PRECEDING) AS ma50 FROM rejected;
