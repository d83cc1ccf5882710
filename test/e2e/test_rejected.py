"""examples/rejected against a slow, obvious computation; then killed again and again."""
import csv
import gzip
import math
import random
import sqlite3
import subprocess
import sys

import pyarrow.dataset as ds
import pytest

PIPELINE = "examples/rejected/pipeline.sql"
YEARS = {"2007_2018": [], "2019": ["--first", "2019-01-01", "--last", "2019-12-31", "--seed", "8"]}


def generate(root, folder, years, rows):
    folder.mkdir(exist_ok=True)
    subprocess.run([sys.executable, root / "bench/gen_rejected.py",
                    folder / f"rejected_{years}.csv.gz", "--rows", str(rows), *YEARS[years]],
                   check=True, capture_output=True)


def expected(folder):
    """(the lake's rows, the warehouse's rows) as the two queries define them, in plain Python."""
    lake, scores, days = [], [], {}
    for path in sorted(folder.glob("rejected_*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            for row in csv.DictReader(text):
                score = float(row["Risk_Score"]) if row["Risk_Score"] else None
                scores.append(score)
                known = [s for s in scores[-50:] if s is not None]
                average = math.fsum(known) / len(known) if known else None
                lake.append((float(row["Amount Requested"]), row["Application Date"],
                             row["Loan Title"] or None, score, row["State"], average))
                day = days.setdefault((row["State"], row["Application Date"]), [0, []])
                day[0] += 1
                day[1] += [average] if average is not None else []
    daily = [(*key, count, math.fsum(values) / len(values) if values else None)
             for key, (count, values) in days.items()]
    return sort(lake), sort(daily)


def sort(rows):
    return sorted(rows, key=repr)


def actual(home):
    table = ds.dataset(home / "lake/loan_features", format="parquet",
                       partitioning="hive").to_table()
    names = ["amount_requested", "application_date", "loan_title", "risk_score", "state", "ma50"]
    lake = [(r["amount_requested"], str(r["application_date"]), r["loan_title"], r["risk_score"],
             r["state"], r["ma50"]) for r in table.select(names).to_pylist()]
    with sqlite3.connect(home / "warehouse.db") as db:
        daily = db.execute(
            "SELECT state, application_date, applications, ma50 FROM state_daily").fetchall()
    return sort(lake), sort(daily)


@pytest.fixture
def folder(leat):
    leat.environment = {"DATA": str(leat.home / "data"), "LAKE": str(leat.home / "lake"),
                        "WAREHOUSE": f"sqlite:{leat.home}/warehouse.db"}
    return leat.home / "data"


@pytest.mark.threads
def test_two_files_then_nothing(leat, root, folder):
    generate(root, folder, "2007_2018", 20_000)
    leat.run(root / PIPELINE)
    assert actual(leat.home) == expected(folder)

    before = {p: p.stat().st_mtime_ns for p in (leat.home / "lake").rglob("*.parquet")}
    generate(root, folder, "2019", 3_000)
    leat.run(root / PIPELINE)
    assert actual(leat.home) == expected(folder)
    after = {p: p.stat().st_mtime_ns for p in (leat.home / "lake").rglob("*.parquet")}
    assert before.items() <= after.items(), "a file of the first run was written again"

    leat.run(root / PIPELINE)
    assert {p: p.stat().st_mtime_ns for p in (leat.home / "lake").rglob("*.parquet")} == after
    assert actual(leat.home) == expected(folder)


def test_asks_what_is_in_the_sinks(leat, root, folder):
    generate(root, folder, "2007_2018", 5_000)
    leat.run(root / PIPELINE)
    lake, daily = expected(folder)
    rows = leat.rows(root / PIPELINE, "SELECT count(*), sum(applications) FROM state_daily")
    assert rows == [[str(len(daily)), str(len(lake))]]


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere(leat, root, folder, seed):
    """kill -9 after ever longer times, until one run ends by itself: the answer is the same."""
    generate(root, folder, "2007_2018", 60_000)
    generate(root, folder, "2019", 20_000)
    patience, kills = random.Random(seed), 0
    while True:
        process = leat.start("run", root / PIPELINE, "--state", leat.home / "state")
        try:
            _, err = process.communicate(timeout=patience.uniform(0.02, 0.08) * 1.15 ** kills)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, err
        break
    assert actual(leat.home) == expected(folder), f"after {kills} kills"
