-- The last bid of each bidder on each auction.
CREATE FOREIGN TABLE q18 () SERVER store OPTIONS (mode 'upsert', key 'bidder, auction');
INSERT INTO q18
SELECT DISTINCT ON (bidder, auction) auction, bidder, price, channel, url, date_time, extra
FROM   bid ORDER BY bidder, auction, date_time DESC;
