-- The second task: applications of 2007 come as files, later ones as a topic, and one average goes on over both:
-- the topic's first row looks back into the last 49 of 2007. Out to a topic, as JDBC sinks of Kafka Connect expect
-- it, and to a warehouse table, which is made if it is missing and gets new columns as the query does.
--
--   leat run examples/rejected/feed.sql       puts the applications from 2008 on into the topic
--   leat run examples/rejected/stream.sql
--
-- TOPICS names another place: file:./topics is a folder.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER topics    FOREIGN DATA WRAPPER stream   OPTIONS (url '${TOPICS:-file:./topics}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE history (
    amount_requested  double precision OPTIONS (name 'Amount Requested'),
    application_date  date             OPTIONS (name 'Application Date') NOT NULL,
    risk_score        double precision OPTIONS (name 'Risk_Score'),
    state             text             OPTIONS (name 'State')
) SERVER files OPTIONS (path 'rejected_*.csv.gz', max_rejects '1%');

CREATE FOREIGN TABLE inflow (
    amount_requested  double precision,
    application_date  date             NOT NULL,
    risk_score        double precision,
    state             text
) SERVER topics OPTIONS (topic 'inflow', after 'history');

CREATE VIEW applications AS
SELECT application_date, amount_requested, risk_score, state FROM history WHERE application_date < '2008-01-01'
UNION ALL
SELECT application_date, amount_requested, risk_score, state FROM inflow;

CREATE MATERIALIZED VIEW scored AS
SELECT *, avg(risk_score) OVER (ROWS 49 PRECEDING) AS ma50, 0 AS _version FROM applications;

CREATE FOREIGN TABLE outflow () SERVER topics OPTIONS (topic 'outflow', envelope 'schema');
CREATE FOREIGN TABLE risk_scores () SERVER warehouse;

INSERT INTO outflow     SELECT * FROM scored WHERE application_date >= '2008-01-01';
INSERT INTO risk_scores SELECT * FROM scored;
