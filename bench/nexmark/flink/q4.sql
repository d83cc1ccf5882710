CREATE TEMPORARY TABLE q4 (category BIGINT, final BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO q4
SELECT category, avg(final_price) AS final_price
FROM   (SELECT max(b.price) AS final_price, a.category
        FROM   auction AS a, bid AS b
        WHERE  a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
        GROUP  BY a.id, a.category) AS q
GROUP  BY category;
