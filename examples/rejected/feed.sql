-- Puts the applications from 2008 on into the topic `inflow`, as a lender's own systems would.

CREATE SERVER files  FOREIGN DATA WRAPPER file   OPTIONS (url '${DATA:-./data}');
CREATE SERVER topics FOREIGN DATA WRAPPER stream OPTIONS (url '${TOPICS:-file:./topics}');

CREATE FOREIGN TABLE dump (
    amount_requested  double precision OPTIONS (name 'Amount Requested'),
    application_date  date             OPTIONS (name 'Application Date') NOT NULL,
    risk_score        double precision OPTIONS (name 'Risk_Score'),
    state             text             OPTIONS (name 'State')
) SERVER files OPTIONS (path 'rejected_*.csv.gz', max_rejects '1%');

CREATE FOREIGN TABLE inflow () SERVER topics;

INSERT INTO inflow
SELECT amount_requested, application_date, risk_score, state FROM dump WHERE application_date >= '2008-01-01';
