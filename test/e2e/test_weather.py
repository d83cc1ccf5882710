"""examples/weather: the real files, whose lines end with commas, into two tables."""
import json
import sqlite3

import pytest

PIPELINE = "examples/weather/pipeline.sql"


@pytest.fixture
def readings(root):
    """The distinct readings, read by hand."""
    seen = {}
    for path in sorted((root / "examples/weather/data").glob("*.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            reading = json.loads(line.rstrip(","))
            seen[tuple(reading.items())] = reading
    return list(seen.values())


@pytest.fixture
def ran(leat, root):
    leat.environment = {"DATA": str(root / "examples/weather/data"),
                        "WAREHOUSE": f"sqlite:{leat.home}/warehouse.db"}
    leat.run(root / PIPELINE)
    return leat.home


def test_peaks(ran, readings):
    best = {}
    for r in readings:
        key = (r["city"], r["timestamp"][:7] + "-01")
        if key not in best or r["temp_max"] > best[key]:
            best[key] = r["temp_max"]
    with sqlite3.connect(ran / "warehouse.db") as db:
        rows = db.execute("SELECT city, month, temp_max FROM monthly_peak").fetchall()
    assert {(city, month): top for city, month, top in rows} == best
    assert len(rows) == len(best)


def test_days(ran, readings):
    with sqlite3.connect(ran / "warehouse.db") as db:
        rows = db.execute("SELECT day, temp_avg, temp_min, coldest_city, warmest_city"
                          " FROM daily_summary").fetchall()
    assert [row[0] for row in rows] == ["2022-03-14"]
    _, average, lowest, coldest, warmest = rows[0]
    assert average == pytest.approx(sum(r["temp"] for r in readings) / len(readings), rel=1e-15)
    assert (lowest, coldest) == min((r["temp_min"], r["city"]) for r in readings)
    assert warmest == max(readings, key=lambda r: r["temp_max"])["city"]


@pytest.mark.threads
def test_again_changes_nothing(ran, leat, root):
    before = (ran / "warehouse.db").read_bytes()
    leat.run(root / PIPELINE)
    assert (ran / "warehouse.db").read_bytes() == before
