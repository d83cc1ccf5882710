-- The same features from the bank's own database, followed by its write-ahead log: every commit of the
-- bank is in them a moment later, a deleted row has left them, and a day that ends moves them by itself.
--
--   BANK_URL=postgresql://leat@bank/core leat run examples/loans/replica.sql --follow
--
-- WAREHOUSE names where they go: a file of SQLite, or postgresql://…, the same database or another.

CREATE SERVER bank      FOREIGN DATA WRAPPER database OPTIONS (url '${BANK_URL:-postgresql:}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE client (
    id            bigint PRIMARY KEY,
    created_on    date,
    first_name    text,
    last_name     text,
    birth_date    date,
    personal_code text
) SERVER bank;

CREATE FOREIGN TABLE loan (
    id         bigint PRIMARY KEY,
    client_id  bigint NOT NULL,
    amount     numeric(12,2) CHECK (amount >= 0),
    status     text,
    created_on date
) SERVER bank;

CREATE FOREIGN TABLE payment (
    id         bigint PRIMARY KEY,
    loan_id    bigint NOT NULL,
    principal  numeric(12,2),
    interest   numeric(12,2),
    status     text,
    created_on date
) SERVER bank;

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

CREATE FOREIGN TABLE features () SERVER warehouse OPTIONS (mode 'upsert', key 'client_id');

INSERT INTO features SELECT * FROM client_features;
