#!/usr/bin/env python3
"""Writes random SQL tests from a seed: tables, changes, queries; PostgreSQL gives the answers.

usage: random_sql.py SEED >FILE.slt; then: check_postgres.py --update FILE.slt; leat test FILE.slt

Queries stay within what leat supports, and their answers do not depend on an order that they leave open.
"""
import random
import sys

TEXTS = ["'a'", "'b'", "'B'", "'ab'", "''", "'é'", "NULL"]


class Random:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.next_id = {"r": 1, "s": 1}

    def pick(self, *options):
        return self.random.choice(options)

    def value(self, column):
        if self.random.random() < 0.15:
            return "NULL"
        small = self.random.randint(-3, 6)
        return {"k": str(small), "t": self.random.choice(TEXTS), "x": str(small / 4),
                "n": f"{small * 1.25:.2f}", "b": self.pick("true", "false"),
                "d": f"'2024-01-{abs(small) + 1:02d}'"}[column]

    def row(self, table):
        self.next_id[table] += 1
        return f"({self.next_id[table]}, " + ", ".join(self.value(c) for c in "ktxnbd") + ")"

    def change(self):
        table = self.pick("r", "s")
        kind = self.random.random()
        if kind < 0.5:
            rows = ", ".join(self.row(table) for _ in range(self.random.randint(1, 8)))
            return f"INSERT INTO {table} VALUES {rows}"
        if kind < 0.75:
            return f"DELETE FROM {table} WHERE {self.condition(table)} AND i % 3 = {self.pick(0, 1)}"
        column = self.pick("k", "t", "x", "n", "b", "d")
        return f"UPDATE {table} SET {column} = {self.value(column)} WHERE {self.condition(table)}"

    # --- expressions over the columns of the tables (or aliases) in `names` ---

    def column(self, names, of):
        return f"{self.pick(*names)}.{self.pick(*of)}"

    def number(self, names, depth=2):
        kind = self.random.randint(0, 7) if depth else 0
        if kind <= 2:
            return self.column(names, "ikxn")
        if kind == 3:
            return str(self.random.randint(-2, 5))
        if kind == 4:
            return f"coalesce({self.number(names, 0)}, {self.number(names, 0)})"
        if kind == 5:
            return (f"CASE WHEN {self.condition(*names)} THEN {self.number(names, depth - 1)} "
                    f"ELSE {self.number(names, depth - 1)} END")
        if kind == 6:
            return f"nullif({self.number(names, 0)}, {self.random.randint(-1, 3)})"
        return f"({self.number(names, depth - 1)} {self.pick('+', '-', '*')} {self.number(names, depth - 1)})"

    def text(self, names):
        column = self.column(names, "t")
        return self.pick(column, f"upper({column})", f"{column} || 'x'", f"coalesce({column}, '?')",
                         f"length({column})::text", f"{self.column(names, 'kd')}::text")

    def any(self, names):
        return self.pick(lambda: self.number(names), lambda: self.text(names),
                         lambda: self.column(names, "iktxnbd"), lambda: f"({self.condition(*names)})")()

    def condition(self, *names):
        kind = self.random.randint(0, 9)
        number = self.number(names, 1 if kind < 4 else 0)
        if kind < 4:
            return f"{number} {self.pick('<', '<=', '=', '<>', '>', '>=')} {self.number(names, 0)}"
        if kind == 4:
            return f"{self.column(names, 'ktxnbd')} IS {self.pick('', 'NOT ')}NULL"
        if kind == 5:
            return f"{self.column(names, 't')} {self.pick('=', '<', '>', '<>')} {self.pick(*TEXTS[:-1])}"
        if kind == 6:
            return f"({self.condition(*names)} {self.pick('AND', 'OR')} {self.condition(*names)})"
        if kind == 7:
            return f"NOT ({self.condition(*names)})"
        if kind == 8:
            return f"{self.column(names, 'k')} {self.pick('', 'NOT ')}IN ({self.value('k')}, 1, 2)"
        return f"{self.column(names, 'd')} >= {self.pick(repr('2024-01-03'), repr('2024-01-05'))}"

    # --- queries ---

    def source(self):
        """FROM … and the names in it."""
        kind = self.random.randint(0, 5)
        if kind == 0:
            return f"(SELECT * FROM {self.pick('r', 's')} WHERE k > 0) r", ["r"]
        if kind <= 2:
            return self.pick("r", "s") + " r", ["r"]
        join = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN", "LEFT JOIN")
        column = self.pick("k", "t", "n", "b", "i", "d")
        extra = f" AND {self.condition('r', 's')}" if join != "FULL JOIN" and self.random.random() < 0.4 else ""
        return f"{self.pick('r', 's')} r {join} s ON r.{column} = s.{column}{extra}", ["r", "s"]

    def where(self, names):
        if self.random.random() < 0.5:
            return ""
        outer = self.pick(*names)
        return " WHERE " + self.pick(
            lambda: self.condition(*names), lambda: self.condition(*names),
            lambda: f"{outer}.k {self.pick('', 'NOT ')}IN (SELECT z.k FROM s z WHERE {self.condition('z')})",
            lambda: f"{self.pick('', 'NOT ')}EXISTS (SELECT 1 FROM s z WHERE z.k = {outer}.k AND {self.condition('z')})",
            lambda: f"{outer}.k > (SELECT {self.pick('min', 'max', 'avg')}(z.k) FROM s z WHERE {self.condition('z')})")()

    def aggregate(self, names):
        argument = self.number(names, 1)
        call = self.pick("count(*)", f"count({self.any(names)})", f"sum({argument})", f"avg({argument})",
                         f"min({self.any_ordered(names)})", f"max({self.any_ordered(names)})",
                         f"count(DISTINCT {self.column(names, 'ktxnbd')})", f"sum(DISTINCT {self.column(names, 'kn')})",
                         f"bool_or({self.condition(*names)})")
        if self.random.random() < 0.25:
            call += f" FILTER (WHERE {self.condition(*names)})"
        return call

    def any_ordered(self, names):
        return self.pick(self.column(names, "iktxnd"), self.number(names, 1), self.text(names))

    def plain(self):
        source, names = self.source()
        columns = ", ".join(self.any(names) for _ in range(self.random.randint(1, 4)))
        return f"SELECT {self.pick('', '', 'DISTINCT ')}{columns} FROM {source}{self.where(names)}"

    def grouped(self):
        source, names = self.source()
        keys = [self.pick(self.column(names, "ktnbd"), self.text(names), f"{self.column(names, 'i')} % 3")
                for _ in range(self.random.randint(0, 2))]
        calls = [self.aggregate(names) for _ in range(self.random.randint(1, 3))]
        sql = f"SELECT {', '.join(keys + calls)} FROM {source}{self.where(names)}"
        if keys:
            sql += f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}"
        if self.random.random() < 0.2:
            sql += f" HAVING {self.pick('count(*) > 1', 'sum(r.k) > 0', 'max(r.x) IS NOT NULL')}"
        return sql

    def set_operation(self):
        def one():
            return f"SELECT r.k, {self.text(['r'])} FROM {self.pick('r', 's')} r{self.where(['r'])}"
        return f"{one()} {self.pick('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT')} {one()}"

    def window(self):
        partition = self.pick("", "PARTITION BY r.k ", "PARTITION BY r.t ", "PARTITION BY r.b ")
        order = self.pick("", "r.x, ", "r.n DESC, ", "r.t NULLS FIRST, ", "r.d DESC NULLS LAST, ") + "r.i"
        frame = self.pick("", f" ROWS {self.random.randint(0, 4)} PRECEDING",
                          " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                          " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                          " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                          " ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING")
        argument = self.pick("r.k", "r.x", "r.n", "r.i")
        call, framed = self.pick(
            (f"{self.pick('sum', 'avg', 'min', 'max', 'count')}({argument})", True),
            (f"{self.pick('first_value', 'last_value')}({argument})", True),
            (f"{self.pick('lag', 'lead')}(r.k, {self.random.randint(0, 2)})", False),
            (f"{self.pick('row_number', 'rank', 'dense_rank')}()", False))
        over = f"OVER ({partition}ORDER BY {order}{frame if framed else ''})"
        return f"SELECT r.i, {call} {over} FROM {self.pick('r', 's')} r{self.where(['r'])}"

    def top(self):
        order = f"ORDER BY {self.pick('r.k', 'r.x DESC', 'r.t', 'r.n DESC NULLS LAST', 'r.d')}, r.i"
        limit = f"LIMIT {self.random.randint(0, 5)}{self.pick('', ' OFFSET 2')}"
        table = self.pick("r", "s")
        return self.pick(
            f"SELECT r.i, r.k FROM {table} r{self.where(['r'])} {order} {limit}",
            f"SELECT count(*), sum(q.k) FROM (SELECT * FROM {table} r {order} {limit}) q",
            f"SELECT DISTINCT ON (r.b) r.b, r.i, r.t FROM {table} r{self.where(['r'])} "
            f"ORDER BY r.b, {order.removeprefix('ORDER BY ')}")

    def nested(self):
        return (f"SELECT q.a, count(*), max(q.c) FROM (SELECT r.k AS a, r.t AS t, "
                f"{self.pick('sum(r.n)', 'count(*)', 'max(r.x)')} AS c FROM {self.pick('r', 's')} r"
                f"{self.where(['r'])} GROUP BY r.k, r.t) q GROUP BY q.a")

    def deep(self):
        """Joins of what aggregates, windows and set operations answer."""
        def one(name):
            table = self.pick("r", "s")
            return self.pick(
                f"(SELECT r.k, count(*) AS c FROM {table} r{self.where(['r'])} GROUP BY r.k) {name}",
                f"(SELECT DISTINCT r.k, r.b::text AS c FROM {table} r) {name}",
                f"(SELECT r.k, sum(r.n) OVER (ORDER BY r.i ROWS 2 PRECEDING) AS c FROM {table} r) {name}",
                f"(SELECT k, t AS c FROM r UNION SELECT k, t FROM s) {name}",
                f"(SELECT k, i AS c FROM {table} ORDER BY x DESC, i LIMIT 4) {name}")
        join = self.pick("JOIN", "LEFT JOIN", "FULL JOIN")
        sql = f"FROM {one('p')} {join} {one('q')} ON p.k = q.k"
        if self.random.random() < 0.4:
            sql += f" {self.pick('JOIN', 'LEFT JOIN')} s ON s.k = {self.pick('p.k', 'q.k')}"
        return self.pick(
            f"SELECT p.k, p.c, q.k, q.c {sql}",
            f"SELECT coalesce(p.k, q.k), count(*), max(p.c), count(q.c) {sql} GROUP BY 1",
            f"WITH w AS (SELECT p.k AS a, q.k AS b {sql}) "
            "SELECT a, count(b) FROM w WHERE a > 0 OR b IS NULL GROUP BY a")

    # --- subqueries anywhere, with references to the queries around them ---

    def inner(self, outer, name="z"):
        """WHERE of a subquery over `name`, mostly about the rows of `outer`."""
        conditions = self.random.sample([
            (lambda c: f"{name}.{c} = {outer}.{c}")(self.pick(*"ktnbd")),
            f"{name}.{self.pick('k', 'x', 'n')} {self.pick('<', '<=', '>')} {outer}.{self.pick('k', 'x', 'n')}",
            self.condition(name), self.condition(name, outer)], self.random.randint(1, 2))
        if name == "z" and self.random.random() < 0.25:
            conditions.append(f"EXISTS (SELECT 1 FROM {self.pick('r', 's')} y WHERE {self.inner(self.pick(outer, 'z'), 'y')})")
        return " AND ".join(conditions)

    def scalar(self, outer):
        table = self.pick("r", "s")
        return self.pick(
            f"(SELECT {self.aggregate(['z'])} FROM {table} z WHERE {self.inner(outer)})",
            f"(SELECT count(*) FROM {table} z WHERE {self.inner(outer)})",
            f"(SELECT sum(z.k + {outer}.k) FROM {table} z WHERE {self.inner(outer)})",
            f"(SELECT z.k FROM {table} z WHERE {self.inner(outer)} ORDER BY z.x, z.i LIMIT 1)",
            f"(SELECT count(*) FROM (SELECT z.k FROM {table} z WHERE {self.inner(outer)} "
            f"{self.pick('UNION', 'EXCEPT', 'UNION ALL', 'INTERSECT')} SELECT {outer}.k) q)",
            f"(SELECT max(q.c) FROM (SELECT z.t, count(*) AS c FROM {table} z WHERE {self.inner(outer)} GROUP BY z.t) q)")

    def test(self, outer):
        table = self.pick("r", "s")
        return self.pick(
            f"{self.pick('', 'NOT ')}EXISTS (SELECT 1 FROM {table} z WHERE {self.inner(outer)})",
            f"{outer}.k {self.pick('', 'NOT ')}IN (SELECT z.k FROM {table} z WHERE {self.inner(outer)})",
            f"({outer}.k, {outer}.b) {self.pick('', 'NOT ')}IN (SELECT z.k, z.b FROM {table} z WHERE {self.inner(outer)})",
            f"{outer}.n {self.pick('<', '>=', '<>', '=')} {self.pick('ANY', 'ALL')} (SELECT z.n FROM {table} z WHERE {self.inner(outer)})",
            f"{self.scalar(outer)} {self.pick('IS NULL', 'IS NOT NULL')}",
            f"({outer}.k, {outer}.x) {self.pick('<', '>=', '=', '<>')} (1, 0.5)")

    def correlated(self):
        source, names = self.source()
        outer = self.pick(*names)
        where = f" WHERE {self.test(outer)} {self.pick('AND', 'OR')} {self.condition(*names)}" if self.random.random() < 0.6 else ""
        return self.pick(
            f"SELECT {outer}.i, {self.scalar(outer)} FROM {source}{where}",
            f"SELECT {outer}.i, CASE WHEN {self.test(outer)} THEN 1 WHEN NOT ({self.test(outer)}) THEN 0 END FROM {source}",
            f"SELECT count(*), sum({self.scalar(outer)}) FROM {source}{where}",
            f"SELECT {', '.join(n + '.i' for n in names)} FROM {source} WHERE {self.test(outer)}")

    def lateral(self):
        table = self.pick("r", "s")
        item = self.pick(
            f"SELECT z.i, z.k AS c FROM {table} z WHERE {self.inner('r')}",
            f"SELECT z.i, z.x AS c FROM {table} z WHERE {self.inner('r')} ORDER BY z.n DESC NULLS LAST, z.i LIMIT {self.random.randint(1, 2)}",
            f"SELECT 0 AS i, count(*) AS c FROM {table} z WHERE {self.inner('r')}",
            f"SELECT z.k AS i, max(z.t) AS c FROM {table} z WHERE {self.inner('r')} GROUP BY z.k")
        join = self.pick("CROSS JOIN LATERAL", "LEFT JOIN LATERAL", "JOIN LATERAL")
        on = "" if join.startswith("CROSS") else self.pick(" ON true", " ON q.i >= r.k")
        return f"SELECT r.i, q.i, q.c FROM {self.pick('r', 's')} r {join} ({item}) q{on}"

    def sets(self):
        names = ["r"]
        keys = self.pick("ROLLUP (r.k, r.b)", "CUBE (r.b, r.t)", "GROUPING SETS ((r.k), (r.b, r.t), ())", "r.b, ROLLUP (r.k)")
        columns = [c for c in ("r.k", "r.b", "r.t") if c in keys]
        return (f"SELECT {', '.join(columns)}, GROUPING({', '.join(columns)}), {self.aggregate(names)} "
                f"FROM {self.pick('r', 's')} r{self.where(names)} GROUP BY {keys}")

    def all_sets(self):
        def one():
            return f"SELECT r.k, r.b FROM {self.pick('r', 's')} r{self.where(['r'])}"
        return f"{one()} {self.pick('EXCEPT ALL', 'INTERSECT ALL')} {one()}"

    # --- frames by value and by peers, ties, recursion, conditions of outer joins, formats, times ---

    def frame(self):
        unit = self.pick("ROWS", "RANGE", "GROUPS")
        bounds = self.pick("2 PRECEDING AND CURRENT ROW", "1 PRECEDING AND 1 FOLLOWING",
                           "UNBOUNDED PRECEDING AND 1 FOLLOWING", "CURRENT ROW AND UNBOUNDED FOLLOWING",
                           "1 FOLLOWING AND 3 FOLLOWING", "3 PRECEDING AND 1 PRECEDING")
        exclude = self.pick("", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES")
        order = "r.i" if unit == "ROWS" else self.pick("r.k", "r.n", "r.i", "r.k DESC")
        call = self.pick("sum(r.i)", "count(*)", "min(r.t)", "max(r.n)", "bool_or(r.b)", "sum(r.n)")
        return (f"SELECT r.i, {call} OVER ({self.pick('', 'PARTITION BY r.b ')}ORDER BY {order} "
                f"{unit} BETWEEN {bounds}{exclude}) FROM {self.pick('r', 's')} r{self.where(['r'])}")

    def ties(self):
        order = self.pick("r.k", "r.b DESC, r.k", "r.n DESC NULLS LAST", "r.t")
        columns = order.replace(" DESC", "").replace(" NULLS LAST", "")
        return (f"SELECT {columns} FROM {self.pick('r', 's')} r{self.where(['r'])} ORDER BY {order} "
                f"FETCH FIRST {self.random.randint(1, 4)} ROWS WITH TIES")

    def recursive(self):
        union = self.pick("UNION", "UNION ALL")
        table = self.pick("r", "s")
        return (f"WITH RECURSIVE w(k, depth) AS (SELECT r.k, 0 FROM {table} r WHERE r.k < 0 {union} "
                f"SELECT z.k, w.depth + 1 FROM w JOIN {self.pick('r', 's')} z ON z.k = w.k + 1 "
                f"WHERE w.depth < 3) SELECT k, depth, count(*) FROM w GROUP BY k, depth")

    def asking_join(self):
        test = self.pick("s.k IN (SELECT z.k FROM r z WHERE {})", "EXISTS (SELECT 1 FROM r z WHERE z.k = s.k AND {})",
                         "r.k > (SELECT min(z.k) FROM s z WHERE {})",
                         "NOT EXISTS (SELECT 1 FROM s z WHERE z.i = r.i AND {})").format(self.condition("z"))
        return (f"SELECT r.i, s.i FROM r r {self.pick('LEFT', 'RIGHT', 'FULL')} JOIN s ON r.k = s.k AND {test}")

    def formats(self):
        pattern = self.pick("999", "FM999.99", "0009.9", "S99.0", "99.9MI", "FM90.099", "9,999.9", "99.9PR",
                            "9.99EEEE", "99V9", "FMRN", "FM9.9", "FM0", "SG99", "99th")
        number = self.pick("r.k", "r.n", "r.x", "r.k * 1000", "r.n / 7", "r.i")
        return self.pick(
            f"SELECT r.i, to_char({number}, '{pattern}') FROM r r",
            f"SELECT r.i, r.k & {self.random.randint(0, 5)}, r.k | 2, r.k # 1, ~r.k, r.k << 2, r.k >> 1 FROM r r",
            f"SELECT r.i, r.d + interval '{self.random.randint(-40, 40)} days 3 hours', "
            f"date_trunc('{self.pick('week', 'month', 'hour')}', r.d + r.k * interval '5 hours'), "
            f"extract({self.pick('dow', 'doy', 'epoch', 'week')} FROM r.d) FROM r r",
            "SELECT r.d::timestamp - timestamp '2024-01-03 12:00', age(r.d, date '2023-12-31'), "
            "r.d - date '2024-01-02' FROM s r",
            f"SELECT date_trunc('day', r.d + r.i * interval '7 hours') AS day, count(*), max(r.n) FROM s r GROUP BY 1",
            f"SELECT r.i, (r.k, r.i) {self.pick('=', '<', '<>')} (SELECT z.k, max(z.i) FROM s z WHERE z.k = r.k GROUP BY z.k) FROM r r")

    def upsert(self):
        rows = ", ".join(f"({key}, {self.value('k')}, {self.value('t')})"
                         for key in self.random.sample(range(12), self.random.randint(1, 5)))
        action = self.pick("NOTHING", "UPDATE SET k = excluded.k, t = u.t || excluded.t",
                           "UPDATE SET k = u.k + 1 WHERE excluded.k > 0", "UPDATE SET (k, t) = (excluded.k, 'up')")
        return self.pick(
            f"INSERT INTO u VALUES {rows} ON CONFLICT (i) DO {action} RETURNING i, k, t",
            f"UPDATE u SET k = {self.value('k')} WHERE i % 3 = {self.random.randint(0, 2)} RETURNING *",
            f"DELETE FROM u WHERE i = {self.random.randint(0, 11)} RETURNING t, i",
            f"UPDATE u SET (k, t) = (SELECT max(z.k), min(z.t) FROM r z WHERE z.k < u.k) WHERE i < 4 RETURNING u.*",
            f"WITH w AS (SELECT k, count(*) AS c FROM r GROUP BY k) UPDATE u SET k = w.c FROM w WHERE w.k = u.k RETURNING u.i, c")

    def query(self):
        if self.random.random() < 0.3:
            return self.pick(self.frame, self.frame, self.ties, self.recursive, self.asking_join, self.formats,
                             self.formats)()
        if self.random.random() < 0.4:
            return self.pick(self.correlated, self.correlated, self.correlated, self.lateral, self.lateral,
                             self.sets, self.all_sets)()
        return self.pick(self.plain, self.plain, self.grouped, self.grouped, self.set_operation,
                         self.window, self.window, self.top, self.nested, self.deep, self.deep)()


def main():
    seed = int(sys.argv[1])
    make = Random(seed)
    columns = "i integer, k integer, t text, x double precision, n numeric(8,2), b boolean, d date"
    print(f"# random_sql.py {seed}\n")
    for table in "rs":
        print(f"statement ok\nCREATE TABLE {table} ({columns})\n")
    for table in "rs":
        rows = ", ".join(make.row(table) for _ in range(12))
        print(f"statement ok\nINSERT INTO {table} VALUES {rows}\n")
    print("statement ok\nCREATE TABLE u (i integer PRIMARY KEY, k integer, t text)\n")
    for _ in range(6):
        for _ in range(6):
            print(f"query rowsort\n{make.query()}\n")
        print(f"query rowsort\n{make.upsert()}\n")
        print("query rowsort\nSELECT u.k, count(*), min(u.t) FROM u LEFT JOIN r ON r.i = u.i GROUP BY u.k\n")
        print(make.pick("epoch\n", "restart\n", ""))
        print(f"statement ok\n{make.change()}\n")


if __name__ == "__main__":
    main()
