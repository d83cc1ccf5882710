"""Delta tables, read back by others: deltalake, and DuckDB's extension."""
import json
import pathlib
import signal
import time

import deltalake
import duckdb
import duckdb_extension_delta
import pyarrow.compute as pc

DOORS = """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url 'lake');
CREATE FOREIGN TABLE events (id bigint, state text, day date, amount numeric(8,2), at timestamp,
                             seen timestamptz) SERVER files OPTIONS (path '*.csv');
"""
APPEND = DOORS + """
CREATE FOREIGN TABLE copies () SERVER lake OPTIONS (format 'delta', partition_by 'day, state');
INSERT INTO copies SELECT * FROM events;
"""
UPSERT = DOORS + """
CREATE FOREIGN TABLE totals () SERVER lake
    OPTIONS (format 'delta', mode 'upsert', key 'id', vacuum_after '0');
INSERT INTO totals SELECT id, count(*) AS n, sum(amount) AS amount FROM events GROUP BY id;
"""


def feed(leat, part, rows):
    lines = [f"{i},{'A b' if i % 2 else 'Ü/%'},2024-05-{1 + i % 3:02d},{i}.25,2024-05-01 10:00:0{i % 10},"
             f"2024-05-01 10:00:00.{i % 10}+02" for i in rows]
    leat.write(f"data/{part:04d}.csv", "id,state,day,amount,at,seen\n" + "\n".join(lines) + "\n")


def read(folder):
    return deltalake.DeltaTable(str(folder)).to_pyarrow_table()


def duckdb_reads(folder, query):
    """What DuckDB answers over the table `t`."""
    extension = next(pathlib.Path(duckdb_extension_delta.__file__).parent.rglob("delta.duckdb_extension"))
    with duckdb.connect() as connection:
        connection.load_extension(str(extension))
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"CREATE VIEW t AS SELECT * FROM delta_scan('{folder}')")
        return connection.execute(query).fetchall()


def test_appended_partitions(leat):
    pipeline = leat.write("append.sql", APPEND)
    feed(leat, 1, range(10))
    leat.run(pipeline)
    feed(leat, 2, range(10, 20))
    leat.run(pipeline)
    table = deltalake.DeltaTable(str(leat.home / "lake/copies"))
    assert table.metadata().partition_columns == ["day", "state"]
    types = {field.name: str(field.type.type) for field in table.schema().fields}
    assert types["amount"] == "decimal(8,2)"
    assert (types["at"], types["seen"]) == ("timestamp_ntz", "timestamp")
    rows = read(leat.home / "lake/copies").sort_by("id").to_pylist()
    assert [row["id"] for row in rows] == list(range(20))
    assert rows[4]["state"] == "Ü/%" and str(rows[4]["day"]) == "2024-05-02"
    assert str(rows[4]["amount"]) == "4.25" and str(rows[4]["at"]) == "2024-05-01 10:00:04"
    assert rows[4]["seen"].isoformat() == "2024-05-01T08:00:00.400000+00:00"
    assert duckdb_reads(leat.home / "lake/copies", """
        SELECT count(*), count(DISTINCT id), max(CASE id WHEN 4 THEN state END), sum(amount)::text,
               max(CASE id WHEN 4 THEN "at"::text END) FROM t""") == [
        (20, 20, "Ü/%", str(sum(row["amount"] for row in rows)), "2024-05-01 10:00:04")]
    leat("verify", pipeline, "--state", leat.home / "state")
    # Every version is still there.
    table.load_as_version(table.version() - 1)
    assert table.to_pyarrow_table().num_rows == 10


def test_a_million_updates_of_the_same_keys(leat):
    pipeline = leat.write("upsert.sql", UPSERT)
    for part in range(25):
        feed(leat, part, [i for i in range(2000) for _ in range(20)])
        leat.run(pipeline)
    table = read(leat.home / "lake/totals")
    assert table.num_rows == 2000 and set(table["n"].to_pylist()) == {500}
    assert pc.sum(table["n"]).as_py() == 1_000_000
    assert duckdb_reads(leat.home / "lake/totals", "SELECT count(*), sum(n)::text FROM t") == [
        (2000, "1000000")]
    leat("verify", pipeline, "--state", leat.home / "state")
    data = [path for path in (leat.home / "lake/totals").rglob("*.parquet")
            if "_delta_log" not in path.parts]
    log = list((leat.home / "lake/totals/_delta_log").iterdir())
    assert len(data) <= 12, "files that belong to no version are removed"
    assert len(log) <= 40, "the log is shortened behind a checkpoint"
    # Its own readers begin with a checkpoint too.
    assert leat.rows(pipeline, "SELECT count(*), sum(n) FROM totals") == [["2000", "1000000"]]


def test_columns_are_added(leat):
    pipeline = leat.write("append.sql", APPEND.replace("SELECT *", "SELECT id, day, state"))
    feed(leat, 1, range(3))
    leat.run(pipeline)
    leat.write("append.sql", APPEND.replace("SELECT *", "SELECT id, day, state, amount, at"))
    leat("run", pipeline, "--fresh", "--yes", "--state", leat.home / "state")
    rows = read(leat.home / "lake/copies").sort_by("id").to_pylist()
    assert [str(row["amount"]) for row in rows] == ["0.25", "1.25", "2.25"]


def test_small_files_are_made_one(leat):
    pipeline = leat.write("append.sql", APPEND.replace(", partition_by 'day, state'", ""))
    for part in range(20):
        feed(leat, part, range(part * 10, part * 10 + 10))
        leat.run(pipeline)
    table = deltalake.DeltaTable(str(leat.home / "lake/copies"))
    assert len(table.file_uris()) < 10
    assert sorted(read(leat.home / "lake/copies")["id"].to_pylist()) == list(range(200))
    # Readers of changes see each row once.
    news = [json.loads(line)["add"] for path in (leat.home / "lake/copies/_delta_log").glob("*.json")
            for line in path.read_text().splitlines() if line.startswith('{"add"')]
    assert sum(json.loads(add["stats"])["numRecords"] for add in news if add["dataChange"]) == 200


def test_somebody_elses_commits(leat):
    pipeline = leat.write("append.sql", APPEND.replace(", partition_by 'day, state'", ""))
    feed(leat, 1, range(10))
    leat.run(pipeline)
    folder = str(leat.home / "lake/copies")
    deltalake.write_deltalake(folder, read(folder).slice(0, 2), mode="append")
    feed(leat, 2, range(10, 20))
    leat.run(pipeline)
    assert read(folder).num_rows == 22
    deltalake.DeltaTable(folder).optimize.compact()
    feed(leat, 3, range(20, 30))
    leat.run(pipeline)
    assert read(folder).num_rows == 32


def test_killed_anywhere(leat):
    pipeline = leat.write("upsert.sql", UPSERT.replace("key 'id',", "key 'id', flush_interval '0',"))
    for part in range(8):
        feed(leat, part, range(500))
        process = leat.start("run", pipeline, "--follow", "--state", leat.home / "state")
        time.sleep(0.2 + 0.06 * part)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    leat.run(pipeline)
    table = read(leat.home / "lake/totals")
    assert table.num_rows == 500 and set(table["n"].to_pylist()) == {8}


def test_refusals(leat):
    feed(leat, 1, range(3))
    said = leat.fails("run", leat.write("a.sql", UPSERT.replace("'upsert', key 'id'", "'snapshot', partition_by 'dt'")),
                      "--state", leat.home / "a", code=2)
    assert "a Delta table has the modes" in said
    said = leat.fails("run", leat.write("b.sql", APPEND.replace("day, state", "amount")),
                      "--state", leat.home / "b", code=2)
    assert "partitioned by column \"amount\"" in said
