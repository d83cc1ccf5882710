"""A query for one key of a stored view looks it up: the answer is that of a scan, and one row is read."""
import re

import pytest

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE FOREIGN TABLE events (
    k bigint, t text, d date, at timestamptz, v bigint
) SERVER files OPTIONS (path '*.csv');
CREATE MATERIALIZED VIEW by_number WITH (key = 'k') AS
SELECT k, count(*) AS n, sum(v) AS total FROM events GROUP BY k;
CREATE MATERIALIZED VIEW by_three WITH (key = 't, d, at') AS
SELECT t, d, at, count(*) AS n FROM events GROUP BY t, d, at;
"""
ROWS = [(k, f"t{k % 7}", f"2024-01-{k % 28 + 1:02}", f"2024-03-31 0{k % 4}:30:00+00", k * 3)
        for k in range(-50, 250)]


@pytest.fixture
def kept(leat):
    leat.write("p.sql", PIPELINE)
    leat.write("data/1.csv", "k,t,d,at,v\n" + "".join(
        ",".join(map(str, row)) + "\n" for row in ROWS) + ",,,,7\n")
    leat("run", "p.sql", "-q")
    return leat


def ask(leat, query):
    return leat("sql", "p.sql", "-At", "-c", query)


def rows_scanned(leat, query):
    plan = ask(leat, f"EXPLAIN (ANALYZE, COSTS OFF) {query}")
    # What the filter, which is next to the scan, was given.
    return int(re.findall(r"rows in (\d+)", plan)[-1]), plan


@pytest.mark.parametrize("where, same, rows", [
    ("k = 17", "k + 0 = 17", 1),
    ("k = -50", "k + 0 = -50", 1),
    ("k = 17::smallint", "k + 0 = 17", 1),
    ("17 = k AND total > 0", "k + 0 = 17 AND total > 0", 1),
    ("k = 999", "k + 0 = 999", 0),
    ("k = 17.0", "k + 0 = 17.0", 301),
    ("k = NULL", "k + 0 = NULL", None),
    ("k IS NULL", "k + 0 IS NULL", 301),
    ("k = 17 OR k = 18", "k + 0 IN (17, 18)", 301),
])
def test_a_number(kept, where, same, rows):
    told = ask(kept, f"SELECT * FROM by_number WHERE {where}")
    assert told == ask(kept, f"SELECT * FROM by_number WHERE {same}")
    if rows is not None:
        scanned, plan = rows_scanned(kept, f"SELECT * FROM by_number WHERE {where}")
        assert scanned == rows, plan


@pytest.mark.parametrize("where, same", [
    ("t = 't3'", "t || '' = 't3'"),
    ("t = 't3' AND d = '2024-01-05'", "t || '' = 't3' AND d + 0 = '2024-01-05'"),
    ("t = 't3' AND d = '2024-01-05' AND at = '2024-03-31 03:30:00+02'",
     "t || '' = 't3' AND d + 0 = '2024-01-05' AND at + '0 s' = '2024-03-31 03:30:00+02'"),
    ("d = '2024-01-05'", "d + 0 = '2024-01-05'"),
    ("t = 't'", "t || '' = 't'"),
])
def test_the_first_columns_of_a_key(kept, where, same):
    query = "SELECT * FROM by_three WHERE {} ORDER BY 1, 2, 3"
    assert ask(kept, query.format(where)) == ask(kept, query.format(same))
    scanned, plan = rows_scanned(kept, query.format(where))
    everything, _ = rows_scanned(kept, query.format(same))
    assert (scanned == everything) if where.startswith("d") else (scanned < everything / 3), plan


def test_a_time_zone_of_the_session(kept):
    zone = "SET timezone = 'Europe/Berlin'; "
    where = "t = 't3' AND d = '2024-01-05' AND {} = '2024-03-31 03:30:00'"
    query = "SELECT n FROM by_three WHERE "
    assert ask(kept, zone + query + where.format("at")) == ask(
        kept, zone + query + where.format("at + '0 s'"))


def test_twice_in_one_query(kept):
    query = "SELECT count(*) FROM by_number AS a JOIN by_number AS b USING (n) WHERE a.k = 17"
    assert ask(kept, query) == ask(kept, query.replace("a.k =", "a.k + 0 ="))
