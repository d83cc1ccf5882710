-- Currency conversion.
CREATE FOREIGN TABLE q1 () SERVER lake OPTIONS (path 'q1/', format 'parquet');
INSERT INTO q1
SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid;
