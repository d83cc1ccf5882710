#!/usr/bin/env python3
"""A small bank's changes, day by day: client_N.csv, loan_N.csv and payment_N.csv, always the same for
the same day and seed. Days are counted back from today, so that the last 90 days hold something."""
import argparse
import csv
import datetime
import pathlib
import random

COLUMNS = {
    "client": ["id", "created_on", "first_name", "last_name", "birth_date", "personal_code"],
    "loan": ["id", "client_id", "amount", "status", "created_on"],
    "payment": ["id", "loan_id", "principal", "interest", "status", "created_on"],
}


class Bank:
    """The tables at the end of a day, and the day's changes."""

    def __init__(self, clients, seed, first):
        self.random = random.Random(seed)
        self.clients_a_day, self.today = clients, first
        self.tables = {name: {} for name in COLUMNS}
        self.changes = []

    def put(self, table, row):
        op = "update" if row["id"] in self.tables[table] else "insert"
        self.tables[table][row["id"]] = row
        self.changes.append((table, {**row, "op": op}))

    def delete(self, table, number):
        self.changes.append((table, {**self.tables[table].pop(number), "op": "delete"}))

    def next_id(self, table):
        self.numbers = getattr(self, "numbers", {})
        self.numbers[table] = self.numbers.get(table, 0) + 1
        return self.numbers[table]

    def day(self):
        self.changes = []
        pick = self.random
        for _ in range(self.clients_a_day):
            number = self.next_id("client")
            self.put("client", {"id": number, "created_on": self.today, "first_name": f"First{number}",
                                "last_name": pick.choice(["O'Neil", "Ünal", "de la \"Cruz\""]),
                                "birth_date": datetime.date(1960, 1, 1)
                                + datetime.timedelta(days=pick.randrange(15000)),
                                "personal_code": f"{pick.randrange(10**10):010d}"})
        for client in pick.sample(sorted(self.tables["client"]), self.clients_a_day):
            self.put("loan", {"id": self.next_id("loan"), "client_id": client, "status": "active",
                              "amount": f"{pick.randrange(100, 5000)}.00", "created_on": self.today})
        active = [loan for loan in self.tables["loan"].values() if loan["status"] != "paid"]
        for loan in pick.sample(active, len(active) // 2):
            self.put("payment", {"id": self.next_id("payment"), "loan_id": loan["id"],
                                 "principal": f"{pick.randrange(10, 200)}.50",
                                 "interest": f"{pick.randrange(1, 40)}.25",
                                 "status": "late" if pick.random() < 0.1 else "ok",
                                 "created_on": self.today})
            if pick.random() < 0.2:
                self.put("loan", {**loan, "status": pick.choice(["paid", "overdue"])})
        if len(self.tables["client"]) > 20:
            self.delete("client", pick.choice(sorted(self.tables["client"])))
        self.today += datetime.timedelta(days=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--day", type=int, default=1, help="which day's changes to write (1)")
    parser.add_argument("--clients", type=int, default=50, help="new clients and loans a day (50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=datetime.date.fromisoformat,
                        default=datetime.date.today() - datetime.timedelta(days=30),
                        help="the date of day 1 (30 days ago)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    bank = Bank(options.clients, options.seed, options.first)
    for _ in range(options.day):
        changed = bank.today
        bank.day()
    for table, columns in COLUMNS.items():
        path = options.folder / f"{table}_{options.day:03d}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*columns, "op", "changed_at"])
            writer.writeheader()
            for second, (of, row) in enumerate(bank.changes):
                if of == table:
                    moment = datetime.datetime.combine(changed, datetime.time(8)) \
                        + datetime.timedelta(seconds=second)
                    writer.writerow({**row, "changed_at": f"{moment.isoformat()}Z"})


if __name__ == "__main__":
    main()
