"""examples/loans over some days: the last day's features against plain Python, and the lake's days."""
import csv
import datetime
import sqlite3
import subprocess
import sys

import pyarrow.dataset as ds

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def tables(folder):
    rows = {}
    for name in ("client", "loan", "payment"):
        rows[name] = {}
        for path in sorted(folder.glob(f"{name}_*.csv")):
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    last = rows[name].get(row["id"])
                    if last is None or row["changed_at"] >= last["changed_at"]:
                        rows[name][row["id"]] = row
        rows[name] = {key: row for key, row in rows[name].items() if row["op"] != "delete"}
    return rows["client"], rows["loan"], rows["payment"]


def expected(folder):
    clients, loans, payments = tables(folder)
    features = {}
    for client in clients:
        own = {key: loan for key, loan in loans.items() if loan["client_id"] == client}
        paid = sum(loan["status"] == "paid" for loan in own.values())
        mine = [payment for payment in payments.values() if payment["loan_id"] in own]
        late = [datetime.date.fromisoformat(p["created_on"]) for p in mine if p["status"] == "late"]
        recent = {key: loan for key, loan in own.items()
                  if datetime.date.fromisoformat(loan["created_on"]) > TODAY - datetime.timedelta(90)}
        amount = sum(float(loan["amount"]) for loan in recent.values())
        interest = sum(float(p["interest"]) for p in mine if p["loan_id"] in recent)
        features[int(client)] = (paid, (TODAY - max(late)).days if late else None,
                                 round(interest / amount, 9) if amount else None)
    return features


def test_some_days_of_a_bank(leat, root):
    pipeline = root / "examples/loans/pipeline.sql"
    data = leat.home / "data"
    leat.environment = {"BANK": str(data), "LAKE": str(leat.home / "lake"),
                        "ONLINE": f"sqlite:{leat.home}/online.db"}
    first = TODAY - datetime.timedelta(days=100)
    for day in range(1, 31):
        subprocess.run([sys.executable, root / "examples/loans/generate.py", data, "--day", str(day),
                        "--clients", "8", "--first", str(first)], check=True)
        if day % 10 == 0:
            leat.run(pipeline)
    with sqlite3.connect(leat.home / "online.db") as db:
        rows = db.execute("SELECT * FROM features").fetchall()
    held = {row[0]: (row[1], row[2], None if row[3] is None else round(row[3], 9)) for row in rows}
    assert held == expected(data)
    assert len(held) > 200 and any(row[1] for row in held.values())
    lake = ds.dataset(leat.home / "lake/client_features", partitioning="hive").to_table().to_pylist()
    days = {str(row["dt"]) for row in lake}
    assert str(TODAY) in days and len(days) <= 2
    assert len([row for row in lake if str(row["dt"]) == max(days)]) == len(held)
