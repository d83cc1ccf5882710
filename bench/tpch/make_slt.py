#!/usr/bin/env python3
"""Writes test/sql/tpch.slt: TPC-H's 22 queries as views over small tables that are filled, updated and
emptied in batches, each asked after every batch. The data is drawn so that every query finds rows.

usage: make_slt.py > test/sql/tpch.slt    (then: check_postgres.py --update test/sql/tpch.slt)
"""
import datetime
import pathlib
import random
import re

HERE = pathlib.Path(__file__).resolve().parent
REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = [("BRAZIL", 1), ("CANADA", 1), ("FRANCE", 3), ("GERMANY", 3), ("INDIA", 2), ("SAUDI ARABIA", 4)]
HOMES = [1, 5, 4, 3, 0, 1, 5, 4]  # the suppliers' nations
BRANDS = [("Brand#12", "SM BOX"), ("Brand#23", "MED BOX"), ("Brand#34", "LG CASE"), ("Brand#45", "JUMBO JAR")]
TYPES = ["ECONOMY ANODIZED STEEL", "PROMO BURNISHED COPPER", "SMALL PLATED BRASS", "MEDIUM POLISHED TIN"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "5-LOW"]
COLUMNS = [10, 8, 4, 2, 2, 1, 4, 2, 3, 8, 2, 3, 2, 1, 5, 4, 1, 6, 1, 2, 2, 3]  # of q1 to q22
dice = random.Random(22)
PAIRS = sorted({(dice.randrange(1, 21), dice.randrange(1, 9)) for _ in range(45)})  # partsupp


def date(first, last):
    first, last = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return first + datetime.timedelta(dice.randrange((last - first).days + 1))


def money(low, high):
    return f"{dice.randrange(low * 100, high * 100) / 100:.2f}"


def text(value):
    return "'" + str(value).replace("'", "''") + "'"


def insert(table, rows):
    values = ",\n  ".join("(" + ", ".join(v if isinstance(v, str) and v[0] in "'-0123456789" else
                                           text(v) if isinstance(v, (str, datetime.date)) else str(v)
                                           for v in row) + ")" for row in rows)
    return f"INSERT INTO {table} VALUES\n  {values}"


def part(key):
    brand, container = BRANDS[key % len(BRANDS)]
    name = dice.choice(["forest green", "forest blue", "dark green", "red"])
    size = 15 if key % 5 == 0 else dice.choice([3, 5, 9, 14, 49])
    return [key, text(name), text("M"), text(brand), text(TYPES[key % 4 if key % 5 else 2]), size, text(container),
            money(900, 1000), text("")]


def supplier(key):
    comment = "Customer sad Complaints" if key % 5 == 4 else "none"
    return [key, text(f"Supplier#{key}"), text("a"), HOMES[key % len(HOMES)], text("1"), money(-99, 999), text(comment)]


def customer(key):
    nation = key % len(NATIONS)
    phone = dice.choice([13, 31, 17, 44])
    return [key, text(f"Customer#{key}"), text("a"), nation, text(f"{phone}-555"), money(-500, 900),
            text(dice.choice(["BUILDING", "AUTOMOBILE"])), text("c")]


def order(key):
    day = date(*dice.choice([("1993-07-01", "1993-12-31"), ("1994-01-01", "1994-12-31"), ("1995-02-01", "1995-03-14"),
                         ("1995-01-01", "1996-03-31")]))
    comment = dice.choice(["special packages requests", "none", "none"])
    row = [key, dice.randrange(1, 25), text(dice.choice("FFFO")), money(1000, 90000), text(day),
           text(dice.choice(PRIORITIES)), text("clerk"), 0, text(comment)]
    return row, day


def lines(key, day):
    heavy = key % 9 == 0
    rows = []
    for number in range(1, 8 if heavy else dice.choice([2, 3, 4, 5])):
        shipped = day + datetime.timedelta(dice.randrange(1, 60))
        if dice.random() < 0.2:
            shipped = date("1995-09-01", "1995-09-30") if day.year == 1995 and day.month < 9 else shipped
        part_key, supplier_key = dice.choice(PAIRS)
        receipt = shipped + datetime.timedelta(dice.randrange(3, 20))
        late = HOMES[supplier_key % len(HOMES)] == 5 or dice.random() < 0.15
        commit = receipt + datetime.timedelta(dice.choice([-2, -1]) if late else dice.randrange(9))
        rows.append([key, part_key, supplier_key, number,
                     dice.choice([48, 49, 50]) if heavy else dice.choice([1, 2, 4, 8, 12, 21, 24, 35]), money(100, 9000),
                     dice.choice(["0.00", "0.05", "0.06", "0.07", "0.10"]), "0.02", text(dice.choice("RAN")),
                     text(dice.choice("FO")), text(shipped), text(commit), text(receipt),
                     text("DELIVER IN PERSON" if dice.random() < 0.7 else "NONE"),
                     text(dice.choice(["AIR", "AIR REG", "MAIL", "SHIP"])), text("")])
    return rows


def load(tables):
    return [("ok", insert(name, rows)) for name, rows in tables]


def orders_of(keys):
    made = [order(key) for key in keys]
    rows = [row for row, _ in made]
    return [("orders", rows), ("lineitem", [line for row, day in made for line in lines(row[0], day)])]


def batches():
    yield load([
        ("region", [[i, text(name), text("")] for i, name in enumerate(REGIONS)]),
        ("nation", [[i, text(name), region, text("")] for i, (name, region) in enumerate(NATIONS)]),
        ("part", [part(key) for key in range(1, 21)]),
        ("supplier", [supplier(key) for key in range(1, 9)]),
        ("partsupp", [[p, s, dice.randrange(1, 400), money(1, 100), text("")] for p, s in PAIRS]),
        ("customer", [customer(key) for key in range(1, 31)]),
        *orders_of(range(1, 31))])
    yield load(orders_of(range(31, 43)) + [("customer", [customer(key) for key in range(31, 34)])])
    yield [("ok", "UPDATE lineitem SET l_quantity = l_quantity + 1, l_discount = 0.06 WHERE l_orderkey % 4 = 1"),
           ("ok", "UPDATE orders SET o_orderpriority = '1-URGENT', o_custkey = o_custkey % 7 + 1 WHERE o_orderkey % 5 = 2"),
           ("ok", "UPDATE customer SET c_acctbal = c_acctbal + 100 WHERE c_custkey % 3 = 0"),
           ("ok", "UPDATE partsupp SET ps_supplycost = ps_supplycost / 2 WHERE ps_suppkey = 3"),
           ("ok", "UPDATE supplier SET s_nationkey = 2 WHERE s_suppkey = 1")]
    yield [("ok", "DELETE FROM lineitem WHERE l_orderkey IN (SELECT o_orderkey FROM orders WHERE o_orderkey % 6 = 3)"),
           ("ok", "DELETE FROM orders WHERE o_orderkey % 6 = 3"),
           ("ok", "DELETE FROM lineitem WHERE l_linenumber > 4"),
           ("ok", "DELETE FROM customer WHERE c_custkey > 28"),
           ("ok", "DELETE FROM partsupp WHERE ps_partkey = 5")]


def main():
    print("# TPC-H's 22 queries, kept while their tables change; made by bench/tpch/make_slt.py.\n")
    for statement in (HERE / "schema.sql").read_text().split(";\n"):
        if statement.strip():
            print(f"statement ok\n{statement.strip()}\n")
    views = re.sub(r"^--.*\n", "", (HERE / "queries.sql").read_text(), flags=re.M)
    for statement in views.split(";\n"):
        if statement.strip():
            print(f"statement ok\n{re.sub(chr(10) + '+', chr(10), statement.strip())}\n")
    for changes in batches():
        for kind, sql in changes:
            print(f"statement {kind}\n{sql}\n")
        print("epoch\n")
        for number in range(1, 23):
            print(f"query {COLUMNS[number - 1] * 'T'} rowsort\nSELECT * FROM q{number}\n----\n")


main()
