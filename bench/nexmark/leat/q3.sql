-- Local item suggestion.
CREATE FOREIGN TABLE q3 () SERVER lake OPTIONS (path 'q3/', format 'parquet');
INSERT INTO q3
SELECT p.name, p.city, p.state, a.id
FROM   auction AS a JOIN person AS p ON a.seller = p.id
WHERE  a.category = 10 AND p.state IN ('OR', 'ID', 'CA');
