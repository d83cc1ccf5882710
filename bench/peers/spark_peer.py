import json
import os

from job import SCHEMA, job, source, target, threads
from pyspark.sql import SparkSession

spark = (SparkSession.builder.master(f"local[{threads}]").config("spark.driver.memory", "6g")
         .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", threads)
         .config("spark.sql.parquet.compression.codec", "zstd")
         .config("spark.log.level", "ERROR").getOrCreate())
kinds = {"date": "DATE", "double": "DOUBLE", "string": "STRING", "long": "BIGINT",
         "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}
schema = ", ".join(f"`{name}` {kinds[kind]}" for name, kind in SCHEMA.items())
t = (spark.read.json(source, schema=schema) if job == "events" else
     spark.read.csv(source, schema=schema, header=True, quote='"', escape='"'))
t.createOrReplaceTempView("t")
# A gzip file is one partition, so monotonically_increasing_id() is the file's order; a window
# without PARTITION BY moves every row to one task.
QUERY = {
    "ma": """SELECT * EXCEPT (id) FROM (SELECT *, avg(Risk_Score) OVER (ORDER BY id
             ROWS BETWEEN 49 PRECEDING AND CURRENT ROW) AS ma50
             FROM (SELECT *, monotonically_increasing_id() AS id FROM t))""",
    "day": """SELECT `Application Date`, State, count(*) AS n, avg(Risk_Score) AS risk_avg,
              min(Risk_Score) AS risk_min, max(Risk_Score) AS risk_max,
              sum(`Amount Requested`) AS amount FROM t GROUP BY 1, 2"""}
spark.sql(QUERY[job]).write.mode("overwrite").parquet(target)
# The driver's JVM is not this process's child by the time it ends: say here what it used.
pid = spark._jvm.java.lang.ProcessHandle.current().pid()
ticks = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[11:13]
peak = next(line.split()[1] for line in open(f"/proc/{pid}/status", encoding="ascii")
            if line.startswith("VmHWM"))
print(json.dumps({"user": int(ticks[0]) / os.sysconf("SC_CLK_TCK"), "rss_mib": int(peak) / 1024}))
spark.stop()
