-- Events of shared scooters, and the weather around them: two JSON files that open with '[', separate
-- their objects by commas and newlines, and never close the array. Keys are flat, with dots in them.
--
--   leat run examples/scooters/pipeline.sql
--   leat rejects examples/scooters/pipeline.sql     a temperature of 1e9 fits no DECIMAL(6,2)
--
-- DATA and WAREHOUSE name other places.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');
CREATE SERVER lake      FOREIGN DATA WRAPPER file     OPTIONS (url '${LAKE:-./lake}');

CREATE FOREIGN TABLE track_events (
    anonymous_id varchar(255),
    event        varchar(255) NOT NULL,
    scooter_id   varchar(255),
    city         varchar(255),
    received_at  timestamp    NOT NULL
) SERVER files OPTIONS (path 'track_events*.json', strip_prefix 'segment_tracks.');

CREATE FOREIGN TABLE weather (
    city        varchar(255) NOT NULL,
    date_time   timestamp    NOT NULL,
    temperature decimal(6,2),
    humidity    decimal(6,2) CHECK (humidity BETWEEN 0 AND 100),
    description varchar(255)
) SERVER files OPTIONS (path 'weather*.json', strip_prefix 'weather_data.');

-- All events go to the lake, by day; what the analysts asked for goes to the warehouse.
CREATE FOREIGN TABLE lake_events () SERVER lake OPTIONS (path 'track_events/', format 'parquet', partition_by 'day');
CREATE FOREIGN TABLE rides       () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE climate     () SERVER warehouse OPTIONS (mode 'upsert', key 'city, date_time');

INSERT INTO lake_events SELECT *, received_at::date AS day FROM track_events;

INSERT INTO rides
SELECT anonymous_id, scooter_id, city, event, received_at
FROM   track_events
WHERE  event IN ('Ride Started', 'Ride Ended');

-- The same hour may be reported by several stations: the warmest reading counts.
INSERT INTO climate
SELECT DISTINCT ON (city, date_time) city, date_time, temperature, humidity, description
FROM   weather
ORDER BY city, date_time, temperature DESC NULLS LAST;
