-- Client features from a bank's tables: to a lake, a folder for each day, and to a table by client.
-- The bank's replica comes as files of changes, one row for each insert, update or delete.
--
--   python3 examples/loans/generate.py examples/loans/data
--   leat run examples/loans/pipeline.sql
--
-- BANK, LAKE and ONLINE name other places.

CREATE SERVER bank   FOREIGN DATA WRAPPER file     OPTIONS (url '${BANK:-./data}');
CREATE SERVER lake   FOREIGN DATA WRAPPER file     OPTIONS (url '${LAKE:-./lake}');
CREATE SERVER online FOREIGN DATA WRAPPER database OPTIONS (url '${ONLINE:-sqlite:online.db}');

CREATE FOREIGN TABLE client_changes (
    id            bigint      NOT NULL,
    created_on    date,
    first_name    text,
    last_name     text,
    birth_date    date,
    personal_code text,
    op            text        NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
    changed_at    timestamptz NOT NULL
) SERVER bank OPTIONS (path 'client_*.csv');

CREATE FOREIGN TABLE loan_changes (
    id         bigint        NOT NULL,
    client_id  bigint        NOT NULL,
    amount     numeric(12,2) CHECK (amount >= 0),
    status     text,
    created_on date,
    op         text          NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
    changed_at timestamptz   NOT NULL
) SERVER bank OPTIONS (path 'loan_*.csv');

CREATE FOREIGN TABLE payment_changes (
    id         bigint        NOT NULL,
    loan_id    bigint        NOT NULL,
    principal  numeric(12,2),
    interest   numeric(12,2),
    status     text,
    created_on date,
    op         text          NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
    changed_at timestamptz   NOT NULL
) SERVER bank OPTIONS (path 'payment_*.csv');

-- The tables as they are now: of each row its last change, unless that deleted it.
CREATE VIEW client AS
SELECT * FROM (SELECT DISTINCT ON (id) * FROM client_changes ORDER BY id, changed_at DESC) AS last
WHERE  op <> 'delete';
CREATE VIEW loan AS
SELECT * FROM (SELECT DISTINCT ON (id) * FROM loan_changes ORDER BY id, changed_at DESC) AS last
WHERE  op <> 'delete';
CREATE VIEW payment AS
SELECT * FROM (SELECT DISTINCT ON (id) * FROM payment_changes ORDER BY id, changed_at DESC) AS last
WHERE  op <> 'delete';

CREATE VIEW paid AS
SELECT client_id, count(*) AS loans FROM loan WHERE status = 'paid' GROUP BY client_id;

CREATE VIEW late AS
SELECT l.client_id, max(p.created_on) AS last_on
FROM   payment p JOIN loan l ON l.id = p.loan_id
WHERE  p.status = 'late'
GROUP BY l.client_id;

-- Loans of the last 90 days, and what they have earned so far: a row leaves when its day has passed.
CREATE VIEW recent AS
SELECT l.client_id, l.amount, coalesce(e.interest, 0) AS interest
FROM   loan l
LEFT JOIN (SELECT loan_id, sum(interest) AS interest FROM payment GROUP BY loan_id) e ON e.loan_id = l.id
WHERE  l.created_on > current_date - 90;

CREATE VIEW profit AS
SELECT client_id, sum(interest) / nullif(sum(amount), 0) AS rate FROM recent GROUP BY client_id;

CREATE MATERIALIZED VIEW client_features WITH (key = 'client_id', owner = 'risk') AS
SELECT c.id                                AS client_id,
       coalesce(paid.loans, 0)             AS "client.paid_loans.count",
       current_date - late.last_on         AS "client.days_since_last_late_payment.count",
       profit.rate::double precision       AS "client.profit_in_last_90_days_rate"
FROM   client c
LEFT JOIN paid   ON paid.client_id   = c.id
LEFT JOIN late   ON late.client_id   = c.id
LEFT JOIN profit ON profit.client_id = c.id;
COMMENT ON COLUMN client_features."client.days_since_last_late_payment.count" IS
    'Days since the client''s last late payment; NULL if there never was one. Moves at midnight';

-- What was true each day; earlier days are never touched.
CREATE FOREIGN TABLE daily_features () SERVER lake
    OPTIONS (path 'client_features/', format 'parquet', mode 'snapshot', every '1 day', partition_by 'dt');
CREATE FOREIGN TABLE features () SERVER online OPTIONS (mode 'upsert', key 'client_id');

INSERT INTO daily_features SELECT * FROM client_features;
INSERT INTO features       SELECT * FROM client_features;
