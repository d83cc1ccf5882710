-- Pass through.
CREATE FOREIGN TABLE q0 () SERVER lake OPTIONS (path 'q0/', format 'parquet');
INSERT INTO q0
SELECT auction, bidder, price, date_time, extra FROM bid;
