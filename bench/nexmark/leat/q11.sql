-- Sessions of bidders.
CREATE FOREIGN TABLE q11 () SERVER store OPTIONS (mode 'upsert', key 'bidder, begins');
INSERT INTO q11
SELECT bidder, session(date_time, interval '10 s') AS begins, max(date_time) AS ends, count(*) AS bids
FROM   bid GROUP BY bidder, begins;
