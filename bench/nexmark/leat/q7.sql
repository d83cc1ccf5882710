-- Highest bid of every 10 seconds.
CREATE FOREIGN TABLE q7 () SERVER store OPTIONS (mode 'upsert', key 'date_time, auction');
INSERT INTO q7
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM   bid AS b
JOIN   (SELECT max(price) AS price, tumble(date_time, interval '10 s') AS begins
        FROM bid GROUP BY begins) AS m
ON     b.price = m.price AND tumble(b.date_time, interval '10 s') = m.begins;
