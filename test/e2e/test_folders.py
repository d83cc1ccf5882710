"""examples/vehicles and examples/scooters: JSON as the world writes it, from folders that fill up."""
import json
import sqlite3
import subprocess
import sys

import pytest


def generate(root, folder, *arguments):
    subprocess.run([sys.executable, root / "examples/vehicles/generate.py", folder, *arguments],
                   check=True)


def summary(folder):
    """The daily summary as its query defines it, in plain Python."""
    days = {}
    for path in sorted(folder.glob("vehicles_events_*.json")):
        for event in json.loads(path.read_text(encoding="utf-8"))["vehicles_events"]:
            day = days.setdefault((event["vehicle_id"], event["event_time"][:10]), [0, "", ""])
            day[0] += 1
            if event["event_time"] > day[1]:
                day[1:] = event["event_time"], event["event_type"]
    return {key: (count, last.replace("T", " "), kind) for key, (count, last, kind) in days.items()}


def held(home):
    with sqlite3.connect(home / "warehouse.db") as db:
        rows = db.execute("SELECT vehicle_id, day, events, last_event_time, last_event_type"
                          " FROM daily_summary").fetchall()
        counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                  for table in ("events", "status")]
    return {(row[0], row[1]): row[2:] for row in rows}, counts


@pytest.fixture
def vehicles(leat, root):
    leat.environment = {"DATA": str(leat.home / "data"),
                        "WAREHOUSE": f"sqlite:{leat.home}/warehouse.db"}
    return root / "examples/vehicles/pipeline.sql"


def same_time(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


def test_a_folder_that_fills_up(leat, root, vehicles):
    for first in (1, 11, 40):  # late events of the later files change earlier days
        generate(root, leat.home / "data", "--files", "10", "--first-file", str(first))
        leat.run(vehicles)
        got, counts = held(leat.home)
        wanted = summary(leat.home / "data")
        assert {k: (n, same_time(t), kind) for k, (n, t, kind) in got.items()} == \
               {k: (n, same_time(t), kind) for k, (n, t, kind) in wanted.items()}
        files = len(list((leat.home / "data").glob("vehicles_events_*.json")))
        assert counts == [files * 100, files * 100]


def test_a_torn_document_gives_its_whole_records(leat, root, vehicles):
    generate(root, leat.home / "data", "--files", "1")
    path = next((leat.home / "data").glob("vehicles_events_*.json"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:text.index('"vehicle_id"', len(text) // 2) + 5], encoding="utf-8")
    told = leat.run(vehicles)
    _, counts = held(leat.home)
    assert 40 < counts[0] < 60
    assert f"{counts[0] + 1} rows read = {counts[0]} used + 1 rejected" in told


def test_scooters(leat, root):
    leat.environment = {"DATA": str(root / "examples/scooters/data"),
                        "WAREHOUSE": f"sqlite:{leat.home}/warehouse.db",
                        "LAKE": str(leat.home / "lake")}
    told = leat.run(root / "examples/scooters/pipeline.sql")
    assert "weather: 5 rows read = 3 used + 2 rejected" in told
    with sqlite3.connect(leat.home / "warehouse.db") as db:
        assert db.execute("SELECT city, event FROM rides ORDER BY received_at").fetchall() == [
            ("Berlin", "Ride Started"), ("Berlin", "Ride Ended"), ("Köln", "Ride Started")]
        assert db.execute("SELECT temperature FROM climate ORDER BY city, date_time").fetchall() == [
            (27.41,), (28.1,), (22.01,)]
    assert len(list((leat.home / "lake/track_events").rglob("*.parquet"))) == 2
