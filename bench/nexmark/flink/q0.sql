CREATE TEMPORARY TABLE q0 (auction BIGINT, bidder BIGINT, price BIGINT, date_time TIMESTAMP(3), extra STRING) WITH ('connector' = 'blackhole');
INSERT INTO q0
SELECT auction, bidder, price, date_time, extra FROM bid;
