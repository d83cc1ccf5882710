-- The events, as files that every system under test reads.
CREATE SERVER events FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER lake   FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE}');
CREATE SERVER store  FOREIGN DATA WRAPPER database OPTIONS (url '${STORE}');

CREATE FOREIGN TABLE person (
    id bigint, name text, email_address text, credit_card text, city text, state text,
    date_time timestamp, extra text
) SERVER events OPTIONS (path 'person/*.csv', header 'false');

CREATE FOREIGN TABLE auction (
    id bigint, item_name text, description text, initial_bid bigint, reserve bigint,
    date_time timestamp, expires timestamp, seller bigint, category bigint, extra text
) SERVER events OPTIONS (path 'auction/*.csv', header 'false');

CREATE FOREIGN TABLE bid (
    auction bigint, bidder bigint, price bigint, channel text, url text, date_time timestamp,
    extra text
) SERVER events OPTIONS (path 'bid/*.csv', header 'false');
