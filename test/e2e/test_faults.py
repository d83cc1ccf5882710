"""Rows read = rows used + rows rejected, over files with faults in them, from a seed."""
import csv
import io
import json
import random
import re

import pytest

PIPELINE = """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url 'lake');
CREATE FOREIGN TABLE faulty (id bigint NOT NULL, day date, amount numeric(8,2) CHECK (amount >= 0), note text)
    SERVER files OPTIONS (path 'part.*');
CREATE FOREIGN TABLE good () SERVER lake OPTIONS (format 'ndjson');
INSERT INTO good SELECT * FROM faulty;
"""
# A row as it should be, and how it may be wrong.
FAULTS = [
    lambda row: {**row, "id": "x"},
    lambda row: {**row, "id": None},
    lambda row: {**row, "day": "2024-02-30"},
    lambda row: {**row, "amount": "-1"},
    lambda row: {**row, "amount": "123456789.00"},
]


def made(number, pick):
    return {"id": str(number), "day": f"2024-05-{1 + number % 28:02d}", "amount": f"{number % 1000}.50",
            "note": pick.choice(["plain", 'with "quotes", and commas', "two\nlines", "ünïcode €", ""])}


def as_csv(rows, pick):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=pick.choice(["\n", "\r\n"]))
    writer.writerow(["id", "day", "amount", "note"])
    for row, fault in rows:
        values = ["" if value is None else value for value in row.values()]
        if fault == "ragged":
            values = values[:2] if pick.random() < 0.5 else [*values, "more"]
        writer.writerow(values)
    return out.getvalue().encode()


def as_ndjson(rows, pick):
    lines = []
    for row, fault in rows:
        line = json.dumps(row, ensure_ascii=pick.random() < 0.5)
        lines.append(line[:-pick.randrange(1, 9)] if fault == "ragged" else line)
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind,write", [("csv", as_csv), ("ndjson", as_ndjson)])
def test_every_row_is_used_or_rejected(leat, kind, write, seed):
    pick = random.Random(seed)
    rows, good = [], []
    for number in range(3000):
        row, fault = made(number, pick), None
        if pick.random() < 0.1:
            fault = pick.choice([*FAULTS, "ragged"])
            row = row if fault == "ragged" else fault(row)
        else:
            good.append(number)
        rows.append((row, fault))
    data = bytearray(write(rows, pick))
    # Bytes that are no text, inside notes of good rows, make them wrong.
    broken = pick.sample(range(len(good)), 5)
    for at in sorted((good[i] for i in broken), reverse=True):
        place = data.find(b"plain", data.find(f"2024-05-{1 + at % 28:02d}".encode()))
        data[place] = 0xFF
    leat.write(f"data/part.{kind}", bytes(data))
    pipeline = leat.write("p.sql", PIPELINE)
    said = leat.run(pipeline)
    read, used, rejected = (int(n.replace(",", "")) for n in re.search(
        r"faulty: ([\d,]+) rows read = ([\d,]+) used \+ ([\d,]+) rejected", said).groups())
    assert read == used + rejected == 3000
    out = [json.loads(line) for path in (leat.home / "lake/good").glob("*.ndjson")
           for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(out) == used
    assert len(good) - 5 <= used <= len(good)
    assert {row["id"] for row in out} <= set(good)
    assert leat.rows(pipeline, "SELECT count(*) FROM faulty__rejects") == [[str(rejected)]]
