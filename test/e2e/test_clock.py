"""A followed run moves with the clock, though no row comes."""
import contextlib
import datetime
import json
import sqlite3
import time

PIPELINE = """
SET clock_tick = '100 ms';
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'in');
CREATE SERVER db    FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:out.db');
CREATE FOREIGN TABLE events (id bigint, at timestamptz) SERVER files
  OPTIONS (path '*.ndjson', format 'ndjson');
CREATE FOREIGN TABLE states () SERVER db OPTIONS (mode 'upsert', key 'id');
INSERT INTO states
SELECT id, CASE WHEN at > now() THEN 'to come' WHEN at > now() - interval '1 h' THEN 'here'
           ELSE 'gone' END AS state
FROM events WHERE at > now() - interval '1 day';
"""


def states(home):
    if not (home / "out.db").exists():
        return {}
    with contextlib.closing(sqlite3.connect(home / "out.db")) as database:
        try:
            return dict(database.execute("SELECT id, state FROM states"))
        except sqlite3.OperationalError:  # not made yet
            return {}


def test_rows_come_change_and_go(leat):
    pipeline = leat.write("p.sql", PIPELINE)
    (leat.home / "in").mkdir()
    now = datetime.datetime.now(datetime.timezone.utc)
    hour, day = datetime.timedelta(hours=1), datetime.timedelta(days=1)
    soon = now + datetime.timedelta(seconds=4)
    rows = [{"id": 1, "at": str(soon)}, {"id": 2, "at": str(soon - hour)},
            {"id": 3, "at": str(soon - day)}, {"id": 4, "at": str(now + day)}]
    leat.write("in/1.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
    process = leat.start("run", pipeline, "--follow")
    seen = []
    for _ in range(3000):  # however long it takes
        found = states(leat.home)
        if found and (not seen or seen[-1] != found):
            seen.append(found)
        if seen and seen[-1] == {1: "here", 2: "gone", 4: "to come"}:
            break
        time.sleep(0.02)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert seen[-1] == {1: "here", 2: "gone", 4: "to come"}
    # Unless the machine was so slow that it began later: all went at once, with nothing coming.
    assert seen[0] in ({1: "to come", 2: "here", 3: "gone", 4: "to come"}, seen[-1])


def test_a_drain_moves_too(leat):
    pipeline = leat.write("p.sql", PIPELINE)
    (leat.home / "in").mkdir()
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    leat.write("in/1.ndjson", json.dumps({"id": 1, "at": str(soon)}) + "\n")
    leat.run(pipeline)
    assert 1 in states(leat.home)
    while datetime.datetime.now(datetime.timezone.utc) <= soon:
        time.sleep(0.1)
    leat.run(pipeline)
    assert states(leat.home) == {1: "here"}
