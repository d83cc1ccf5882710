"""leat replay: files are read again after they changed, and the sinks are what the queries answer."""
import json
import os
import random
import sqlite3
import time

import pytest

from test_serve import Running, eventually

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url './lake');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE FOREIGN TABLE orders (
    id bigint NOT NULL, customer text, amount numeric CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv');
CREATE MATERIALIZED VIEW totals WITH (key = 'customer') AS
SELECT customer, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer;
CREATE FOREIGN TABLE sums () SERVER warehouse OPTIONS (mode 'upsert', key 'customer');
CREATE FOREIGN TABLE log () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE archive () SERVER lake OPTIONS (path 'archive/', format 'parquet');
CREATE FOREIGN TABLE top () SERVER lake OPTIONS (path 'top/', format 'csv', mode 'replace');
INSERT INTO sums SELECT * FROM totals;
INSERT INTO log SELECT id, amount FROM orders;
INSERT INTO archive SELECT *, avg(amount) OVER (ROWS 1 PRECEDING) AS ma2 FROM orders;
INSERT INTO top SELECT customer, max(amount) AS most FROM orders GROUP BY customer;
"""
SINKS = ("sums", "log", "archive", "top")
HEAD = "id,customer,amount\n"


def put(leat, number, rows):
    """A file that is there at once, whole; another than the one that was there before."""
    leat.write(f"data/.{number}", HEAD + rows).rename(leat.home / f"data/orders_{number}.csv")


@pytest.fixture
def shop(leat):
    leat.write("p.sql", PIPELINE)
    put(leat, 1, "1,Ada,20\n2,Grace,5.5\n3,Ada,-1\n")
    put(leat, 2, "4,Eve,7\n5,Ada,1\n")
    leat("run", "p.sql")
    return leat


def sums(shop):
    with sqlite3.connect(shop.home / "w.db") as db:
        rows = db.execute("SELECT customer, orders, spent FROM sums ORDER BY 1").fetchall()
    db.close()
    return rows


def is_whole(shop, *counts):
    """Every sink is what its query answers, and has so many rows."""
    said = shop("verify", "p.sql").splitlines()
    assert all(line.endswith(", as the query answers") for line in said), said
    if counts:
        assert [int(line.split()[1]) for line in said] == list(counts)


def test_a_corrected_file(shop):
    put(shop, 1, "1,Ada,2\n2,Grace,5.5\n3,Ada,100\n9,Bob,1\n")
    assert "changed after it was read" in shop.fails("run", "p.sql", code=1)
    # It says what it would do, and does not without leave.
    said = shop.fails("replay", "p.sql", "orders", "--from", "orders_1.csv", code=2)
    assert "orders_1.csv: 3 rows were read; they are taken back, and it is read: it has changed" in said
    assert "sink archive: the rows that leat wrote are dropped and written anew" in said
    assert "sink sums: rows that differ are written" in said and "Add --yes" in said
    assert sums(shop) == [("Ada", 2, "21"), ("Eve", 1, "7"), ("Grace", 1, "5.5")]

    said = shop("replay", "p.sql", "orders", "--from", "orders_1.csv", "--yes")
    assert "orders: 6 rows read = 6 used + 0 rejected" in said
    assert sums(shop) == [("Ada", 3, "103"), ("Bob", 1, "1"), ("Eve", 1, "7"), ("Grace", 1, "5.5")]
    is_whole(shop, 4, 6, 6, 4)
    assert shop("rejects", "p.sql") == "no rejects\n"
    assert shop("sql", "p.sql", "-At", "-c", "SELECT orders FROM totals ORDER BY customer") == "3\n1\n1\n1\n"
    # The next run reads what is new, and nothing else.
    put(shop, 3, "10,Bob,1\n")
    assert "orders: 1 rows read" in shop("run", "p.sql")
    is_whole(shop, 4, 7, 7, 4)


def test_only_rows_that_differ_are_written(shop):
    with sqlite3.connect(shop.home / "w.db") as db:
        db.execute("CREATE TABLE touched (customer)")
        for event in ("INSERT", "UPDATE"):
            db.execute(f"CREATE TRIGGER t{event} AFTER {event} ON sums BEGIN "
                       "INSERT INTO touched VALUES (new.customer); END")
    db.close()
    put(shop, 2, "4,Eve,8\n5,Ada,1\n")
    shop("replay", "p.sql", "orders", "--from", "orders_2.csv", "--yes")
    with sqlite3.connect(shop.home / "w.db") as db:
        assert {row[0] for row in db.execute("SELECT customer FROM touched")} == {"Eve"}
    db.close()


def test_a_file_that_is_gone_and_a_time(shop):
    (shop.home / "data/orders_1.csv").unlink()
    assert "is gone" in shop.fails("run", "p.sql", code=1)
    put(shop, 2, "4,Eve,7\n")
    # What is not named must be what it was.
    said = shop.fails("replay", "p.sql", "orders", "--from", "orders_1.csv", "--yes", code=2)
    assert 'file "orders_2.csv" changed after it was read' in said and "Name it with --from too" in said
    said = shop.fails("replay", "p.sql", "orders", "--from", "orders_2.*", "--yes", code=2)
    assert 'file "orders_1.csv" vanished' in said
    assert len(sums(shop)) == 3
    shop("replay", "p.sql", "orders", "--from", "2001-01-01", "--yes")
    assert sums(shop) == [("Eve", 1, "7")]
    is_whole(shop, 1, 1, 1, 1)
    # By time alone: of two files, the one that was written since.
    os.utime(shop.home / "data/orders_2.csv", (1e9, 1e9))
    put(shop, 3, "6,Eve,1\n")
    shop("run", "p.sql")
    put(shop, 3, "6,Eve,2\n")
    said = shop.fails("replay", "p.sql", "orders", "--from", "2020-01-01 12:00", code=2)
    assert "orders_3.csv: 1 rows" in said and "orders_2.csv" not in said
    shop("replay", "p.sql", "orders", "--from", "2020-01-01 12:00", "--yes")
    assert sums(shop) == [("Eve", 2, "9")]


def test_what_is_refused(shop):
    replay = ("replay", "p.sql")
    said = shop.fails(*replay, "customers", "--from", "x", "--yes", code=2)
    assert 'source "customers" does not exist' in said and "The pipeline reads: orders" in said
    said = shop.fails(*replay, "orders", "--from", "nothing*", "--yes", code=2)
    assert 'no file that was read is meant by "nothing*"' in said and "orders_1.csv, orders_2.csv" in said
    shop.write("p.sql", PIPELINE.replace("max(amount)", "min(amount)"))
    assert "not the one that its state was made by" in shop.fails(
        *replay, "orders", "--from", "orders_1.csv", "--yes", code=2)
    assert "there is no state" in shop.fails(
        *replay, "orders", "--from", "x", "--yes", "--state", "nowhere", code=2)
    assert not (shop.home / "nowhere").exists()
    # Too many rejects: nothing is done.
    shop.write("p.sql", PIPELINE.replace("'orders_*.csv'", "'orders_*.csv', max_rejects '1'"))
    put(shop, 2, "x,Eve,7\ny,Ada,1\n")
    assert "too many rejects" in shop.fails(*replay, "orders", "--from", "orders_2.csv", "--yes", code=3)
    assert len(sums(shop)) == 3


def test_as_new(shop):
    said = shop.fails("replay", "p.sql", "orders", "--from", "orders_2.csv", "--as-new", code=2)
    assert "orders_2.csv: 2 rows were read; they stay, and it is read once more: it holds the same" in said
    said = shop("replay", "p.sql", "orders", "--from", "orders_2.csv", "--as-new", "--yes")
    assert "orders: 2 rows read" in said
    assert sums(shop) == [("Ada", 3, "22"), ("Eve", 2, "14"), ("Grace", 1, "5.5")]
    assert "nothing new" in shop("run", "p.sql")
    # What it gave twice cannot be had again by reading it once: nobody pretends.
    assert "read again as new" in shop.fails("verify", "p.sql", "sums", code=2)
    assert "read again as new" in shop.fails("replay", "p.sql", "orders", "--from", "orders_1.csv",
                                             "--yes", code=2)
    put(shop, 3, "6,Eve,1\n")
    shop("run", "p.sql")
    assert sums(shop)[1] == ("Eve", 3, "15")
    shop("replay", "p.sql", "orders", "--from", "orders_2.csv", "--yes")
    assert sums(shop) == [("Ada", 2, "21"), ("Eve", 2, "8"), ("Grace", 1, "5.5")]
    is_whole(shop)


@pytest.fixture
def running(shop):
    process = Running(shop)
    eventually(lambda: process.health()["healthy"])
    yield process
    process.process.kill()
    process.process.wait()


def test_beside_a_running_process(shop, running):
    put(shop, 1, "1,Ada,2\n")
    shop("replay", "p.sql", "orders", "--from", "orders_1.csv", "--yes")
    assert sums(shop) == [("Ada", 2, "3"), ("Eve", 1, "7")]
    # It goes on, and knows of it.
    eventually(lambda: running.health()["healthy"])
    put(shop, 3, "6,Eve,1\n")
    eventually(lambda: sums(shop) == [("Ada", 2, "3"), ("Eve", 2, "8")])
    eventually(lambda: shop("sql", "p.sql", "-At", "-c", "SELECT sum(orders) FROM totals") == "4\n")
    running.stop()
    is_whole(shop, 2, 4, 4, 2)


def test_repair_beside_a_running_process(shop, running):
    with sqlite3.connect(shop.home / "w.db") as db:
        db.execute("DELETE FROM sums WHERE customer = 'Eve'")
    db.close()
    assert "sums: 1 missing" in shop("repair", "p.sql", "sums")
    assert sums(shop) == [("Ada", 2, "21"), ("Eve", 1, "7"), ("Grace", 1, "5.5")]
    put(shop, 3, "6,Eve,1\n")
    eventually(lambda: ("Eve", 2, "8") in sums(shop))
    eventually(lambda: running.health()["healthy"])
    told = json.loads(running.get("/status")[1])
    assert told["reason"] == "" and told["sources"][0]["state"] == "running"


ROWS = 30_000


@pytest.mark.parametrize("seed", range(int(os.environ.get("LEAT_REPLAY_KILLS", "4"))))
def test_killed_anywhere(leat, seed):
    """kill -9 in the middle: the next run completes it, or nothing of it is done."""
    chance = random.Random(seed)
    leat.write("p.sql", PIPELINE)
    for number in (1, 2):
        put(leat, number, "".join(f"{i},c{i % 997},{i % 89}\n" for i in range(ROWS)))
    leat("run", "p.sql")
    words = ("replay", "p.sql", "orders", "--from", "orders_1.csv", "--yes")
    put(leat, 1, "".join(f"{i},c{i % 991},{i % 83}\n" for i in range(ROWS)))
    begun = time.monotonic()
    leat(*words)
    whole = time.monotonic() - begun
    for turn in range(3):
        put(leat, 1, "".join(f"{i},c{i % (900 + turn)},{i % 71}\n" for i in range(ROWS - turn)))
        process = leat.start(*words)
        time.sleep(chance.random() * whole)
        process.kill()
        process.communicate()
        out, err = leat.finish(("run", "p.sql"), None)
        if "changed after it was read" in err:  # it was killed before it began
            leat(*words)
        else:
            assert "rows read" in out, err
        is_whole(leat)
