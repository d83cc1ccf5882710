"""A PostgreSQL database captured by its write-ahead log: a real server, changed by many at once while
leat follows it, is killed and started again. What the sink holds is what the server answers.

LEAT_REPLICA_KILLS says how often leat is killed (3), LEAT_REPLICA_SEED with which luck (drawn, and
shown when it fails).
"""
import contextlib
import csv
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

SERVER = pathlib.Path(__file__).resolve().parents[1] / "servers/postgres.sh"
BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
KILLS = int(os.environ.get("LEAT_REPLICA_KILLS", 3))
SEED = int(os.environ.get("LEAT_REPLICA_SEED", random.randrange(1 << 30)))

pytestmark = pytest.mark.skipif(not (BIN / "initdb").exists(), reason="no PostgreSQL server here")


class Server:
    """A throwaway cluster. Each test has a database of its own."""

    def __init__(self, folder, settings=()):
        self.folder = folder
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()
        if settings:
            for setting in settings:
                self(f"ALTER SYSTEM SET {setting}")
            self.stop()
            self.start()

    def start(self):
        subprocess.run([SERVER, "start", self.folder, str(self.port)], check=True,
                       stdout=subprocess.PIPE)

    def stop(self):
        subprocess.run([SERVER, "stop", self.folder], check=True)

    def psql(self, *words, **more):
        return subprocess.Popen(
            [BIN / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=0", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", "postgres", *words], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}, **more)

    def __call__(self, sql, database="postgres"):
        """The rows of the last statement, as lists of texts."""
        process = self.psql("-d", database, "-F", "\t", "-v", "ON_ERROR_STOP=1")
        out, err = process.communicate(sql)
        assert process.returncode == 0, err
        return [line.split("\t") for line in out.splitlines()]

    def url(self, database, user="postgres"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def throwaway(*settings):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-replica-", dir="/tmp"))
    folder.chmod(0o755)  # the user postgres has to reach it
    made = Server(folder, settings)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server():
    with throwaway() as made:
        yield made


@pytest.fixture
def bank(server, request):
    name = request.node.name[:40]
    server(f'CREATE DATABASE "{name}"')
    yield lambda sql: server(sql, name)
    for slot, in server(f"SELECT slot_name FROM pg_replication_slots WHERE database = '{name}'"):
        for _ in range(100):  # its walsender may still be about to notice that leat is gone
            with contextlib.suppress(AssertionError):
                server(f"SELECT pg_drop_replication_slot('{slot}')")
                break
            time.sleep(0.05)


@pytest.fixture
def pipeline(leat, server, bank, request):
    """Writes a pipeline on the test's database into SQLite."""
    def write(text):
        url = server.url(request.node.name[:40])
        return leat.write("bank.sql", (
            f"CREATE SERVER bank FOREIGN DATA WRAPPER database OPTIONS (url '{url}');\n"
            "CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');\n"
            + text))
    return write


def held(leat, query):
    with contextlib.closing(sqlite3.connect(leat.home / "w.db")) as db:
        return sorted(tuple("" if v is None else str(v) for v in row) for row in db.execute(query))


def answers(bank, query):
    return sorted(tuple(row) for row in bank(query))


TYPES = """
    id bigint PRIMARY KEY, b boolean, i2 smallint, i4 integer, f4 real, f8 double precision, n numeric,
    n2 numeric(12,2), t text, v varchar(20), c char(5), y bytea, d date, tm time, ts timestamp,
    tz timestamptz, iv interval, u uuid, j json, jb jsonb, ia integer[], ta text[]
"""
COLUMNS = [part.split()[0] for part in TYPES.replace("12,2", "").split(",")]
VALUES = """
    (1, true, -7, 2147483647, 1.5, 0.1, 12345678901234567890123456789012345678901234567890.00001, -12.50,
     'plain', 'Ä', 'ab', '\\xdeadbeef', '2024-02-29', '23:59:59.999999', '2024-02-29 12:00:00.000001',
     '2024-02-29 12:00:00+02', '1 year 2 mons 3 days 04:05:06.7', '00112233-4455-6677-8899-aabbccddeeff',
     '{"a":  1}', '{"b": 2, "a": [1, null]}', '{1,NULL,3}', '{"a b",NULL,"c,\\"d"}'),
    (2, false, 32767, -1, 'NaN', '-Infinity', 'NaN', 0, '', '', '', '', '-infinity', '00:00', 'infinity',
     '-infinity', '-1 mons', NULL, 'null', '1e400', '{}', '{}'),
    (3, NULL, NULL, NULL, 'Infinity', '1e-300', 'Infinity', 9999999999.99, E'tab\\tnewline\\n', NULL, NULL,
     NULL, '4713-01-01 BC', '24:00', '0001-01-01 BC', '294246-12-31 23:59:59', '0', NULL, '"x"', '"ü"',
     '{-1}', '{x}'),
    (4, NULL, NULL, NULL, -0.0, -0.0, 0.00, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL)
"""


def test_every_type_in_snapshot_and_stream(leat, bank, pipeline):
    bank(f"CREATE TABLE things ({TYPES}); INSERT INTO things VALUES {VALUES}")
    # psql and SQLite would both show these their own way: as one line of text each.
    shown = ", ".join(f"coalesce({name}::text, 'null')" for name in COLUMNS)
    path = pipeline(f"""
        CREATE FOREIGN TABLE things ({TYPES}) SERVER bank;
        CREATE FOREIGN TABLE shown () SERVER warehouse OPTIONS (mode 'upsert', key 'id');
        INSERT INTO shown SELECT id, concat_ws('|', {shown}) AS row FROM things;
    """)
    query = f"SELECT encode(convert_to(concat_ws('|', {shown}), 'UTF8'), 'hex') FROM things"

    def same():
        there = sorted(bytes.fromhex(row[0]).decode() for row in bank(query))
        here = sorted(row[0] for row in held(leat, "SELECT row FROM shown"))
        assert here == there
    leat.run(path)
    same()
    bank(f"UPDATE things SET id = id + 10; INSERT INTO things VALUES {VALUES}")
    leat.run(path)
    same()


def test_types_that_are_none_of_ours_come_as_text(leat, bank, pipeline):
    bank("""CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN euro AS numeric(10,2) CHECK (value >= 0);
            CREATE TYPE pair AS (a int, b text);
            CREATE TABLE odd (id int PRIMARY KEY, m mood, e euro, p pair, r int4range, ms mood[], a inet);
            INSERT INTO odd VALUES (1, 'ok', 1.5, '(1,"x y")', '[1,5)', '{sad,ok}', '10.0.0.1')""")
    path = pipeline("""
        CREATE FOREIGN TABLE odd (id integer PRIMARY KEY, m text, e numeric(10,2), p text, r text,
                                  ms text[], a text) SERVER bank;
        CREATE FOREIGN TABLE out () SERVER warehouse OPTIONS (key 'id');
        INSERT INTO out SELECT id, m, e::text AS e, p, r, ms::text AS ms, a FROM odd;
    """)
    leat.run(path)
    query = "SELECT id, m, e, p, r, ms, a FROM {}"
    assert held(leat, query.format("out")) == answers(bank, query.format("odd"))
    bank("INSERT INTO odd VALUES (2, 'sad', 0, NULL, 'empty', '{}', '::1'); UPDATE odd SET m = 'sad'")
    leat.run(path)
    assert held(leat, query.format("out")) == answers(bank, query.format("odd"))


BANK = """
CREATE TABLE client (id bigint PRIMARY KEY, name text NOT NULL, note text);
ALTER TABLE client ALTER note SET STORAGE EXTERNAL;
CREATE TABLE loan (id bigint PRIMARY KEY, client_id bigint, amount numeric(12,2), status text);
CREATE TABLE payment (loan_id bigint, number int, principal numeric(12,2), memo text,
                      PRIMARY KEY (loan_id, number)) PARTITION BY HASH (loan_id);
CREATE TABLE payment_0 PARTITION OF payment FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE payment_1 PARTITION OF payment FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE log (at int, what text);
CREATE TABLE remark (at int, what text);
ALTER TABLE remark REPLICA IDENTITY FULL;
ALTER TABLE remark ALTER what SET STORAGE EXTERNAL;
INSERT INTO client SELECT i, 'client ' || i, repeat(md5(i::text), 200) FROM generate_series(1, 300) i;
INSERT INTO loan SELECT i, 1 + i % 300, i, 'active' FROM generate_series(1, 900) i;
INSERT INTO payment SELECT 1 + i % 900, i / 900, i, NULL FROM generate_series(1, 1800) i;
INSERT INTO log VALUES (0, 'begin'), (0, NULL);
INSERT INTO remark SELECT i % 20, repeat('r' || i % 3, 2000) FROM generate_series(1, 200) i;
"""
CAPTURED = """
CREATE FOREIGN TABLE client (id bigint PRIMARY KEY, name text NOT NULL, note text) SERVER bank;
CREATE FOREIGN TABLE loan (id bigint PRIMARY KEY, client_id bigint, amount numeric(12,2), status text)
    SERVER bank;
CREATE FOREIGN TABLE payment (loan_id bigint, number int, principal numeric(12,2), memo text,
    PRIMARY KEY (loan_id, number)) SERVER bank;
CREATE FOREIGN TABLE log (at int, what text) SERVER bank OPTIONS (changes 'insert');
CREATE FOREIGN TABLE remark (at int, what text) SERVER bank;

CREATE FOREIGN TABLE client_copy () SERVER warehouse OPTIONS (key 'id');
CREATE FOREIGN TABLE loan_copy () SERVER warehouse OPTIONS (key 'id');
CREATE FOREIGN TABLE payment_copy () SERVER warehouse OPTIONS (key 'loan_id, number');
CREATE FOREIGN TABLE log_copy () SERVER warehouse OPTIONS (mode 'append');
CREATE FOREIGN TABLE remark_copy () SERVER warehouse OPTIONS (key 'at, what');
CREATE FOREIGN TABLE features () SERVER warehouse OPTIONS (key 'client_id');
INSERT INTO client_copy SELECT id, name, md5(note) AS note FROM client;
INSERT INTO loan_copy SELECT id, client_id, amount::text AS amount, status FROM loan;
INSERT INTO payment_copy SELECT loan_id, number, principal::text AS principal, memo FROM payment;
INSERT INTO log_copy SELECT at, what FROM log;
INSERT INTO remark_copy SELECT at, md5(what) AS what, count(*) AS times FROM remark GROUP BY 1, 2;
INSERT INTO features
"""
FEATURES = """
SELECT c.id AS client_id, count(l.id) AS loans, coalesce(sum(l.amount), 0)::text AS amount,
       count(l.id) FILTER (WHERE l.status = 'paid') AS paid,
       coalesce((sum(p.principal)), 0)::text AS repaid
FROM client c LEFT JOIN loan l ON l.client_id = c.id
LEFT JOIN (SELECT loan_id, sum(principal) AS principal FROM payment GROUP BY loan_id) p ON p.loan_id = l.id
GROUP BY c.id
"""
COPIES = {
    "client_copy": "SELECT id, name, md5(note) FROM client",
    "loan_copy": "SELECT id, client_id, amount::text, status FROM loan",
    "payment_copy": "SELECT loan_id, number, principal::text, memo FROM payment",
    "log_copy": "SELECT at, what FROM log",
    "remark_copy": "SELECT at, md5(what), count(*) FROM remark GROUP BY 1, 2",
    "features": FEATURES,
}


def some_change(luck):
    """A statement that changes a few rows, or one that fails."""
    client, loan = luck.randrange(1, 330), luck.randrange(1, 1000)
    return luck.choice((
        f"INSERT INTO client VALUES ({client}, 'new', repeat('x{luck.random()}', 300)) ON CONFLICT DO NOTHING",
        f"UPDATE client SET name = 'n{luck.random()}' WHERE id = {client}",
        f"UPDATE client SET note = repeat('y{luck.random()}', 400) WHERE id = {client}",
        f"UPDATE client SET id = id + 1000 WHERE id = {client} AND NOT EXISTS "
        f"(SELECT FROM client WHERE id = {client} + 1000)",
        f"UPDATE client SET id = id - 1000, name = 'back' WHERE id = {client} + 1000 AND NOT EXISTS "
        f"(SELECT FROM client WHERE id = {client})",
        f"DELETE FROM client WHERE id = {client}",
        f"INSERT INTO loan VALUES ({loan}, {client}, {luck.randrange(10**6)} / 100.0, 'active') "
        "ON CONFLICT (id) DO UPDATE SET status = 'again'",
        f"UPDATE loan SET status = 'paid', amount = amount + 0.01 WHERE id % 50 = {loan % 50}",
        f"DELETE FROM loan WHERE id = {loan}",
        f"INSERT INTO payment VALUES ({loan}, {luck.randrange(5)}, {luck.randrange(1000)}, repeat('m', 3000)) "
        "ON CONFLICT DO NOTHING",
        f"UPDATE payment SET principal = principal + 1 WHERE loan_id = {loan}",
        f"UPDATE payment SET loan_id = loan_id + 1 WHERE loan_id = {loan} AND number = 7",
        f"DELETE FROM payment WHERE loan_id % 40 = {loan % 40}",
        f"INSERT INTO log VALUES ({loan}, 'w{luck.random()}')",
        "INSERT INTO client VALUES (1, NULL, NULL)",
        f"INSERT INTO remark SELECT {loan % 20}, repeat('r{loan % 3}', 2000) FROM generate_series(1, 2)",
        f"UPDATE remark SET at = (at + 1) % 20 WHERE at = {loan % 20}",  # the large value is not sent again
        f"DELETE FROM remark WHERE ctid = (SELECT min(ctid) FROM remark WHERE at = {loan % 20})",
        *(["TRUNCATE payment", "TRUNCATE loan", "TRUNCATE remark"] if luck.random() < 0.02 else []),
    ))


def some_transaction(luck):
    lines = ["BEGIN;"]
    for _ in range(luck.randrange(1, 6)):
        if luck.random() < 0.3:
            lines += ["SAVEPOINT s;", some_change(luck) + ";",
                      luck.choice(("ROLLBACK TO s;", "RELEASE s;"))]
        else:
            lines.append(some_change(luck) + ";")
    return "\n".join(lines + [luck.choice(("COMMIT;", "COMMIT;", "COMMIT;", "ROLLBACK;"))])


class Writers:
    """Several clients of the bank, each in transactions of its own."""

    def __init__(self, server, database, luck, count=3):
        self.luck = luck
        self.clients = [server.psql("-d", database) for _ in range(count)]

    def write(self, transactions):
        for _ in range(transactions):
            client = self.luck.choice(self.clients)
            client.stdin.write(some_transaction(self.luck) + "\n")
            client.stdin.flush()

    def end(self):
        for client in self.clients:
            client.communicate()


def test_a_busy_bank_while_leat_is_killed(leat, server, bank, pipeline, request):
    luck = random.Random(SEED)
    bank(BANK)
    path = pipeline(CAPTURED + FEATURES + ";\n")
    writers = Writers(server, request.node.name[:40], luck)
    for _ in range(KILLS):
        process = leat.start("run", path, "--state", leat.home / "state", "--follow", "-q",
                             "--checkpoint-interval", "0.3")
        for _ in range(luck.randrange(2, 12)):
            writers.write(luck.randrange(1, 12))
            time.sleep(luck.random() * 0.2)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        writers.write(luck.randrange(20))
    writers.end()
    leat.run(path)
    for name, query in COPIES.items():
        assert held(leat, f"SELECT * FROM {name}") == answers(bank, query), (name, SEED)
    slot, = bank("SELECT restart_lsn IS NOT NULL FROM pg_replication_slots WHERE NOT active")
    assert slot == ["t"]


def days_of(folder):
    """What examples/loans/generate.py wrote, day by day, as statements in the order of the changes."""
    for number in sorted({path.stem.split("_")[1] for path in folder.glob("*.csv")}):
        changes = []
        for path in folder.glob(f"*_{number}.csv"):
            with open(path, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    at, op = row.pop("changed_at"), row.pop("op")
                    texts = ["'" + value.replace("'", "''") + "'" for value in row.values()]
                    table, named = path.stem.split("_")[0], ", ".join(row)
                    changes.append((at, {
                        "insert": f"INSERT INTO {table} ({named}) VALUES ({', '.join(texts)})",
                        "update": f"UPDATE {table} SET ({named}) = ROW ({', '.join(texts)}) WHERE id = {row['id']}",
                        "delete": f"DELETE FROM {table} WHERE id = {row['id']}"}[op]))
        yield "BEGIN; " + "; ".join(change for _, change in sorted(changes)) + "; COMMIT"


def test_the_loans_example_on_a_real_bank(leat, root, server, bank, request):
    """Its file as it is: features of every commit, in another database, as PostgreSQL itself answers them."""
    pipeline = root / "examples/loans/replica.sql"
    text = pipeline.read_text()
    first = datetime.date.today() - datetime.timedelta(days=100)
    for day in range(1, 7):
        subprocess.run([sys.executable, root / "examples/loans/generate.py", leat.home / "data", "--day", str(day),
                        "--clients", "8", "--first", str(first)], check=True)
    for table in re.findall(r"CREATE FOREIGN (TABLE \w+ \([^;]+?\n\)) SERVER bank;", text):
        bank(f"CREATE {table}")
    views = re.findall(r"^(CREATE (?:MATERIALIZED )?VIEW .*?);", text, re.DOTALL | re.MULTILINE)
    bank("; ".join(re.sub(r" WITH \(key[^)]*\)", "", view).replace("MATERIALIZED ", "") for view in views))
    warehouse = request.node.name[:30] + "_warehouse"
    server(f'CREATE DATABASE "{warehouse}"')
    leat.environment = {"BANK_URL": server.url(request.node.name[:40]), "WAREHOUSE": server.url(warehouse)}
    days = list(days_of(leat.home / "data"))
    bank(days[0])
    leat.run(pipeline)
    answer, sink = "SELECT * FROM client_features", "SELECT * FROM features"
    assert sorted(bank(answer)) == sorted(server(sink, warehouse)) != []
    with following(leat, pipeline):
        for day in days[1:]:
            bank(day)
            wait_for(lambda: sorted(bank(answer)) == sorted(server(sink, warehouse)))
    assert len(bank(answer)) > 40


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@contextlib.contextmanager
def following(leat, path):
    process = leat.start("run", path, "--state", leat.home / "state", "--follow", "-q",
                         "--checkpoint-interval", "0.2")
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)


ONE = """
CREATE FOREIGN TABLE thing (id int PRIMARY KEY, a text, b int CHECK (b < 100)) SERVER bank;
CREATE FOREIGN TABLE copy () SERVER warehouse OPTIONS (key 'id');
INSERT INTO copy SELECT * FROM thing;
"""


def test_an_idle_table_beside_a_busy_one_holds_no_log(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); CREATE TABLE busy (x text);")
    path = pipeline(ONE)
    with following(leat, path):
        wait_for(lambda: bank("SELECT 1 FROM pg_replication_slots WHERE active"))
        lag = "SELECT pg_current_wal_insert_lsn() - confirmed_flush_lsn < 20000000 FROM pg_replication_slots"
        for _ in range(4):
            bank("INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        wait_for(lambda: bank(lag) == [["t"]])


def test_a_quiet_database_beside_a_busy_one_holds_no_log(leat, server, bank, pipeline, request):
    """The log is the cluster's: what others write passes by, and is acknowledged all the same."""
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int)")
    other = request.node.name[:40] + "_busy"
    server(f'CREATE DATABASE "{other}"')
    server("CREATE TABLE busy (x text)", other)
    path = pipeline(ONE)
    with following(leat, path):
        wait_for(lambda: bank("SELECT 1 FROM pg_replication_slots WHERE active"))
        before, = bank("SELECT pg_current_wal_insert_lsn()")[0]
        for _ in range(4):
            server("INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000); CHECKPOINT", other)
        # Both what was acknowledged and what the server keeps on its disk.
        lag = ("SELECT pg_current_wal_insert_lsn() - confirmed_flush_lsn < 20000000 AND "
               f"restart_lsn > '{before}' FROM pg_replication_slots WHERE active")
        wait_for(lambda: server("CHECKPOINT", other) or bank(lag) == [["t"]])


def test_a_large_transaction_is_whole(leat, bank, pipeline):
    """Of many arrivals, and yet one commit: nobody sees a part of it, killed or not."""
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int)")
    path = pipeline(ONE)
    leat.run(path)
    count = "SELECT count(*) FROM copy"
    seen = set()
    with following(leat, path):
        bank("INSERT INTO thing SELECT i, repeat('x', 300), 1 FROM generate_series(1, 40000) i")
        wait_for(lambda: seen.add(held(leat, count)[0][0]) or "40000" in seen)
    assert seen <= {"0", "40000"}
    process = leat.start("run", path, "--state", leat.home / "state", "--follow", "-q",
                         "--checkpoint-interval", "0.05")
    bank("UPDATE thing SET b = 2")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert held(leat, "SELECT DISTINCT b FROM copy") in ([("1",)], [("2",)])
    leat.run(path)
    assert held(leat, "SELECT DISTINCT b FROM copy") == [("2",)]


def test_the_rows_of_the_last_commit_can_be_asked_for(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); INSERT INTO thing VALUES (1, 'x', 1), "
         "(2, 'y', 2)")
    path = pipeline(ONE)
    leat.run(path)
    bank("DELETE FROM thing")  # not read yet
    assert leat.rows(path, "SELECT id, a FROM thing ORDER BY id") == [["1", "x"], ["2", "y"]]
    leat("verify", path, "copy", "--state", leat.home / "state")
    with contextlib.closing(sqlite3.connect(leat.home / "w.db")) as db:
        db.execute("UPDATE copy SET a = 'other' WHERE id = 1")
        db.commit()
    leat.finish(("verify", path, "copy", "--state", leat.home / "state"), 1)


def test_a_table_without_a_key_by_its_whole_rows(leat, bank, pipeline):
    """Equal rows are as many as there; what a column cannot hold is a reject, and goes without a trace."""
    bank("CREATE TABLE thing (a text, b bigint); INSERT INTO thing VALUES ('x', 1), ('x', 1), ('y', 2), "
         "(NULL, 5000000000)")
    path = pipeline("""
        CREATE FOREIGN TABLE thing (a text, b int CHECK (b < 100)) SERVER bank;
        CREATE FOREIGN TABLE copy () SERVER warehouse OPTIONS (key 'a, b');
        INSERT INTO copy SELECT coalesce(a, '-') AS a, b, count(*) AS times FROM thing GROUP BY a, b;
    """)
    said = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "without a PRIMARY KEY" in said and "REPLICA IDENTITY FULL" in said and "changes 'insert'" in said
    bank("ALTER TABLE thing REPLICA IDENTITY FULL")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("x", "1", "2"), ("y", "2", "1")]
    bank("DELETE FROM thing WHERE ctid = (SELECT min(ctid) FROM thing); UPDATE thing SET b = 3 WHERE a = 'y'; "
         "INSERT INTO thing VALUES ('z', 7), ('z', 7), ('w', 200); DELETE FROM thing WHERE a IS NULL OR a = 'w'")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("x", "1", "1"), ("y", "3", "1"), ("z", "7", "2")]
    assert leat.rows(path, "SELECT a, b FROM thing ORDER BY a, b") == [
        ["x", "1"], ["y", "3"], ["z", "7"], ["z", "7"]]
    leat("verify", path, "copy", "--state", leat.home / "state")
    bank("BEGIN; TRUNCATE thing; INSERT INTO thing VALUES ('n', 1); COMMIT")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("n", "1", "1")]
    bank("ALTER TABLE thing REPLICA IDENTITY NOTHING; INSERT INTO thing VALUES ('m', 1)")
    said = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "without a PRIMARY KEY" in said or "no longer FULL" in said
    assert held(leat, "SELECT * FROM copy") == [("n", "1", "1")]


def test_generated_columns_are_refused_and_not_imported(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, b int, twice int GENERATED ALWAYS AS (2 * b) STORED); "
         "INSERT INTO thing VALUES (1, 1)")
    path = pipeline("CREATE FOREIGN TABLE thing (id int PRIMARY KEY, b int, twice int) SERVER bank;\n"
                    "CREATE FOREIGN TABLE copy () SERVER warehouse OPTIONS (key 'id');\n"
                    "INSERT INTO copy SELECT * FROM thing;")
    said = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert 'column "twice" is generated' in said and "compute it in a view" in said
    path = pipeline("IMPORT FOREIGN SCHEMA public LIMIT TO (thing) FROM SERVER bank INTO public;\n"
                    "CREATE FOREIGN TABLE copy () SERVER warehouse OPTIONS (key 'id');\n"
                    "INSERT INTO copy SELECT *, 2 * b AS twice FROM thing;")
    leat.run(path)
    bank("UPDATE thing SET b = 5; INSERT INTO thing VALUES (2, 7)")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == answers(bank, "SELECT * FROM thing")


def test_another_replica_identity_stops_where_it_is_in_the_log(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int NOT NULL UNIQUE); INSERT INTO thing VALUES (1, 'x', 1)")
    path = pipeline(ONE)
    leat.run(path)
    bank("ALTER TABLE thing REPLICA IDENTITY USING INDEX thing_b_key; UPDATE thing SET b = 2; "
         "ALTER TABLE thing REPLICA IDENTITY DEFAULT; INSERT INTO thing VALUES (2, 'y', 3)")
    said = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "its replica identity is now (b)" in said and "was changed at" in said
    assert held(leat, "SELECT * FROM copy") == [("1", "x", "1")]


def test_rejects_have_their_key_and_place(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b bigint); INSERT INTO thing VALUES "
         "(1, 'x', 1), (2, 'y', 5000000000), (3, 'z', 100)")
    path = pipeline(ONE)
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("1", "x", "1")]
    bank("UPDATE thing SET b = 2 WHERE id = 3; UPDATE thing SET b = 5000000001 WHERE id = 1")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("3", "z", "2")]
    rejects = leat.rows(path, "SELECT file, raw, reason FROM thing__rejects ORDER BY byte_offset, raw")
    why = 'value "5000000001" is out of range for type integer'
    assert ["public.thing", "1", "x", "\\N", why] in rejects, rejects  # raw: as COPY prints the row
    assert any("thing_b_check" in row[2] and row[1] == "id=3, a=z, b=100" for row in rejects)
    assert len(rejects) == 3


def test_schema_changes_are_followed_or_stop(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int, c int); INSERT INTO thing VALUES (1, 'x', 1)")
    path = pipeline(ONE)
    leat.run(path)
    bank("ALTER TABLE thing ADD d text DEFAULT 'd'; ALTER TABLE thing DROP c; "
         "INSERT INTO thing (id, a, b) VALUES (2, 'y', 2)")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("1", "x", "1"), ("2", "y", "2")]
    bank("ALTER TABLE thing RENAME a TO old; ALTER TABLE thing ADD a text; "
         "INSERT INTO thing (id, a, b) VALUES (3, 'z', 3)")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert 'another column "a"' in err and "leat replay" in err
    assert held(leat, "SELECT * FROM copy") == [("1", "x", "1"), ("2", "y", "2")]
    leat("replay", path, "thing", "--state", leat.home / "state", "-y")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("1", "", "1"), ("2", "", "2"), ("3", "z", "3")]
    bank("ALTER TABLE thing ALTER b TYPE text USING b || '0'; INSERT INTO thing (id, b) VALUES (4, '4')")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert 'another column "b"' in err and "its type was changed" in err


def test_a_lost_slot_or_table_stops_and_is_mended(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); INSERT INTO thing VALUES (1, 'x', 1), "
         "(2, 'y', 2)")
    path = pipeline(ONE)
    leat.run(path)
    bank("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = "
         "current_database(); DELETE FROM thing WHERE id = 1; INSERT INTO thing VALUES (3, 'z', 3)")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "is gone" in err and "leat replay" in err
    leat("replay", path, "thing", "--state", leat.home / "state", "-y")
    assert held(leat, "SELECT * FROM copy") == [("2", "y", "2"), ("3", "z", "3")]
    bank("UPDATE thing SET a = 'w' WHERE id = 2")
    leat.run(path)
    assert held(leat, "SELECT * FROM copy") == [("2", "w", "2"), ("3", "z", "3")]
    bank("DROP TABLE thing; CREATE TABLE thing (id int PRIMARY KEY, a text, b int); "
         "INSERT INTO thing VALUES (9, 'n', 9)")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "was dropped and made anew" in err
    leat("replay", path, "thing", "--state", leat.home / "state", "-y")
    assert held(leat, "SELECT * FROM copy") == [("9", "n", "9")]


def test_an_older_state_is_no_place_to_go_on_from(leat, bank, pipeline):
    """The server has forgotten what was acknowledged, and would begin behind it without a word."""
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); INSERT INTO thing VALUES (1, 'x', 1)")
    path = pipeline(ONE)
    leat.run(path)
    shutil.copytree(leat.home / "state", leat.home / "older")
    shutil.copy(leat.home / "w.db", leat.home / "older.db")
    bank("INSERT INTO thing VALUES (2, 'y', 2)")
    leat.run(path)
    shutil.rmtree(leat.home / "state")
    (leat.home / "older").rename(leat.home / "state")
    shutil.copy(leat.home / "older.db", leat.home / "w.db")
    bank("INSERT INTO thing VALUES (3, 'z', 3)")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "has the log from" in err and "the state stands at" in err and "leat replay" in err
    leat("replay", path, "thing", "--state", leat.home / "state", "-y")
    assert held(leat, "SELECT * FROM copy") == [("1", "x", "1"), ("2", "y", "2"), ("3", "z", "3")]


def test_a_partition_that_goes_takes_its_rows_along_and_stops(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int) PARTITION BY RANGE (id); "
         "CREATE TABLE thing_0 PARTITION OF thing FOR VALUES FROM (0) TO (10); "
         "CREATE TABLE thing_1 PARTITION OF thing FOR VALUES FROM (10) TO (20); "
         "INSERT INTO thing VALUES (1, 'x', 1), (11, 'y', 2)")
    path = pipeline(ONE)
    leat.run(path)
    bank("CREATE TABLE thing_2 PARTITION OF thing FOR VALUES FROM (20) TO (30); INSERT INTO thing VALUES (21, 'z', 3)")
    leat.run(path)
    assert held(leat, "SELECT id FROM copy") == [("1",), ("11",), ("21",)]
    bank("DROP TABLE thing_0")
    err = leat.fails("run", path, "--state", leat.home / "state", code=2)
    assert "lost a partition" in err and "leat replay" in err
    leat("replay", path, "thing", "--state", leat.home / "state", "-y")
    assert held(leat, "SELECT id FROM copy") == [("11",), ("21",)]


def test_a_snapshot_that_was_cut_short_goes_on(leat, bank, pipeline):
    """Killed in the middle of the first reading while the bank goes on: no row twice, none missing."""
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); "
         "INSERT INTO thing SELECT i, repeat('x', 400), 1 FROM generate_series(1, 60000) i")
    path = pipeline(ONE.replace("copy ()", "copy (id int, a text, b int)"))
    process = leat.start("run", path, "--state", leat.home / "state", "--follow", "-q",
                         "--checkpoint-interval", "0.05")
    spool = leat.home / "state/spool/bank"
    wait_for(lambda: spool.exists() and any(spool.iterdir()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    bank("UPDATE thing SET b = 2 WHERE id % 7 = 0; DELETE FROM thing WHERE id % 11 = 0; "
         "UPDATE thing SET id = id + 100000 WHERE id % 13 = 0; INSERT INTO thing VALUES (70000, 'new', 3)")
    leat.run(path)
    query = "SELECT id, md5(a), b FROM thing"
    with contextlib.closing(sqlite3.connect(leat.home / "w.db")) as db:
        rows = sorted((str(i), str(b)) for i, b in db.execute("SELECT id, b FROM copy"))
    assert rows == sorted((i, b) for i, _, b in bank(query))


def test_what_is_missing_is_named(leat, server, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int); CREATE TABLE keyless (a text)")
    path = pipeline(ONE)
    state = ("--state", leat.home / "state")
    server("CREATE ROLE weak LOGIN; CREATE ROLE middling LOGIN REPLICATION")
    text = path.read_text()

    def complaint(changed):
        path.write_text(changed)
        return leat.finish(("run", path, *state), None)[1]
    err = complaint(text.replace("postgres@", "weak@"))
    assert "must be owner" in err or "permission denied" in err
    assert "GRANT" in err or "option publication" in err
    bank("CREATE PUBLICATION theirs FOR TABLE thing; GRANT SELECT ON thing TO weak, middling")
    theirs = text.replace("(url 'postgresql", "(publication 'theirs', url 'postgresql")
    assert "REPLICATION" in complaint(theirs.replace("postgres@", "weak@"))
    assert "relation \"public.nothing\" does not exist" in complaint(
        text.replace("SERVER bank;", "SERVER bank OPTIONS (table 'nothing');"))
    keyless = text.replace("(id int PRIMARY KEY, a text, b int CHECK (b < 100)) SERVER bank",
                           "(id int, a text) SERVER bank OPTIONS (table 'keyless')")
    assert "Perhaps" in complaint(keyless) or "no column" in complaint(keyless)
    slots = int(server("SHOW max_replication_slots")[0][0])
    for i in range(slots):
        bank(f"SELECT pg_create_physical_replication_slot('full_{i}')")
    assert "max_replication_slots" in complaint(text)
    for i in range(slots):
        bank(f"SELECT pg_drop_replication_slot('full_{i}')")
    leat.finish(("run", path, *state), None)
    path.write_text(text)
    leat.run(path)


def test_a_server_that_is_not_set_up_for_it_says_which_setting(leat):
    with throwaway("wal_level = 'replica'", "max_wal_senders = 1") as server:
        server("CREATE TABLE thing (id int PRIMARY KEY, a text, b int)")
        path = leat.home / "bank.sql"

        def complaint(url):
            path.write_text(
                f"CREATE SERVER bank FOREIGN DATA WRAPPER database OPTIONS (url '{url}');\n"
                "CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');\n" + ONE)
            return leat.fails("run", path, "--state", leat.home / "state", "--max-degraded", "0", code=None)
        said = complaint(server.url("postgres"))
        assert "wal_level" in said and "Set wal_level = logical in postgresql.conf" in said
        server("ALTER SYSTEM SET wal_level = 'logical'")
        server.stop()
        server.start()
        url = f"postgresql://postgres@127.0.0.1:{server.port}/postgres?replication=database"
        other = subprocess.Popen([BIN / "psql", "-X", url], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        wait_for(lambda: server("SELECT count(*) FROM pg_stat_replication")[0] != ["0"])
        said = complaint(server.url("postgres"))
        assert "max_wal_senders" in said and "Raise max_wal_senders in postgresql.conf" in said
        other.communicate("")
        server("CREATE ROLE clerk LOGIN REPLICATION PASSWORD 'right'")
        rules = server.folder / "data/pg_hba.conf"
        rules.write_text("host all clerk 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        server("SELECT pg_reload_conf()")
        said = complaint(f"postgresql://clerk:wr0ng-w0rd@127.0.0.1:{server.port}/postgres")
        assert "password authentication failed" in said and "CREATE USER MAPPING" in said
        assert "wr0ng-w0rd" not in said
        rules.write_text("host all postgres 127.0.0.1/32 reject\n"
                         + rules.read_text())
        server("SELECT pg_reload_conf()")
        said = complaint(server.url("postgres"))
        assert "pg_hba.conf" in said and "lets in who may connect" in said


def test_how_far_behind_it_is_in_bytes_and_time(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int)")
    path = pipeline(ONE)
    with following(leat, path):
        def lag():
            live = json.loads(leat("status", path, "--state", leat.home / "state", "--json"))
            source, = live["sources"]
            return source.get("lag_bytes"), source.get("lag_time")
        wait_for(lambda: bank("SELECT 1 FROM pg_replication_slots WHERE active"))
        wait_for(lambda: lag() == (0, 0))
        (sender,), = bank("SELECT active_pid FROM pg_replication_slots WHERE active")
        os.kill(int(sender), signal.SIGSTOP)  # it does not read on: what waits out there is known all the same
        try:
            bank("INSERT INTO thing SELECT i, repeat('x', 300), 1 FROM generate_series(1, 10000) i")
            wait_for(lambda: lag()[0] > 1000000 and lag()[1] > 0)
        finally:
            os.kill(int(sender), signal.SIGCONT)
        wait_for(lambda: lag() == (0, 0))
        wait_for(lambda: held(leat, "SELECT count(*) FROM copy") == [("10000",)])


def test_drop_leaves_nothing_behind(leat, bank, pipeline):
    bank("CREATE TABLE thing (id int PRIMARY KEY, a text, b int)")
    path = pipeline(ONE)
    leat.run(path)
    count = ("SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()), "
             "(SELECT count(*) FROM pg_publication)")
    assert bank(count) == [["1", "1"]]
    out = leat("drop", path, "--state", leat.home / "state", "-y")
    assert "replication slot" in out and "publication" in out
    assert bank(count) == [["0", "0"]]
