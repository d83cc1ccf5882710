-- Job events of the benchmark: JSON objects to typed columns.
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER lake  FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE}');

CREATE FOREIGN TABLE events (
    vehicle_id   text,
    event_time   timestamp,
    event_source text,
    event_type   text,
    speed        double precision,
    lat          double precision,
    lon          double precision,
    odometer     bigint,
    ok           boolean,
    note         text
) SERVER files OPTIONS (path '${FILE}', on_error 'fail');

CREATE FOREIGN TABLE typed () SERVER lake OPTIONS (path 'events/', format 'parquet');
INSERT INTO typed SELECT * FROM events;
