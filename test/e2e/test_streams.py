"""Topics in folders: one pipeline writes them, another reads them on, killed anywhere."""
import json
import signal
import sqlite3
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
