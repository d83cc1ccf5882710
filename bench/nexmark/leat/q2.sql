-- Selection.
CREATE FOREIGN TABLE q2 () SERVER lake OPTIONS (path 'q2/', format 'parquet');
INSERT INTO q2
SELECT auction, price FROM bid WHERE auction % 123 = 0;
