import os

from job import SCHEMA, job, source, target, threads

os.environ["POLARS_MAX_THREADS"] = str(threads)
import polars as pl  # noqa: E402  (reads its threads when imported)

kinds = {"date": pl.Date, "double": pl.Float64, "string": pl.String, "long": pl.Int64,
         "timestamp": pl.Datetime("us"), "boolean": pl.Boolean}
schema = {name: kinds[kind] for name, kind in SCHEMA.items()}
t = (pl.scan_ndjson(source, schema=schema) if job == "events" else
     pl.scan_csv(source, schema=schema, try_parse_dates=True))
risk = pl.col("Risk_Score")
if job == "ma":
    t = t.with_columns(risk.rolling_mean(50, min_samples=1).alias("ma50"))
elif job == "day":
    t = t.group_by("Application Date", "State").agg(
        pl.len().alias("n"), risk.mean().alias("risk_avg"), risk.min().alias("risk_min"),
        risk.max().alias("risk_max"), pl.col("Amount Requested").sum().alias("amount"))
t.sink_parquet(target, compression="zstd", engine=os.environ.get("POLARS_ENGINE", "streaming"))
