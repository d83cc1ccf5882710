"""leat run: exit codes, what it refuses, what it survives."""
import gzip
import shutil
import signal
import sqlite3
import time

import pytest

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');

CREATE FOREIGN TABLE orders (
    placed_on date NOT NULL,
    customer  text,
    amount    double precision CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv*');

CREATE FOREIGN TABLE daily () SERVER warehouse OPTIONS (mode 'upsert', key 'placed_on');
INSERT INTO daily
SELECT placed_on, count(*) AS orders, sum(amount) AS revenue FROM orders GROUP BY placed_on;
"""
ORDERS = """\
placed_on,customer,amount
2024-01-03,Ada,20
2024-01-03,Grace,5.5
2024-01-05,Ada,12.25
"""
DAILY = [("2024-01-03", 2, 25.5), ("2024-01-05", 1, 12.25)]


@pytest.fixture
def shop(leat):
    """A pipeline with one file of orders, both in the test's own folder."""
    leat.write("p.sql", PIPELINE)
    leat.write("data/orders_1.csv", ORDERS)
    return leat


def daily(shop):
    with sqlite3.connect(shop.home / "w.db") as db:
        return db.execute("SELECT placed_on, orders, revenue FROM daily ORDER BY 1").fetchall()


def change(shop, old, new):
    assert old in PIPELINE
    shop.write("p.sql", PIPELINE.replace(old, new))


@pytest.mark.threads
def test_a_run_says_what_it_did(shop):
    out = shop("run", "p.sql")
    assert "orders: 3 rows read = 3 used + 0 rejected" in out
    assert "daily: 2 rows written" in out
    assert daily(shop) == DAILY
    assert "nothing new" in shop("run", "p.sql")


def test_a_blackhole_takes_every_row_and_the_state_goes_on(shop):
    change(shop, "sqlite:w.db", "blackhole:")
    assert "daily: 2 rows written" in shop("run", "p.sql")
    shop.write("data/orders_2.csv", "placed_on,customer,amount\n2024-01-05,Ada,1\n")
    out = shop("run", "p.sql")
    assert "orders: 1 rows read = 1 used + 0 rejected" in out and "daily: 1 row written" in out
    assert shop("sql", "p.sql", "-At", "-c", "SELECT count(*) FROM daily") == "0\n"
    assert "nothing to verify" in shop.fails("verify", "p.sql", code=2)


# --- Exit codes ----------------------------------------------------------------------------------

@pytest.mark.parametrize("command", ["run", "check"])
def test_wrong_sql_is_2_and_shown_in_place(shop, command):
    change(shop, "sum(amount)", "sum(amout)")
    err = shop.fails(command, "p.sql", code=2)
    assert 'ERROR:  column "amout" does not exist' in err
    shown, caret = [line for line in err.splitlines() if line.startswith("LINE") or "^" in line]
    assert shown.startswith("LINE 12:") and shown[caret.index("^"):].startswith("amout")
    assert "HINT:" in err and "amount" in err.split("HINT:")[1]
    assert not (shop.home / "w.db").exists()


def test_wrong_flags_are_2(shop):
    shop.fails("run", "p.sql", "--frehs", code=2)
    shop.fails("run", "nowhere.sql", code=2)
    shop.fails("dance", code=2)


def test_the_world_is_1(shop):
    shutil.rmtree(shop.home / "data")
    assert "data" in shop.fails("run", "p.sql", code=1)


@pytest.mark.threads
def test_too_many_rejects_is_3_and_commits_nothing(shop):
    change(shop, "'orders_*.csv*'", "'orders_*.csv*', max_rejects '1'")
    shop("run", "p.sql")
    shop.write("data/orders_2.csv", "placed_on,customer,amount\n2024-01-09,Ada,1\nx,Ada,1\n,,\n")
    err = shop.fails("run", "p.sql", code=3)
    assert 'too many rejects: 2 of 6 rows of "orders"' in err
    assert daily(shop) == DAILY
    # What was rejected is not lost with the run; it is none of what is committed.
    said = shop("rejects", "p.sql")
    assert "committed nothing: too many rejects: 2 of 6 rows" in said
    assert "orders_2.csv:3 (byte 43): x,Ada,1" in said and said.endswith("no rejects\n")
    assert shop("sql", "p.sql", "-At", "-c", "SELECT count(*) FROM leat.rejects") == "0\n"
    # The same again; and once the file is repaired, it is read.
    shop.fails("run", "p.sql", code=3)
    shop.write("data/orders_2.csv", "placed_on,customer,amount\n2024-01-09,Ada,1\nx,Ada,1\n")
    shop("run", "p.sql")
    assert daily(shop) == [*DAILY, ("2024-01-09", 1, 1.0)]
    assert "committed nothing" not in shop("rejects", "p.sql")


# --- What is refused -----------------------------------------------------------------------------

def test_a_target_of_another_state_is_refused(shop):
    shop("run", "p.sql")
    shutil.rmtree(shop.home / ".leat")
    err = shop.fails("run", "p.sql", code=2)
    assert 'the target of sink "daily" belongs to another state' in err
    assert "--fresh" in err
    assert daily(shop) == DAILY


def test_a_lost_target_is_refused(shop):
    shop("run", "p.sql")
    (shop.home / "w.db").unlink()
    assert "--fresh" in shop.fails("run", "p.sql", code=2)


def test_fresh_asks_and_begins_again(shop):
    shop("run", "p.sql")
    assert "--yes" in shop.fails("run", "p.sql", "--fresh", code=2)
    shop.write("data/orders_1.csv", ORDERS.replace("2024-01-05", "2024-01-06"))
    shop("run", "p.sql", "--fresh", "--yes")
    assert daily(shop) == [DAILY[0], ("2024-01-06", 1, 12.25)]


def test_fresh_takes_other_columns(shop):
    shop("run", "p.sql")
    change(shop, "count(*) AS orders", "min(customer) AS orders")
    shop.fails("run", "p.sql", code=2)
    shop("run", "p.sql", "--fresh", "--yes")
    assert daily(shop) == [("2024-01-03", "Ada", 25.5), ("2024-01-05", "Ada", 12.25)]


def test_a_changed_pipeline_is_refused(shop):
    shop("run", "p.sql")
    change(shop, "sum(amount)", "max(amount)")
    err = shop.fails("run", "p.sql", code=2)
    assert "sink daily changed" in err and "--fresh" in err
    assert daily(shop) == DAILY
    # What means the same is the same.
    change(shop, "SELECT placed_on,", "-- per day\nSELECT placed_on  ,")
    assert "nothing new" in shop("run", "p.sql")


def test_a_first_run_that_failed_binds_nobody(shop):
    change(shop, "./data", "./date")
    shop.fails("run", "p.sql", code=1)
    change(shop, "sum(amount)", "max(amount)")
    shop("run", "p.sql")
    assert daily(shop) == [("2024-01-03", 2, 20.0), ("2024-01-05", 1, 12.25)]


def test_a_corrupt_state_is_refused(shop):
    shop("run", "p.sql")
    manifest = next((shop.home / ".leat").rglob("manifest"))
    whole = manifest.read_bytes()
    for at in (0, len(whole) // 2, len(whole) - 1):
        manifest.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        assert "manifest" in shop.fails("run", "p.sql", code=1)
    manifest.write_bytes(whole)
    assert "nothing new" in shop("run", "p.sql")
    assert daily(shop) == DAILY


def test_one_state_has_one_process(shop):
    shop.write("data/orders_2.csv", "placed_on,customer,amount\n" + "2024-02-01,Eve,1\n" * 400_000)
    first = shop.start("run", "p.sql")
    while not list((shop.home / ".leat").rglob("lock")):
        assert first.poll() is None
        time.sleep(0.001)
    first.send_signal(signal.SIGSTOP)
    assert "another leat" in shop.fails("run", "p.sql", code=1)
    first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=300)
    assert first.returncode == 0, out + err
    assert daily(shop) == [*DAILY, ("2024-02-01", 400_000, 400_000.0)]


# --- What is survived ----------------------------------------------------------------------------

# A truncated file is in test_bad_days.py: what it holds is right.
@pytest.mark.parametrize("damage", [lambda b: b[:-4] + b"\0\0\0\0",
                                    lambda b: b[:200] + bytes(100) + b[300:]],
                         ids=["checksum", "middle"])
def test_a_damaged_gzip_is_named_and_nothing_is_doubled(shop, damage):
    shop("run", "p.sql")
    lines = [f"2024-01-{i % 28 + 1:02},{i * i},{i % 7}" for i in range(20_000)]
    whole = gzip.compress("\n".join(["placed_on,customer,amount", *lines, ""]).encode(), mtime=0)
    path = shop.write("data/orders_2.csv.gz", damage(whole))
    err = shop.fails("run", "p.sql", code=1)
    assert "orders_2.csv.gz" in err and "byte" in err
    assert daily(shop) == DAILY
    path.write_bytes(whole)
    assert "20,000 rows read = 20,000 used" in shop("run", "p.sql")
    with sqlite3.connect(shop.home / "w.db") as db:
        assert db.execute("SELECT sum(orders) FROM daily").fetchone() == (20_003,)


@pytest.mark.threads
def test_interrupted_is_not_lost(shop):
    """Ctrl-C ends the epoch, commits it and leaves; the next run goes on."""
    shop.write("data/orders_2.csv", "placed_on,customer,amount\n" + "2024-02-01,Eve,1\n" * 400_000)
    process = shop.start("run", "p.sql")
    while not list((shop.home / ".leat").rglob("lock")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode in (0, 130)
    shop("run", "p.sql")
    assert daily(shop) == [*DAILY, ("2024-02-01", 400_000, 400_000.0)]


# --- Rejects and status --------------------------------------------------------------------------

def test_rejects_say_where_and_why(shop):
    bad = "placed_on,customer,amount\n2024-01-07,Ada,1\n2024-13-01,Ada,1\n2024-01-07,Ada,-3\n,Bob,1\n"
    shop.write("data/orders_2.csv", bad)
    out = shop("run", "p.sql")
    assert "7 rows read = 4 used + 3 rejected" in out and "leat rejects p.sql" in out

    said = shop("rejects", "p.sql")
    for line, raw in ((3, "2024-13-01,Ada,1"), (4, "2024-01-07,Ada,-3"), (5, ",Bob,1")):
        assert f"orders_2.csv:{line} (byte {bad.index(raw)}): {raw}" in said
    assert "orders.placed_on" in said and "no rejects" in shop("rejects", "p.sql", "nothing")

    rows = shop("sql", "p.sql", "-A", "-t", "-c",
                "SELECT byte_offset, line, column_name, raw FROM orders__rejects ORDER BY line")
    assert rows.splitlines() == [
        f"{bad.index('2024-13')}|3|placed_on|2024-13-01,Ada,1",
        f"{bad.index('2024-01-07,Ada,-3')}|4|amount|2024-01-07,Ada,-3",
        f"{bad.index(',Bob')}|5|placed_on|,Bob,1"]
    assert shop("sql", "p.sql", "-A", "-t", "-c",
                "SELECT count(*) FROM leat.rejects WHERE file LIKE '%orders_2.csv'") == "3\n"


@pytest.mark.threads
def test_status(shop):
    assert "leat run p.sql" in shop.fails("status", "p.sql", code=2)
    shop("run", "p.sql")
    out = shop("status", "p.sql")
    assert "orders: 3 rows read = 3 used + 0 rejected" in out and "sink daily" in out


# --- Where things are ----------------------------------------------------------------------------

def test_env_files_have_states_of_their_own(shop):
    change(shop, "sqlite:w.db", "sqlite:${TARGET:-w}.db")
    shop.write(".env.prod", "# production\nTARGET=prod\n")
    shop("run", "p.sql")
    shop("run", "p.sql", "--env", "prod")
    assert (shop.home / "prod.db").exists() and "nothing new" in shop("run", "p.sql", "--env", "prod")
    shop.environment = {"TARGET": "outer"}  # the environment stands above the file
    shop.fails("run", "p.sql", "--env", "prod", code=2)
    shop.fails("run", "p.sql", "--env", "stage", code=2)


def test_init_makes_what_runs(leat):
    leat("init", "new")
    leat("check", "new/pipeline.sql")
    assert "4 rows read = 3 used + 1 rejected" in leat("run", "new/pipeline.sql")
    rows = leat("sql", "new/pipeline.sql", "-A", "-t", "-c",
                "SELECT * FROM customer_totals ORDER BY customer")
    assert rows == "Ada|2|32.25|2024-01-05\nGrace|1|5.50|2024-01-03\n"
    assert "exists already" in leat.fails("init", "new", code=2)


def test_a_dry_run_shows_what_would_come_and_writes_nothing(shop):
    out = shop("run", "p.sql", "--dry-run", "--limit", "2")
    assert "daily would get 1 rows" in out and "2024-01-03" in out and "2024-01-05" not in out
    assert "daily would get 2 rows" in shop("run", "p.sql", "--dry-run")
    assert not (shop.home / "w.db").exists() and not (shop.home / ".leat").exists()
    assert "--dry-run" in shop.fails("run", "p.sql", "--limit", "2", code=2)
