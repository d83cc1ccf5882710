-- Hot items: the auctions with the most bids in the last 10 seconds, every 2.
CREATE FOREIGN TABLE q5 () SERVER store OPTIONS (mode 'upsert', key 'auction, begins');
INSERT INTO q5
WITH counts AS (
    SELECT auction, hop(date_time, interval '2 s', interval '10 s') AS begins, count(*) AS num
    FROM   bid GROUP BY auction, begins)
SELECT c.auction, c.begins, c.num
FROM   counts AS c
JOIN   (SELECT begins, max(num) AS num FROM counts GROUP BY begins) AS m
ON     c.begins = m.begins AND c.num = m.num;
