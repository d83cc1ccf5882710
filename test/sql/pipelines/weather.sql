-- Lines of JSON that each end with a comma, with repeats: the warmest reading per place and month, and a
-- summary per day.
CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url './data');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:warehouse.db');

CREATE FOREIGN TABLE weather (
    "timestamp" timestamp NOT NULL,
    temp        double precision,
    temp_max    double precision,
    temp_min    double precision,
    latitude    double precision,
    longitude   double precision,
    city        text
) SERVER files OPTIONS (path 'weather_*.json', format 'json');

CREATE VIEW reading AS SELECT DISTINCT * FROM weather;

CREATE FOREIGN TABLE warmest () SERVER warehouse OPTIONS (mode 'upsert', key 'city, month');
CREATE FOREIGN TABLE daily   () SERVER warehouse OPTIONS (mode 'upsert', key 'day');

INSERT INTO warmest
SELECT DISTINCT ON (city, date_trunc('month', "timestamp"))
       city, date_trunc('month', "timestamp") AS month, "timestamp", temp_max
FROM   reading
ORDER  BY city, date_trunc('month', "timestamp"), temp_max DESC, "timestamp";

INSERT INTO daily
SELECT "timestamp"::date AS day, avg(temp) AS temp, min(temp_min) AS temp_min,
       arg_min(city, temp_min) AS coldest, arg_max(city, temp_max) AS hottest
FROM   reading GROUP BY "timestamp"::date;
