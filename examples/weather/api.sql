-- The same two questions, asked of OpenWeather itself: current weather by city, every ten minutes.
--
--   OPENWEATHER_KEY=… leat run examples/weather/api.sql              asks for each city once
--   OPENWEATHER_KEY=… leat run examples/weather/api.sql --follow     … and every ten minutes
--
-- By latitude and longitude instead: path '/data/2.5/weather?lat={latitude}&lon={longitude}&units=metric&appid={appid}'.

CREATE SERVER openweather FOREIGN DATA WRAPPER http     OPTIONS (url '${OPENWEATHER:-https://api.openweathermap.org}');
CREATE USER MAPPING FOR CURRENT_USER SERVER openweather OPTIONS (appid '${OPENWEATHER_KEY:-none}');
CREATE SERVER warehouse   FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');
CREATE SERVER archive     FOREIGN DATA WRAPPER file     OPTIONS (url '${ARCHIVE:-./archive}');

CREATE TABLE places (place text, latitude double precision, longitude double precision);
INSERT INTO places VALUES ('Vienna', 48.21, 16.37), ('Lagos', 6.45, 3.4), ('Lima', -12.05, -77.04);

CREATE FOREIGN TABLE answers (
    place        text             OPTIONS (metadata 'each.place'),
    requested_at timestamptz      OPTIONS (metadata 'requested_at'),
    raw          json             OPTIONS (metadata 'body'),
    measured     bigint           OPTIONS (name 'dt') NOT NULL,
    temp         double precision OPTIONS (path '$.main.temp'),
    temp_max     double precision OPTIONS (path '$.main.temp_max'),
    temp_min     double precision OPTIONS (path '$.main.temp_min')
) SERVER openweather OPTIONS (path '/data/2.5/weather?q={place}&units=metric&appid={appid}', for_each 'places',
                              every '10 minutes');

-- A place that was not measured anew since it was last asked for answers the same.
CREATE VIEW weather AS
SELECT DISTINCT place, to_timestamp(measured) AS measured_at, temp, temp_max, temp_min FROM answers;

CREATE MATERIALIZED VIEW days WITH (key = 'day') AS
SELECT   measured_at::date        AS day,
         avg(temp)                AS temp_avg,
         min(temp_min)            AS temp_min,
         arg_min(place, temp_min) AS coldest_place,
         arg_max(place, temp_max) AS warmest_place
FROM     weather
GROUP BY measured_at::date;

CREATE FOREIGN TABLE raw_answers    () SERVER archive   OPTIONS (path 'openweather/', format 'ndjson');
CREATE FOREIGN TABLE daily_from_api () SERVER warehouse OPTIONS (mode 'upsert', key 'day');

INSERT INTO raw_answers    SELECT place, requested_at, raw FROM answers;
INSERT INTO daily_from_api SELECT * FROM days;
