-- Join with a bounded side input.
CREATE FOREIGN TABLE side_input (k bigint, val text)
    SERVER events OPTIONS (path 'side_input/*.csv', header 'false');
CREATE FOREIGN TABLE q13 () SERVER lake OPTIONS (path 'q13/', format 'parquet');
INSERT INTO q13
SELECT b.auction, b.bidder, b.price, b.date_time, s.val
FROM   bid AS b JOIN side_input AS s ON b.auction % 10000 = s.k;
