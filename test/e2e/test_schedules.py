"""leat run by the clock: --every, --cron, --retries, --timeout."""
import re
import signal
import sqlite3
import time

PIPELINE = """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE FOREIGN TABLE numbers (x bigint) SERVER files OPTIONS (path '*.csv');
CREATE FOREIGN TABLE copies () SERVER warehouse;
INSERT INTO copies SELECT x FROM numbers;
"""


def copied(leat):
    with sqlite3.connect(leat.home / "w.db") as db:
        return [row[0] for row in db.execute("SELECT x FROM copies ORDER BY x")]


def wait_for(condition):
    for _ in range(600):
        try:
            if condition():
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_every_second(leat):
    pipeline = leat.write("p.sql", PIPELINE)
    leat.write("data/1.csv", "x\n1\n")
    process = leat.start("run", pipeline, "--every", "1 s", "--state", leat.home / "state")
    wait_for(lambda: copied(leat) == [1])
    leat.write("data/2.csv", "x\n2\n")
    wait_for(lambda: copied(leat) == [1, 2])
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(re.findall("numbers: ", out)) >= 2


def test_failures_are_tried_again(leat):
    pipeline = leat.write("p.sql", PIPELINE)  # there is no folder yet
    process = leat.start("run", pipeline, "--retries", "100", "--retry-after", "1 s", "--state",
                         leat.home / "state")
    assert "data" in process.stderr.readline()
    leat.write("data/1.csv", "x\n1\n")
    process.communicate(timeout=120)
    assert process.returncode == 0 and copied(leat) == [1]
    said = leat.fails("run", leat.write("q.sql", PIPELINE.replace("'data'", "'none'").replace("w.db", "q.db")), "--retries",
                      "2", "--retry-after", "0", "--state", leat.home / "q", code=1)
    assert said.count("trying again") == 2


def test_a_run_that_takes_too_long(leat):
    pipeline = leat.write("p.sql", PIPELINE)
    leat.write("data/1.csv", "x\n1\n")
    said = leat.fails("run", pipeline, "--follow", "--timeout", "2 s", "--state",
                      leat.home / "state", code=1)
    assert "--timeout" in said
    assert copied(leat) == [1]


def test_wrong_schedules_are_refused(leat):
    pipeline = leat.write("p.sql", PIPELINE)
    assert "invalid hour" in leat.fails("run", pipeline, "--cron", "0 25 * * *", code=2)
    assert "option \"every\"" in leat.fails("run", pipeline, "--every", "soon", code=2)
    leat.fails("run", pipeline, "--every", "1 s", "--cron", "* * * * *", code=2)
    leat.fails("run", pipeline, "--every", "1 s", "--follow", code=2)
