CREATE TEMPORARY TABLE q13 (auction BIGINT, bidder BIGINT, price BIGINT, date_time TIMESTAMP(3), val STRING) WITH ('connector' = 'blackhole');
INSERT INTO q13
SELECT b.auction, b.bidder, b.price, b.date_time, s.val
FROM   bid AS b JOIN side_input AS s ON MOD(b.auction, 10000) = s.k;
