"""The vehicles example as Spark's file stream does it: both kinds of files into SQLite, and the daily
summary kept from what each batch brings. usage: spark_vehicles.py FOLDER DATABASE CHECKPOINTS [THREADS]
"""
import json
import os
import sqlite3
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

folder, database, checkpoints = sys.argv[1:4]
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2

EVENTS = """vehicles_events ARRAY<STRUCT<vehicle_id STRING, event_time TIMESTAMP, event_source STRING,
            event_type STRING, event_value STRING, event_extra_data STRING>>"""
STATUS = """vehicles_status ARRAY<STRUCT<vehicle_id STRING, report_time TIMESTAMP, status_source STRING,
            status STRING>>"""

spark = (SparkSession.builder.master(f"local[{threads}]").config("spark.driver.memory", "6g")
         .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", threads)
         .config("spark.sql.session.timeZone", "UTC")
         .config("spark.sql.execution.arrow.pyspark.enabled", "true")
         .config("spark.log.level", "ERROR").getOrCreate())
warehouse = sqlite3.connect(database, check_same_thread=False)
warehouse.executescript("""
    CREATE TABLE events (vehicle_id, event_time, event_source, event_type, event_value, event_extra_data);
    CREATE TABLE status (vehicle_id, report_time, status_source, status);
    CREATE TABLE daily_summary (vehicle_id, day, events, last_event_time, last_event_type,
                                PRIMARY KEY (vehicle_id, day));
""")


def stream(kind, schema, put):
    rows = (spark.readStream.schema(schema).option("multiLine", "true")
            .option("pathGlobFilter", f"{kind}_*.json").json(folder)
            .select(f.inline(kind)))
    return (rows.writeStream.trigger(availableNow=True).foreachBatch(put)
            .option("checkpointLocation", f"{checkpoints}/{kind}").start())


def rows_of(frame):
    times = [field.name for field in frame.schema if field.dataType.typeName() in ("timestamp", "date")]
    for name in times:
        frame = frame.withColumn(name, f.col(name).cast("string"))
    return frame.toPandas().itertuples(index=False, name=None)


def put_events(batch, _):
    batch.persist()
    days = batch.groupBy("vehicle_id", f.to_date("event_time").alias("day")).agg(
        f.count("*"), f.max("event_time").alias("last_event_time"), f.max_by("event_type", "event_time"))
    with warehouse:
        warehouse.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows_of(batch))
        warehouse.executemany("""
            INSERT INTO daily_summary VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            events = events + excluded.events,
            last_event_type = iif(excluded.last_event_time > last_event_time, excluded.last_event_type,
                                  last_event_type),
            last_event_time = max(last_event_time, excluded.last_event_time)""", rows_of(days))
    batch.unpersist()


def put_status(batch, _):
    with warehouse:
        warehouse.executemany("INSERT INTO status VALUES (?, ?, ?, ?)", rows_of(batch))


# One after the other: they share the connection and the cores.
stream("vehicles_events", EVENTS, put_events).awaitTermination()
stream("vehicles_status", STATUS, put_status).awaitTermination()
# The driver's JVM is not this process's child by the time it ends: say here what it used.
pid = spark._jvm.java.lang.ProcessHandle.current().pid()
ticks = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[11:13]
peak = next(line.split()[1] for line in open(f"/proc/{pid}/status", encoding="ascii")
            if line.startswith("VmHWM"))
print(json.dumps({"user": int(ticks[0]) / os.sysconf("SC_CLK_TCK"), "rss_mib": int(peak) / 1024}))
spark.stop()
