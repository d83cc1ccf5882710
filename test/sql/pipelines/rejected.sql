-- Rejected loan applications: a moving average to a lake, a daily summary to a warehouse.
CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url './data');
CREATE SERVER lake      FOREIGN DATA WRAPPER file     OPTIONS (url './lake');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:warehouse.db');

CREATE FOREIGN TABLE rejected (
    amount_requested  double precision OPTIONS (name 'Amount Requested') CHECK (amount_requested >= 0),
    application_date  date             OPTIONS (name 'Application Date') NOT NULL,
    loan_title        text             OPTIONS (name 'Loan Title'),
    risk_score        double precision OPTIONS (name 'Risk_Score'),
    state             char(2)          OPTIONS (name 'State')
) SERVER files OPTIONS (path 'rejected_*.csv.gz', format 'csv', on_error 'reject', max_rejects '1%');

CREATE MATERIALIZED VIEW loan_features AS
SELECT *, avg(risk_score) OVER (ROWS 49 PRECEDING) AS ma50
FROM   rejected;

CREATE FOREIGN TABLE lake_features () SERVER lake OPTIONS (path 'loan_features/', format 'parquet', partition_by 'state');
CREATE FOREIGN TABLE state_daily   () SERVER warehouse OPTIONS (mode 'upsert', key 'state, application_date');

INSERT INTO lake_features SELECT * FROM loan_features;
INSERT INTO state_daily
SELECT state, application_date, count(*) AS applications, avg(ma50) AS ma50
FROM   loan_features GROUP BY state, application_date;
