-- Log to partitioned files.
CREATE FOREIGN TABLE q10 () SERVER lake OPTIONS (path 'q10/', format 'parquet', partition_by 'dt, hm');
INSERT INTO q10
SELECT auction, bidder, price, date_time, extra,
       to_char(date_time, 'YYYY-MM-DD') AS dt, to_char(date_time, 'HH24MI') AS hm
FROM   bid;
