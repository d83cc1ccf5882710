-- The ten highest bids of each auction.
CREATE FOREIGN TABLE q19 () SERVER store OPTIONS (mode 'upsert', key 'auction, rank_number');
INSERT INTO q19
SELECT auction, bidder, price, channel, url, date_time, extra, rank_number
FROM   (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC, date_time) AS rank_number
        FROM bid) AS ranked
WHERE  rank_number <= 10;
