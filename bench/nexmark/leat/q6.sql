-- Average selling price of the last 10 auctions of a seller. (Flink has no such window over winners.)
CREATE FOREIGN TABLE q6 () SERVER store OPTIONS (mode 'upsert', key 'id');
INSERT INTO q6
SELECT id, seller, avg(final) OVER (PARTITION BY seller ORDER BY expires, id ROWS 9 PRECEDING) AS avg_price
FROM   (SELECT DISTINCT ON (a.id) a.id, a.seller, a.expires, b.price AS final
        FROM   auction AS a JOIN bid AS b ON a.id = b.auction
        WHERE  b.date_time BETWEEN a.date_time AND a.expires
        ORDER  BY a.id, b.price DESC, b.date_time) AS winners;
