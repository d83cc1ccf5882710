-- Average price for a category.
CREATE FOREIGN TABLE q4 () SERVER store OPTIONS (mode 'upsert', key 'category');
INSERT INTO q4
SELECT category, avg(final) AS final
FROM   (SELECT max(b.price) AS final, a.category
        FROM   auction AS a, bid AS b
        WHERE  a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
        GROUP  BY a.id, a.category) AS q
GROUP  BY category;
