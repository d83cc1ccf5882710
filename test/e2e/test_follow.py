"""leat run --follow: what arrives is committed, each row once, whatever happens to whom."""
import contextlib
import json
import os
import random
import signal
import sqlite3
import time

import pytest

PIPELINE = """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'in');
CREATE SERVER lake  FOREIGN DATA WRAPPER file OPTIONS (url 'lake');
CREATE SERVER db    FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:out.db');
CREATE FOREIGN TABLE events (id bigint, k text, v bigint) SERVER files
  OPTIONS (path '*.ndjson', format 'ndjson'{tail});
CREATE FOREIGN TABLE every () SERVER db OPTIONS (mode 'append');
CREATE FOREIGN TABLE sums () SERVER db OPTIONS (mode 'upsert', key 'k');
CREATE FOREIGN TABLE copies () SERVER lake OPTIONS (path 'copies/', format 'ndjson',
                                                    compression 'none', flush_interval '200ms');
INSERT INTO every SELECT id, k, v FROM events;
INSERT INTO sums SELECT k, count(*) AS n, CAST(sum(v) AS bigint) AS v FROM events GROUP BY k;
INSERT INTO copies SELECT id, v FROM events;
"""


class Following:
    """A pipeline over a folder, followed; what is written, and what its sinks hold."""

    def __init__(self, leat, tail=False):
        self.leat = leat
        self.rows = []
        self.files = 0
        self.process = None
        (leat.home / "in").mkdir(exist_ok=True)
        self.pipeline = leat.write("p.sql", PIPELINE.format(tail=", tail 'true'" if tail else ""))

    def start(self, *words):
        self.process = self.leat.start("run", self.pipeline, "--state", self.leat.home / "state",
                                       "--follow", "--checkpoint-interval", "0.3", *words)

    def made(self, count):
        """New rows, as the text of a file."""
        first = len(self.rows)
        rows = [{"id": i, "k": f"k{i % 7}", "v": i * i % 101} for i in range(first, first + count)]
        self.rows += rows
        return "".join(json.dumps(row) + "\n" for row in rows)

    def arrive(self, count):
        """A file of so many rows, renamed into place."""
        self.files += 1
        path = self.leat.home / "in" / f"{self.files:05}.ndjson"
        path.with_suffix(".part").write_text(self.made(count))
        path.with_suffix(".part").rename(path)

    def drain(self):
        return self.leat.run(self.pipeline)

    def leave(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == code, out + err
        return out

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def committed(self):
        with contextlib.closing(sqlite3.connect(self.leat.home / "out.db")) as db:
            return db.execute("SELECT count(*) FROM every").fetchone()[0]

    def await_rows(self):
        """Until the warehouse has as many rows as were written."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()
            with contextlib.suppress(sqlite3.OperationalError):
                if self.committed() >= len(self.rows):
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.committed()} of {len(self.rows)} rows came")

    def check(self):
        """Every sink holds what its query answers over all rows, each once."""
        with contextlib.closing(sqlite3.connect(self.leat.home / "out.db")) as db:
            every = db.execute("SELECT id, k, v FROM every ORDER BY id").fetchall()
            sums = db.execute("SELECT k, n, v FROM sums ORDER BY k").fetchall()
        assert every == [(row["id"], row["k"], row["v"]) for row in self.rows]
        expected = {}
        for row in self.rows:
            n, v = expected.get(row["k"], (0, 0))
            expected[row["k"]] = (n + 1, v + row["v"])
        assert sums == [(k, n, v) for k, (n, v) in sorted(expected.items())]
        copies = []
        for path in sorted((self.leat.home / "lake" / "copies").glob("*.ndjson")):
            copies += [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted(row["id"] for row in copies) == [row["id"] for row in self.rows]


@pytest.fixture
def following(leat):
    run = Following(leat)
    yield run
    if run.process is not None and run.process.poll() is None:
        run.kill()


def test_what_arrives_is_committed_and_a_signal_leaves_in_order(following):
    following.arrive(10)
    following.start()
    following.await_rows()
    for _ in range(5):
        following.arrive(30)
        following.await_rows()
    summary = following.leave()
    assert "events: 160 rows read = 160 used + 0 rejected" in summary
    following.check()
    following.arrive(5)  # while it is away
    following.start()
    following.await_rows()
    assert "events: 5 rows read" in following.leave()
    following.check()
    assert "nothing new" in following.drain()


def test_a_log_is_followed_row_by_row(leat):
    following = Following(leat, tail=True)
    with open(leat.home / "in" / "log.ndjson", "w", encoding="utf-8") as log:
        log.write(following.made(3))
        log.flush()
        following.start()
        following.await_rows()
        half = following.made(1)
        log.write(half[:10])
        log.flush()
        log.write(half[10:])
        log.flush()
        following.await_rows()
        following.kill()
        log.write(following.made(100))
        log.flush()
        following.start()
        following.await_rows()
        following.leave()
    following.check()


def test_kill_at_any_time_loses_and_doubles_nothing(following):
    rounds = int(os.environ.get("LEAT_KILLS", "12"))
    dice = random.Random(rounds)
    for _ in range(rounds):
        following.start()
        for _ in range(dice.randrange(6)):
            following.arrive(dice.randrange(1, 200))
            time.sleep(dice.random() * 0.1)
        time.sleep(dice.random() * 0.5)
        following.kill()
    following.arrive(1)
    following.start()
    following.await_rows()
    following.leave()
    following.check()


def test_a_locked_sink_waits_and_the_others_go_on(following):
    following.arrive(10)
    following.start()
    following.await_rows()
    with contextlib.closing(sqlite3.connect(following.leat.home / "out.db")) as db:
        db.execute("BEGIN IMMEDIATE")
        following.arrive(50)
        copies = following.leat.home / "lake" / "copies"
        deadline = time.monotonic() + 60
        while sum(len(f.read_text().splitlines()) for f in copies.glob("*.ndjson")) < 60:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert following.process.poll() is None
        assert following.committed() == 10
        time.sleep(7)  # longer than a driver waits by itself
        db.rollback()
    following.await_rows()
    following.leave()
    following.check()


def test_two_processes_on_one_state(following):
    following.arrive(1)
    following.start()
    following.await_rows()
    said = following.leat.fails("run", following.pipeline, "--state",
                                following.leat.home / "state", "--follow", code=1)
    assert "another leat works on the state" in said
    following.leave()
    following.check()


def test_a_source_that_vanishes_is_waited_for(following):
    following.arrive(10)
    following.start()
    following.await_rows()
    inbox = following.leat.home / "in"
    inbox.rename(following.leat.home / "away")
    time.sleep(1)
    assert following.process.poll() is None
    (following.leat.home / "away").rename(inbox)
    following.arrive(5)
    following.await_rows()
    following.leave()
    following.check()


def refused(following, *words):
    return following.leat.fails("run", following.pipeline, "--state",
                                following.leat.home / "state", *words, code=2)


def test_a_state_that_was_deleted_doubles_nothing(following):
    following.arrive(20)
    following.drain()
    for path in sorted((following.leat.home / "state").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    said = refused(following)
    assert "belongs to another state" in said and "--adopt" in said
    assert "Add --yes" in refused(following, "--adopt")
    following.arrive(5)
    following.leat("run", following.pipeline, "--state", following.leat.home / "state", "--adopt",
                   "--yes")
    following.check()


def test_a_target_that_was_dropped_is_written_anew(following):
    following.arrive(20)
    following.drain()
    with contextlib.closing(sqlite3.connect(following.leat.home / "out.db")) as db:
        tables = [name for (name,) in
                  db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in tables:
            db.execute(f'DROP TABLE "{name}"')
        db.commit()
    following.arrive(5)
    said = refused(following)
    assert "has lost its mark" in said and "--rebuild" in said
    assert 'sink "sum" does not exist' in refused(following, "--rebuild", "sum", "--yes")
    following.leat("run", following.pipeline, "--state", following.leat.home / "state",
                   "--rebuild", "every", "--rebuild", "sums", "--yes")
    following.check()
    following.arrive(5)
    following.drain()
    following.check()


def test_a_target_put_back_to_an_earlier_time_is_noticed(following):
    following.arrive(20)
    following.drain()
    database = following.leat.home / "out.db"
    backup = database.read_bytes()
    following.arrive(5)
    following.drain()
    database.write_bytes(backup)
    said = refused(following)
    assert "was put back to an earlier time" in said
    following.leat("run", following.pipeline, "--state", following.leat.home / "state", "--adopt",
                   "--yes")
    following.check()


def test_a_state_put_back_to_an_earlier_time_is_noticed(following):
    following.arrive(20)
    following.drain()
    state = following.leat.home / "state"
    backup = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    following.arrive(5)
    following.drain()
    for path in state.rglob("*"):
        if path.is_file():
            path.unlink()
    for path, content in backup.items():
        path.write_bytes(content)
    assert "is ahead of the state" in refused(following)
    following.leat("run", following.pipeline, "--state", state, "--adopt", "--yes")
    following.check()
