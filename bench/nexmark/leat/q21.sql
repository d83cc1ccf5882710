-- The id of a channel.
CREATE FOREIGN TABLE q21 () SERVER lake OPTIONS (path 'q21/', format 'parquet');
INSERT INTO q21
SELECT auction, bidder, price, channel, channel_id
FROM   (SELECT auction, bidder, price, channel,
       CASE lower(channel)
         WHEN 'apple' THEN '0'
         WHEN 'google' THEN '1'
         WHEN 'facebook' THEN '2'
         WHEN 'baidu' THEN '3'
         ELSE (regexp_match(url, '(&|^)channel_id=([^&]*)'))[2] END AS channel_id
        FROM bid) AS ids
WHERE  channel_id IS NOT NULL;
