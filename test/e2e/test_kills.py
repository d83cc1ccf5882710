"""kill -9 at random: whatever remains, the next run makes of it what an uninterrupted one makes.

LEAT_KILLS says how often (30), LEAT_KILL_SEED with which luck (drawn, and shown when it fails).
"""
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time

import pyarrow.parquet
import pytest

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:${LAKE}/w.db');

CREATE FOREIGN TABLE orders (
    id bigint NOT NULL, customer text, amount double precision CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv');

CREATE MATERIALIZED VIEW customers WITH (key = 'customer') AS
SELECT customer, count(*) AS orders, sum(amount) AS revenue FROM orders GROUP BY customer;

CREATE FOREIGN TABLE totals () SERVER warehouse OPTIONS (mode 'upsert', key 'customer');
INSERT INTO totals SELECT * FROM customers;

CREATE FOREIGN TABLE bad () SERVER warehouse OPTIONS (mode 'append');
INSERT INTO bad SELECT file, line, raw, reason FROM orders__rejects;

CREATE FOREIGN TABLE smooth () SERVER lake OPTIONS (path 'smooth/', format 'parquet');
INSERT INTO smooth
SELECT id, customer, avg(amount) OVER (ROWS 9 PRECEDING) AS mean FROM orders;

CREATE FOREIGN TABLE best () SERVER lake OPTIONS (path 'best/', format 'parquet', mode 'replace');
INSERT INTO best SELECT customer, max(amount) AS amount FROM orders GROUP BY customer;
"""
KILLS = int(os.environ.get("LEAT_KILLS", 30))
SEED = int(os.environ.get("LEAT_KILL_SEED", random.randrange(1 << 30)))


def orders(luck, number, rows):
    """A file of orders; about one in a hundred cannot be used."""
    lines = ["id,customer,amount"]
    for i in range(rows):
        amount = round(luck.expovariate(0.02), 2) if luck.random() > 0.01 else luck.choice(("x", "-1"))
        lines.append(f"{number * rows + i},{luck.choice('abcdefghij')}{luck.randrange(40)},{amount}")
    return "\n".join(lines) + "\n"


def parquet_rows(folder):
    """The rows of the files in sight: what a reader of the folder sees."""
    rows = []
    for path in sorted(folder.rglob("*.parquet")):
        if "_leat" not in path.parts:
            rows += [tuple(row.values()) for row in pyarrow.parquet.read_table(path).to_pylist()]
    return sorted(rows)


def contents(lake):
    tables = {}
    with sqlite3.connect(lake / "w.db") as db:
        for table in ("totals", "bad"):
            tables[table] = sorted(db.execute(f"SELECT * FROM {table}").fetchall())
    for table in ("smooth", "best"):
        tables[table] = parquet_rows(lake / table)
    return tables


class Loop:
    """Runs that are killed, over files that come meanwhile."""

    def __init__(self, leat, luck, rows):
        self.leat, self.luck, self.rows = leat, luck, rows
        self.files = self.killed = self.ended = 0
        self.data = leat.home / "data"
        leat.write("p.sql", PIPELINE)
        self.add_file()

    def use(self, lake):
        (self.leat.home / lake).mkdir(exist_ok=True)
        self.leat.environment = {"DATA": str(self.data), "LAKE": str(self.leat.home / lake)}
        return ["run", "p.sql", "--state", lake + ".state", "--quiet"]

    def add_file(self):
        """A file that is whole when it has its name."""
        text = orders(self.luck, self.files, self.rows)
        written = self.leat.write(f"data/_orders_{self.files:04}.csv", text)
        written.rename(self.data / f"orders_{self.files:04}.csv")
        self.files += 1

    def run_and_kill(self, words, after):
        """Files come before it or while it runs."""
        early = self.luck.uniform(0, after)
        process = self.leat.start(*words)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(early)
            if self.luck.random() < 0.5:
                self.add_file()
            process.wait(after - early)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            self.killed += 1
        else:
            assert process.returncode == 0, err
            self.ended += 1

    def check_rows_are_there_once(self, lake):
        """What holds at any moment of what is committed at once."""
        if not (lake / "w.db").exists():
            return
        with sqlite3.connect(lake / "w.db") as db:
            for table, key in (("totals", "customer"), ("bad", "file, line")):
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                    continue
                doubled = db.execute(f"SELECT {key}, count(*) FROM {table} GROUP BY {key} "
                                     "HAVING count(*) > 1").fetchall()
                assert not doubled, (table, doubled[:5])
        ids = [row[0] for row in parquet_rows(lake / "smooth")]
        assert len(ids) == len(set(ids)), "a row is in the lake twice"


@pytest.mark.parametrize("flags", [[], ["--follow"]], ids=["drain", "follow"])
def test_kills_lose_nothing_and_double_nothing(leat, flags):
    print(f"LEAT_KILL_SEED={SEED}")
    luck = random.Random(SEED)
    loop = Loop(leat, luck, rows=2000)
    begin = time.monotonic()
    leat(*loop.use("warm"))
    usual = time.monotonic() - begin  # how long a run takes here

    killed = loop.use("killed")
    while loop.killed < KILLS and loop.killed + loop.ended < 20 * KILLS:
        loop.run_and_kill(killed + flags, luck.uniform(0, 1.2 * usual))
        loop.check_rows_are_there_once(leat.home / "killed")
    assert loop.killed >= KILLS, f"{loop.ended} runs ended before their kill"

    leat(*killed)
    leat(*loop.use("whole"))
    expected, found = contents(leat.home / "whole"), contents(leat.home / "killed")
    assert found == expected
    assert len(expected["smooth"]) + len(expected["bad"]) == loop.files * loop.rows
    leat.environment["LAKE"] = str(leat.home / "killed")
    assert "nothing new" in leat(*[word for word in killed if word != "--quiet"])
