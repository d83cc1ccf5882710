-- New users who opened an auction within the same 10 seconds.
CREATE FOREIGN TABLE q8 () SERVER store OPTIONS (mode 'upsert', key 'id, begins');
INSERT INTO q8
SELECT p.id, p.name, p.begins
FROM   (SELECT id, name, tumble(date_time, interval '10 s') AS begins
        FROM person GROUP BY id, name, begins) AS p
JOIN   (SELECT seller, tumble(date_time, interval '10 s') AS begins
        FROM auction GROUP BY seller, begins) AS a
ON     p.id = a.seller AND p.begins = a.begins;
