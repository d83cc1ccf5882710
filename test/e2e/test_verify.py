"""leat verify and repair: what differs between a sink and its query, and only that made good."""
import os
import shutil
import sqlite3

import pytest

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url './lake');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');

CREATE FOREIGN TABLE orders (
    placed_on date NOT NULL,
    customer  text,
    amount    numeric(10, 2) CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv');

CREATE FOREIGN TABLE daily () SERVER warehouse OPTIONS (mode 'upsert', key 'placed_on');
CREATE FOREIGN TABLE log () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE archive () SERVER lake OPTIONS (path 'archive/', format 'parquet');
CREATE FOREIGN TABLE top () SERVER lake OPTIONS (path 'top/', format 'csv', mode 'replace');

INSERT INTO daily SELECT placed_on, count(*) AS orders, sum(amount) AS revenue FROM orders GROUP BY placed_on;
INSERT INTO log SELECT *, 100 / (amount - 20) AS odd FROM orders;
INSERT INTO archive SELECT *, avg(amount) OVER (ROWS 1 PRECEDING) AS ma2 FROM orders;
INSERT INTO top SELECT customer, sum(amount) AS spent FROM orders GROUP BY customer;
"""
ORDERS = """\
placed_on,customer,amount
2024-01-03,Ada,20.00
2024-01-03,Grace,5.50
2024-01-04,Eve,-1
2024-01-05,Ada,12.25
"""


@pytest.fixture
def shop(leat):
    leat.write("p.sql", PIPELINE)
    leat.write("data/orders_1.csv", ORDERS)
    leat("run", "p.sql")
    leat.write("data/orders_2.csv", "placed_on,customer,amount\n2024-01-06,Bob,1.10\n")
    leat("run", "p.sql")
    return leat


def change(shop, *statements):
    with sqlite3.connect(shop.home / "w.db") as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def daily(shop):
    with sqlite3.connect(shop.home / "w.db") as db:
        rows = db.execute("SELECT placed_on, orders, revenue FROM daily ORDER BY 1").fetchall()
    db.close()
    return rows


def test_sinks_as_they_should_be(shop):
    """A row with an error in one query (20 - 20), a reject, new files that no run has read yet."""
    shop.write("data/orders_3.csv", "placed_on,customer,amount\n2024-02-01,Bob,7\n")
    assert shop("verify", "p.sql").splitlines() == [
        "daily: 3 rows, as the query answers", "log: 3 rows, as the query answers",
        "archive: 4 rows, as the query answers", "top: 3 rows, as the query answers"]
    assert shop("verify", "p.sql", "top") == "top: 3 rows, as the query answers\n"
    assert 'no sink "nothing"' in shop.fails("verify", "p.sql", "nothing", code=2)


def test_differences_are_listed_and_repaired(shop):
    before = daily(shop)
    change(shop, "DELETE FROM daily WHERE placed_on = '2024-01-03'",
           "UPDATE daily SET orders = 7 WHERE placed_on = '2024-01-05'",
           "INSERT INTO daily VALUES ('2030-01-01', 1, 1)")
    said = ["  missing    (2024-01-03, 2, 25.50)", "  different  (2024-01-05, 1, 12.25), and not (2024-01-05, 7, 12.25)",
            "  extra      (2030-01-01, 1, 1)"]
    listed = shop("verify", "p.sql", "daily", code=1).splitlines()
    assert listed == [*said, "daily: 1 missing, 1 extra, 1 different; 3 rows found, 3 expected"]
    assert shop("repair", "p.sql", "daily").splitlines() == [*said, listed[-1] + ": repaired"]
    assert daily(shop) == before
    shop("verify", "p.sql")
    # The mark is as it was: the next run goes on.
    shop.write("data/orders_3.csv", "placed_on,customer,amount\n2024-01-06,Bob,7\n")
    shop("run", "p.sql")
    assert daily(shop)[-1] == ("2024-01-06", 2, "8.10")
    shop("verify", "p.sql")


def test_a_target_written_whole_that_did_not_change(shop):
    """Its mark stays behind: it is compared all the same."""
    shop.write("data/orders_3.csv", "placed_on,customer,amount\n2024-02-01,Bob,0\n")
    shop("run", "p.sql")
    assert shop("verify", "p.sql", "top") == "top: 3 rows, as the query answers\n"
    top = next((shop.home / "lake/top").glob("*.csv"))
    top.write_text(top.read_text().replace("Bob", "Rob"))
    assert "top: 1 missing, 1 extra" in shop("verify", "p.sql", "top", code=1)


def test_where_chooses(shop):
    change(shop, "UPDATE daily SET orders = 7")
    where = ("--where", "placed_on < '2024-01-05'")
    assert shop("verify", "p.sql", "daily", *where, code=1).count("different  ") == 1
    shop("repair", "p.sql", "daily", *where)
    assert [row[1] for row in daily(shop)] == [2, 7, 7]
    # Of a row that differs either side may be meant.
    assert shop("verify", "p.sql", "daily", "--where", "orders = 7", code=1).count("different  ") == 2
    assert shop("verify", "p.sql", "daily", "--show", "1", code=1).splitlines()[1] == "  … and 1 more"
    assert "does not exist" in shop.fails("verify", "p.sql", "daily", "--where", "no = 7", code=2)


def test_a_sink_without_a_key(shop):
    change(shop, "DELETE FROM log WHERE customer = 'Grace'")
    assert "  missing    (2024-01-03, Grace, 5.50, " in shop("verify", "p.sql", "log", code=1)
    shop("repair", "p.sql", "log")
    shop("verify", "p.sql", "log")
    change(shop, "INSERT INTO log SELECT * FROM log")
    assert "log: 0 missing, 3 extra" in shop("verify", "p.sql", "log", code=1)
    assert "no key to find wrong rows by" in shop.fails("repair", "p.sql", "log", code=2)


def test_files(shop):
    archive = sorted((shop.home / "lake/archive").glob("*.parquet"))
    assert len(archive) == 2
    archive[0].unlink()
    assert "archive: 3 missing, 0 extra" in shop("verify", "p.sql", "archive", code=1)
    assert "cannot be rewritten" in shop.fails("repair", "p.sql", "archive", code=2)

    top = next((shop.home / "lake/top").glob("*.csv"))
    top.write_text(top.read_text().replace("12.25", "12.26").replace("32.25", "32.26"))
    assert "top: 1 missing, 1 extra" in shop("verify", "p.sql", "top", code=1)
    shop("repair", "p.sql", "top")
    shop("verify", "p.sql", "top")
    top.write_text(top.read_text() + "a,row,of,too,many\n")
    assert "none of its rows" in shop.fails("verify", "p.sql", "top", code=1)


def test_what_cannot_be_compared_is_refused(shop):
    change(shop, "UPDATE leat_marks SET epoch = epoch + 1 WHERE target = 'daily'")
    assert "the last committed one is" in shop.fails("verify", "p.sql", "daily", code=2)
    change(shop, "UPDATE leat_marks SET state = 'x' WHERE target = 'daily'")
    assert "belongs to another state" in shop.fails("verify", "p.sql", "daily", code=2)
    change(shop, "DELETE FROM leat_marks WHERE target = 'daily'")
    assert "has no mark" in shop.fails("repair", "p.sql", "daily", code=2)
    shop.write("p.sql", PIPELINE.replace("sum(amount) AS spent", "max(amount) AS spent"))
    assert "another query" in shop.fails("verify", "p.sql", "top", code=2)
    shutil.rmtree(shop.home / ".leat")
    assert "nothing was committed" in shop.fails("verify", "p.sql", code=2)


def test_a_source_that_changed_is_an_error_not_a_difference(shop):
    shop.write("data/orders_1.csv", ORDERS.replace("12.25", "99.99"))
    assert "orders_1.csv" in shop.fails("verify", "p.sql", "daily", code=1)
    assert os.path.exists(shop.home / "w.db")


def test_sources_that_took_turns_are_refused_where_it_matters(leat):
    leat.write("p.sql", """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url './lake');
CREATE FOREIGN TABLE a (x int) SERVER files OPTIONS (path 'a.csv');
CREATE FOREIGN TABLE b (x int) SERVER files OPTIONS (path 'b.csv');
CREATE FOREIGN TABLE means () SERVER lake OPTIONS (path 'means/', format 'csv');
CREATE FOREIGN TABLE all_x () SERVER lake OPTIONS (path 'all/', format 'csv');
INSERT INTO means SELECT avg(x) OVER (ROWS 1 PRECEDING) AS m FROM (SELECT x FROM a UNION ALL SELECT x FROM b) AS u;
INSERT INTO all_x SELECT x FROM a UNION ALL SELECT x FROM b;
""")
    leat.write("data/a.csv", "x\n1\n2\n")
    leat.write("data/b.csv", "x\n1\n2\n")
    leat("run", "p.sql")
    assert "took turns" in leat.fails("verify", "p.sql", "means", code=2)
    assert leat("verify", "p.sql", "all_x") == "all_x: 4 rows, as the query answers\n"
