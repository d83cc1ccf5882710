-- Rejected loan applications: gzipped CSV files in, a 50-row moving average of the risk score out, to
-- a lake (Parquet, partitioned by state) and to a warehouse (one row per state and day).
--
--   leat run examples/rejected/pipeline.sql     reads the files that are new, commits, stops
--
-- DATA, LAKE and WAREHOUSE name other places: s3://bucket/lake, postgresql://host/db.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER lake      FOREIGN DATA WRAPPER file     OPTIONS (url '${LAKE:-./lake}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE rejected (
    amount_requested  double precision OPTIONS (name 'Amount Requested') CHECK (amount_requested >= 0),
    application_date  date             OPTIONS (name 'Application Date') NOT NULL,
    loan_title        text             OPTIONS (name 'Loan Title'),
    risk_score        double precision OPTIONS (name 'Risk_Score'),
    state             char(2)          OPTIONS (name 'State')
) SERVER files OPTIONS (path 'rejected_*.csv.gz', on_error 'reject', max_rejects '1%');

CREATE MATERIALIZED VIEW loan_features WITH (owner = 'risk') AS
SELECT *, avg(risk_score) OVER (ROWS 49 PRECEDING) AS ma50
FROM   rejected;
COMMENT ON COLUMN loan_features.ma50 IS 'Mean risk score of the last 50 applications';

CREATE FOREIGN TABLE lake_features () SERVER lake OPTIONS (path 'loan_features/', format 'parquet', partition_by 'state');
CREATE FOREIGN TABLE state_daily   () SERVER warehouse OPTIONS (mode 'upsert', key 'state, application_date');

INSERT INTO lake_features SELECT * FROM loan_features;

INSERT INTO state_daily
SELECT   state, application_date, count(*) AS applications, avg(ma50) AS ma50
FROM     loan_features
GROUP BY state, application_date;
