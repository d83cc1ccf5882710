"""Topics in folders: one pipeline writes them, another reads them on, killed anywhere."""
import csv
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import time

WRITER = """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');
CREATE SERVER topics FOREIGN DATA WRAPPER stream OPTIONS (url 'file:topics');
CREATE FOREIGN TABLE events (id bigint, state text, score double precision) SERVER files
    OPTIONS (path '*.csv');
CREATE FOREIGN TABLE scores () SERVER topics OPTIONS (key 'state', partitions '3', envelope 'schema');
INSERT INTO scores SELECT id, state, score, avg(score) OVER (ROWS 2 PRECEDING) AS ma3 FROM events;
"""
READER = """
CREATE SERVER topics FOREIGN DATA WRAPPER stream OPTIONS (url 'file:topics');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE FOREIGN TABLE scores (id bigint, ma3 double precision, key text OPTIONS (metadata 'key'),
    partition integer OPTIONS (metadata 'partition'), place bigint OPTIONS (metadata 'offset'))
    SERVER topics OPTIONS (envelope 'schema');
CREATE FOREIGN TABLE copy () SERVER warehouse OPTIONS (key 'id');
CREATE FOREIGN TABLE places () SERVER warehouse OPTIONS (key 'partition');
INSERT INTO copy SELECT id, ma3, key FROM scores;
INSERT INTO places SELECT partition, count(*) AS records, max(place) AS last FROM scores GROUP BY partition;
"""


def feed(leat, part, rows):
    lines = "".join(f"{part * rows + i},{'ABCDE'[i % 5]},{i % 7}\n" for i in range(rows))
    leat.write(f"data/part-{part:02d}.csv", "id,state,score\n" + lines)


def copied(leat):
    with sqlite3.connect(leat.home / "w.db") as db:
        try:
            return [row[0] for row in db.execute("SELECT id FROM copy ORDER BY id")]
        except sqlite3.OperationalError:
            return []


def test_two_pipelines_in_a_row(leat):
    writer, reader = leat.write("writer.sql", WRITER), leat.write("reader.sql", READER)
    for part in range(3):
        feed(leat, part, 1000)
        leat("run", writer, "--state", leat.home / "w")
        leat("run", reader, "--state", leat.home / "r")
        assert copied(leat) == list(range((part + 1) * 1000))
    with sqlite3.connect(leat.home / "w.db") as db:
        for records, last in db.execute("SELECT records, last FROM places"):
            assert last == records - 1
        assert db.execute("SELECT sum(records) FROM places").fetchone() == (3000,)
    first = (leat.home / "topics/scores/segment-000000000001.ndjson").read_text().splitlines()[0]
    value = json.loads(first)["value"]
    assert value["schema"]["fields"][0] == {"type": "int64", "optional": True, "field": "id"}
    assert value["payload"] == {"id": 0, "state": "A", "score": 0, "ma3": 0}
    leat("verify", writer, "scores", "--state", leat.home / "w")


def test_killed_writers_and_readers_lose_and_double_nothing(leat):
    writer, reader = leat.write("writer.sql", WRITER), leat.write("reader.sql", READER)
    for part in range(8):
        feed(leat, part, 500)
        processes = [leat.start("run", writer, "--follow", "--state", leat.home / "w"),
                     leat.start("run", reader, "--follow", "--state", leat.home / "r")]
        time.sleep(0.15 + 0.05 * part)  # anywhere
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    leat("run", writer, "--state", leat.home / "w")
    leat("run", reader, "--state", leat.home / "r")
    assert copied(leat) == list(range(4000))
    with sqlite3.connect(leat.home / "w.db") as db:
        assert db.execute("SELECT sum(records) FROM places").fetchone() == (4000,)


def test_the_second_task_of_the_rejected_loans(leat, root):
    data = leat.home / "data"
    data.mkdir()
    subprocess.run([sys.executable, root / "bench/gen_rejected.py", data / "rejected_2007_2018.csv.gz",
                    "--rows", "3000"], check=True, capture_output=True)
    leat.environment = {"DATA": str(data), "TOPICS": f"file:{leat.home}/topics",
                        "WAREHOUSE": f"sqlite:{leat.home}/w.db"}
    for pipeline in ("feed", "stream"):
        leat("run", root / f"examples/rejected/{pipeline}.sql", "--state", leat.home / pipeline)
    with gzip.open(data / "rejected_2007_2018.csv.gz", "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    order = ([row for row in rows if row["Application Date"] < "2008"]
             + [row for row in rows if row["Application Date"] >= "2008"])
    scores = [float(row["Risk_Score"]) if row["Risk_Score"] else None for row in order]
    averages = []
    for i in range(len(scores)):
        known = [score for score in scores[max(0, i - 49):i + 1] if score is not None]
        averages.append(sum(known) / len(known) if known else None)
    with sqlite3.connect(leat.home / "w.db") as db:
        held = [row[0] for row in db.execute("SELECT ma50 FROM risk_scores ORDER BY rowid")]
    assert len(held) == len(averages) == 3000
    assert all(a == b or abs(a - b) < 1e-9 for a, b in zip(held, averages))
    lines = (leat.home / "topics/outflow/segment-000000000001.ndjson").read_text().splitlines()
    out = [json.loads(line)["value"]["payload"] for line in lines]
    first = sum(row["Application Date"] < "2008" for row in rows)
    assert [row["ma50"] for row in out] == held[first:]


def test_a_topic_is_shown_and_emptied(leat):
    writer, reader = leat.write("writer.sql", WRITER), leat.write("reader.sql", READER)
    feed(leat, 0, 100)
    leat("run", writer, "--state", leat.home / "w")
    leat("run", reader, "--state", leat.home / "r")
    shown = leat("topic", leat.home / "topics/scores")
    assert shown.startswith("partition 0: ") and "written by scores, up to epoch 1 " in shown
    leat("topic", leat.home / "topics/scores", "--empty", "--yes")
    assert leat("topic", leat.home / "topics/scores").startswith("partition 0: 0 records, ")
    # Writers and readers that were at its end go on.
    feed(leat, 1, 100)
    leat("run", writer, "--state", leat.home / "w")
    leat("run", reader, "--state", leat.home / "r")
    assert copied(leat) == list(range(200))
    assert "there is no topic" in leat.fails("topic", leat.home / "data", code=1)
