-- Weather readings: files of one JSON object a line, every line ending with a comma, into two tables.
-- Readings repeat, within a file and between files: DISTINCT drops them.
--
--   leat run examples/weather/pipeline.sql
--
-- A new source of readings is one more file that the path matches, or one more foreign table.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE readings (
    "timestamp"  timestamp        NOT NULL,
    city         text             NOT NULL,
    latitude     double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude    double precision CHECK (longitude BETWEEN -180 AND 180),
    temp         double precision,
    temp_max     double precision,
    temp_min     double precision
) SERVER files OPTIONS (path 'weather_api_by_*.json', format 'json');

CREATE VIEW weather AS SELECT DISTINCT * FROM readings;

-- Per place and month, the reading with the highest maximum; of equal ones, the earliest.
CREATE MATERIALIZED VIEW peaks WITH (key = 'city, month') AS
SELECT DISTINCT ON (city, date_trunc('month', "timestamp"))
       city, date_trunc('month', "timestamp")::date AS month,
       "timestamp" AS observed_at, temp_max, temp, temp_min, latitude, longitude
FROM   weather
ORDER BY city, date_trunc('month', "timestamp"), temp_max DESC, "timestamp";

-- Per day, over all places: the mean, the lowest, and where it was coldest and warmest.
CREATE MATERIALIZED VIEW days WITH (key = 'day') AS
SELECT   "timestamp"::date       AS day,
         avg(temp)               AS temp_avg,
         min(temp_min)           AS temp_min,
         arg_min(city, temp_min) AS coldest_city,
         arg_max(city, temp_max) AS warmest_city
FROM     weather
GROUP BY "timestamp"::date;

COMMENT ON COLUMN days.temp_avg IS 'Mean of the readings'' temperatures, in degrees Celsius';

CREATE FOREIGN TABLE monthly_peak  () SERVER warehouse OPTIONS (mode 'upsert', key 'city, month');
CREATE FOREIGN TABLE daily_summary () SERVER warehouse OPTIONS (mode 'upsert', key 'day');

INSERT INTO monthly_peak  SELECT * FROM peaks;
INSERT INTO daily_summary SELECT * FROM days;
