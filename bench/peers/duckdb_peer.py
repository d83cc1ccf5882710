import duckdb
from job import SCHEMA, job, source, target, threads

sql = {"date": "DATE", "double": "DOUBLE", "string": "VARCHAR", "timestamp": "TIMESTAMP",
       "long": "BIGINT", "boolean": "BOOLEAN"}
db = duckdb.connect(config={"threads": threads, "memory_limit": "8GB"})
columns = ", ".join(f"'{name}': '{sql[kind]}'" for name, kind in SCHEMA.items())
if job == "events":
    reader = f"read_ndjson('{source}', columns={{{columns}}})"
else:
    reader = f"""read_csv('{source}', header=true, columns={{{columns}}}, quote='"', escape='"',
                          strict_mode=true)"""
db.sql(f"CREATE VIEW t AS SELECT * FROM {reader}")
QUERY = {
    "ma": """SELECT *, avg("Risk_Score") OVER (ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS ma50
             FROM t""",
    "day": """SELECT "Application Date", "State", count(*) AS n, avg("Risk_Score") AS risk_avg,
              min("Risk_Score") AS risk_min, max("Risk_Score") AS risk_max,
              sum("Amount Requested") AS amount FROM t GROUP BY ALL""",
    "events": "SELECT * FROM t"}[job]
db.sql(f"COPY ({QUERY}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
