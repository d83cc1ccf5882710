-- A folder that fills up: every half second two JSON documents appear, one with events of vehicles, one
-- with their status, a hundred records each. Both go to the warehouse, and a summary per vehicle and day
-- is kept up to date from what is new; a late event changes an earlier day.
--
--   python3 examples/vehicles/generate.py examples/vehicles/data --files 20
--   leat run examples/vehicles/pipeline.sql
--
-- DATA and WAREHOUSE name other places.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE vehicles_events (
    vehicle_id       text      NOT NULL,
    event_time       timestamp NOT NULL,
    event_source     text,
    event_type       text      NOT NULL,
    event_value      text,
    event_extra_data jsonb
) SERVER files OPTIONS (path 'vehicles_events_*.json', root 'vehicles_events');

CREATE FOREIGN TABLE vehicles_status (
    vehicle_id    text      NOT NULL,
    report_time   timestamp NOT NULL,
    status_source text,
    status        text      NOT NULL
) SERVER files OPTIONS (path 'vehicles_status_*.json', root 'vehicles_status');

-- Per vehicle and day, when its last event was and what it was.
CREATE MATERIALIZED VIEW vehicle_days WITH (key = 'vehicle_id, day', owner = 'fleet') AS
SELECT   vehicle_id, event_time::date AS day, count(*) AS events,
         max(event_time)                 AS last_event_time,
         arg_max(event_type, event_time) AS last_event_type
FROM     vehicles_events
GROUP BY vehicle_id, event_time::date;

COMMENT ON COLUMN vehicle_days.last_event_type IS 'Type of the latest event of the day; of two at once, the one that came first';

CREATE FOREIGN TABLE events        () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE status        () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE daily_summary () SERVER warehouse OPTIONS (mode 'upsert', key 'vehicle_id, day');

INSERT INTO events        SELECT * FROM vehicles_events;
INSERT INTO status        SELECT * FROM vehicles_status;
INSERT INTO daily_summary SELECT * FROM vehicle_days;
