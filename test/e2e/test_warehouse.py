"""PostgreSQL as the warehouse, on a server of the test's own: the examples' tables equal to SQLite's, every
mode equal to its query through kills of leat and crashes of the server, and what is refused and how."""
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

KILLS = int(os.environ.get("LEAT_WAREHOUSE_KILLS", 6))
SEED = int(os.environ.get("LEAT_KILL_SEED", random.randrange(1 << 30)))


class Postgres:
    def __init__(self, script, folder):
        self.script, self.folder = script, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.schemas = 0

    def control(self, word, *words):
        subprocess.run([self.script, word, self.folder, *map(str, words)], check=True, timeout=120,
                       stdout=subprocess.DEVNULL)

    def start(self):
        self.control("start", self.port)

    def crash(self):
        """As when the machine loses power, but for what the disk had not written yet."""
        with open(f"{self.folder}/data/postmaster.pid", encoding="ascii") as file:
            pid = int(file.readline())
        os.kill(pid, signal.SIGQUIT)
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        self.start()

    def url(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def schema(self):
        self.schemas += 1
        self(f"CREATE SCHEMA s{self.schemas}")
        return f"s{self.schemas}"

    def __call__(self, sql):
        """Rows as psql prints them, columns between '|'."""
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(), "-c", sql],
                              check=True, text=True, stdout=subprocess.PIPE, timeout=120)
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def postgres(request):
    root = request.config.rootpath
    while not (root / "test/servers/postgres.sh").exists():
        root = root.parent
    folder = tempfile.mkdtemp(prefix="leat-postgres-")
    os.chmod(folder, 0o755)  # the server runs as a user of its own
    server = Postgres(root / "test/servers/postgres.sh", folder)
    server.start()
    yield server
    server.control("stop")
    shutil.rmtree(folder)


# --- The examples --------------------------------------------------------------------------------

EXAMPLES = {
    "scooters": ("scooters/pipeline.sql", {"rides", "climate"}),
    "weather": ("weather/pipeline.sql", {"monthly_peak", "daily_summary"}),
    "vehicles": ("vehicles/pipeline.sql", {"events", "status", "daily_summary"}),
    "loans": ("loans/pipeline.sql", {"features"}),
    "rejected": ("rejected/pipeline.sql", {"state_daily"}),
}


def data_of(example, root, folder):
    if example in ("scooters", "weather"):
        return root / "examples" / example / "data"
    folder.mkdir()
    command = {
        "vehicles": ["examples/vehicles/generate.py", folder, "--files", "6"],
        "loans": ["examples/loans/generate.py", folder, "--clients", "40"],
        "rejected": ["bench/gen_rejected.py", folder / "rejected_2007.csv.gz", "--rows", "5000"],
    }[example]
    subprocess.run([sys.executable, root / command[0], *command[1:]], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_fills_what_sqlite_holds(leat, root, postgres, example):
    path, tables = EXAMPLES[example]
    pipeline = root / "examples" / path
    data = data_of(example, root, leat.home / "data")
    postgres(f"CREATE DATABASE {example}")
    found = {}
    for name, warehouse in (("sqlite", f"sqlite:{leat.home}/w.db"), ("postgres", postgres.url(example))):
        state = leat.home / name
        leat.environment = {"DATA": str(data), "BANK": str(data), "LAKE": str(leat.home / f"lake_{name}"),
                            "WAREHOUSE": warehouse, "ONLINE": warehouse}
        leat("run", pipeline, "--state", state)
        found[name] = {
            table: sorted(leat("sql", pipeline, "--state", state, "-A", "-t", "-q", "-c",
                               f"SELECT * FROM {table}").splitlines()) for table in tables}
        for table in tables:
            assert "as the query answers" in leat("verify", pipeline, table, "--state", state)
    assert found["postgres"] == found["sqlite"]
    assert all(found["postgres"].values())


def test_types_are_as_declared(leat, root, postgres):
    """In the schema public, where no other is named."""
    leat.environment = {"DATA": str(root / "examples/scooters/data"), "LAKE": str(leat.home / "lake"),
                        "WAREHOUSE": postgres.url()}
    leat("run", root / "examples/scooters/pipeline.sql", "--state", leat.home / "state")
    assert postgres("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
                    "WHERE attrelid = 'climate'::regclass AND attnum > 0 ORDER BY attnum") == [
        "city|character varying(255)|t", "date_time|timestamp without time zone|t",
        "temperature|numeric(6,2)|f", "humidity|numeric(6,2)|f", "description|character varying(255)|f"]


# --- Exactly once --------------------------------------------------------------------------------

SHOP = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url '${DATA}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE}', schema '${SCHEMA}');
CREATE FOREIGN TABLE orders (
    id bigint NOT NULL, customer text, amount numeric(9,2) CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv');
CREATE VIEW customers AS
SELECT customer, count(*) AS orders, sum(amount) AS revenue, max(amount) AS largest FROM orders GROUP BY customer;

CREATE FOREIGN TABLE totals () SERVER warehouse OPTIONS (key 'customer');
CREATE FOREIGN TABLE log    () SERVER warehouse;
CREATE FOREIGN TABLE best   () SERVER warehouse OPTIONS (mode 'replace');
CREATE FOREIGN TABLE story  () SERVER warehouse OPTIONS (mode 'changelog');
INSERT INTO totals SELECT * FROM customers;
INSERT INTO log    SELECT *, avg(amount) OVER (ROWS 9 PRECEDING) AS mean FROM orders;
INSERT INTO best   SELECT customer, largest FROM customers WHERE largest > 150;
INSERT INTO story  SELECT customer, orders FROM customers;
"""


def orders(luck, number, rows):
    lines = ["id,customer,amount"]
    for i in range(rows):
        amount = round(luck.expovariate(0.02), 2) if luck.random() > 0.01 else "x"
        lines.append(f"{number * rows + i},{luck.choice('abcdefghij')}{luck.randrange(40)},{amount}")
    return "\n".join(lines) + "\n"


def equal(postgres, one, other, columns="*"):
    """By EXCEPT ALL both ways; the names of both, without their schema, are the same."""
    table = one.split(".")[1]
    for left, right in ((one, other), (other, one)):
        rows = postgres(f"SELECT {columns} FROM {left} EXCEPT ALL SELECT {columns} FROM {right} LIMIT 5")
        assert rows == [], f"{table}: rows of {left} that {right} lacks (seed {SEED}): {rows}"


def test_killed_and_crashed_at_random(leat, postgres):
    """leat is killed with -9 while it follows a folder, the server crashes; at the end every table holds what
    one run without any of this writes."""
    luck = random.Random(SEED)
    pipeline = leat.write("p.sql", SHOP)
    schema, calm = postgres.schema(), postgres.schema()
    data = leat.home / "data"
    data.mkdir()
    leat.environment = {"DATA": str(data), "WAREHOUSE": postgres.url(), "SCHEMA": schema}
    for number in range(KILLS):
        process = leat.start("run", pipeline, "--follow", "--state", leat.home / "state")
        for part in range(4):
            whole = leat.write(f"aside/{number}_{part}", orders(luck, number * 4 + part, 300))
            whole.rename(data / f"orders_{number:02d}_{part}.csv")
            time.sleep(luck.random() * 0.2)
        if number % 3 == 1:
            postgres.crash()
            time.sleep(luck.random() * 0.5)
        time.sleep(luck.random() * 0.6)
        process.kill()
        out, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"{out}\n{err}"
    leat("run", pipeline, "--state", leat.home / "state")
    assert "as the query answers" in leat("verify", pipeline, "totals", "--state", leat.home / "state")

    leat.environment["SCHEMA"] = calm
    leat("run", pipeline, "--state", leat.home / "calm")
    for table in ("totals", "log", "best"):
        equal(postgres, f"{schema}.{table}", f"{calm}.{table}")
    # What came and went by epochs is another story each time; its end is not.
    for one, other in ((schema, calm), (calm, schema)):
        assert postgres(f"SELECT customer, orders FROM {one}.story GROUP BY 1, 2 HAVING sum(CASE _op WHEN "
                        f"'insert' THEN 1 ELSE -1 END) <> 0 EXCEPT SELECT customer, orders FROM {other}.totals") == []
    assert int(postgres(f"SELECT count(*) FROM {schema}.log")[0]) > 900


def test_a_crash_of_the_server_is_waited_for(leat, postgres):
    """With --follow a sink that is away is degraded and comes back by itself."""
    schema = postgres.schema()
    pipeline = leat.write("p.sql", SHOP)
    leat.environment = {"DATA": str(leat.home / "data"), "WAREHOUSE": postgres.url(), "SCHEMA": schema}
    leat.write("data/orders_1.csv", orders(random.Random(1), 1, 200))
    process = leat.start("run", pipeline, "--follow", "--state", leat.home / "state")
    try:
        until(lambda: count(postgres, f"{schema}.log") >= 190)
        postgres.crash()
        whole = leat.write("aside", orders(random.Random(2), 2, 200))
        whole.rename(leat.home / "data/orders_2.csv")
        until(lambda: count(postgres, f"{schema}.log") >= 380)
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, f"{out}\n{err}"
    rows = postgres(f"SELECT count(*), count(DISTINCT id) FROM {schema}.log")[0].split("|")
    assert rows[0] == rows[1]


def count(postgres, table):
    with contextlib.suppress(subprocess.CalledProcessError):
        return int(postgres(f"SELECT count(*) FROM {table}")[0])
    return 0


def until(done):
    for _ in range(600):
        if done():
            return
        time.sleep(0.1)
    assert done()


# --- What is refused -----------------------------------------------------------------------------

LITTLE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '{url}', schema '{schema}');
{more}
CREATE FOREIGN TABLE rows (id bigint, n integer) SERVER files OPTIONS (path 'rows_*.csv');
CREATE FOREIGN TABLE facts () SERVER warehouse OPTIONS (key 'id');
INSERT INTO facts SELECT * FROM rows;
"""


def little(leat, postgres, more="", url=None):
    schema = postgres.schema()
    leat.write("data/rows_1.csv", "id,n\n1,1\n2,2\n")
    leat.write("p.sql", LITTLE.format(url=url or postgres.url(), schema=schema, more=more))
    return schema


def test_a_constraint_blocks_the_commit_and_names_the_row(leat, postgres):
    schema = little(leat, postgres)
    postgres(f"CREATE TABLE {schema}.facts (id bigint PRIMARY KEY, n integer CONSTRAINT small CHECK (n < 2))")
    said = leat.fails("run", "p.sql", code=2)
    assert 'violates check constraint "small"' in said
    assert "Failing row contains (2, 2)." in said
    assert postgres(f"SELECT count(*) FROM {schema}.facts") == ["0"]
    postgres(f"ALTER TABLE {schema}.facts DROP CONSTRAINT small")
    leat("run", "p.sql")
    assert postgres(f"SELECT * FROM {schema}.facts ORDER BY id") == ["1|1", "2|2"]


def test_marks_that_do_not_fit(leat, postgres):
    schema = little(leat, postgres)
    leat("run", "p.sql")
    assert "belongs to another state" in leat.fails("run", "p.sql", "--state", "other", code=2)
    postgres(f"DROP TABLE {schema}.facts")
    said = leat.fails("run", "p.sql", code=2)
    assert "has lost its mark" in said and "--rebuild facts" in said
    leat("run", "p.sql", "--rebuild", "facts", "--yes")
    assert postgres(f"SELECT * FROM {schema}.facts ORDER BY id") == ["1|1", "2|2"]
    leat("run", "p.sql", "--state", "other", "--adopt", "--yes")
    assert postgres(f"SELECT * FROM {schema}.facts ORDER BY id") == ["1|1", "2|2"]


def test_differences_are_listed_and_repaired(leat, postgres):
    schema = little(leat, postgres)
    leat("run", "p.sql")
    postgres(f"UPDATE {schema}.facts SET n = 7 WHERE id = 2; INSERT INTO {schema}.facts VALUES (9, 9)")
    assert "1 extra, 1 different" in leat("verify", "p.sql", "facts", code=1)
    leat("repair", "p.sql", "facts")
    assert postgres(f"SELECT * FROM {schema}.facts ORDER BY id") == ["1|1", "2|2"]


# --- Logging in ----------------------------------------------------------------------------------

SECRET = "s3cr3t-0f-the-warehouse"


@pytest.fixture(scope="module")
def guarded(postgres):
    """A role that needs its password, and a server that shows a certificate for `localhost`."""
    data = f"{postgres.folder}/data"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    f"{data}/server.key", "-out", f"{data}/server.crt"], check=True, capture_output=True)
    owner = os.stat(data)
    for name, mode in (("server.key", 0o600), ("server.crt", 0o644)):
        os.chown(f"{data}/{name}", owner.st_uid, owner.st_gid)
        os.chmod(f"{data}/{name}", mode)
    shutil.copy(f"{data}/server.crt", f"{postgres.folder}/root.crt")
    with open(f"{data}/pg_hba.conf", encoding="ascii") as file:
        rules = file.read()
    with open(f"{data}/pg_hba.conf", "w", encoding="ascii") as file:
        file.write("host all clerk 127.0.0.1/32 scram-sha-256\n" + rules)
    postgres("ALTER SYSTEM SET ssl = on")
    postgres("SELECT pg_reload_conf()")
    postgres(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
    postgres("GRANT CREATE ON DATABASE postgres TO clerk")
    return postgres


def mapping(**options):
    listed = ", ".join(f"{name} '{value}'" for name, value in options.items())
    return f"CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS ({listed});"


def clerks(guarded, schema):
    guarded(f"ALTER SCHEMA {schema} OWNER TO clerk")


def test_a_secret_from_its_file_appears_nowhere(leat, guarded):
    leat.write("secret", SECRET + "\n")
    schema = little(leat, guarded, mapping(user="clerk", password=f"${{file:{leat.home}/secret}}"))
    clerks(guarded, schema)
    told = "".join(leat.finish(["run", "p.sql"], 0)) + leat("status", "p.sql")
    told += leat("sql", "p.sql", "-c", "EXPLAIN SELECT * FROM facts", "-c", "SELECT * FROM facts")
    assert "1 | 1" in told
    assert guarded(f"SELECT * FROM {schema}.facts ORDER BY id") == ["1|1", "2|2"]
    leat.write("secret", "not-" + SECRET)
    leat.write("data/rows_2.csv", "id,n\n3,3\n")
    said = leat.fails("run", "p.sql", code=2)
    assert "password authentication failed" in said and "USER MAPPING" in said
    told += said
    assert SECRET not in told
    for path in leat.home.rglob("*"):
        if path.is_file() and path.name != "secret":
            assert SECRET.encode() not in path.read_bytes(), path


def test_what_the_environment_says(leat, guarded):
    """PGHOST and its kin, ~/.pgpass, and a service file, where the url leaves them open."""
    pgpass = leat.write("pgpass", f"*:*:*:clerk:{SECRET}\n")
    os.chmod(pgpass, 0o600)
    leat.environment = {"PGHOST": "127.0.0.1", "PGPORT": str(guarded.port), "PGUSER": "clerk",
                        "PGDATABASE": "postgres", "PGPASSFILE": str(pgpass)}
    schema = little(leat, guarded, url="postgresql:")
    clerks(guarded, schema)
    leat("run", "p.sql")
    assert guarded(f"SELECT count(*) FROM {schema}.facts") == ["2"]
    leat.write("services", f"[dwh]\nhost=127.0.0.1\nport={guarded.port}\nuser=clerk\ndbname=postgres\n")
    leat.environment = {"PGSERVICEFILE": str(leat.home / "services"), "PGPASSFILE": str(pgpass)}
    schema = little(leat, guarded, url="postgresql:service=dwh")
    clerks(guarded, schema)
    leat("run", "p.sql", "--state", "second")
    assert guarded(f"SELECT count(*) FROM {schema}.facts") == ["2"]


def test_certificates_are_verified(leat, guarded):
    tls = {"sslmode": "verify-full", "sslrootcert": f"{guarded.folder}/root.crt", "user": "postgres"}
    url = f"postgresql://localhost:{guarded.port}/postgres"
    schema = little(leat, guarded, mapping(**tls, hostaddr="127.0.0.1"), url=url)
    leat("run", "p.sql")
    assert guarded(f"SELECT count(*) FROM {schema}.facts") == ["2"]
    leat.write("data/rows_2.csv", "id,n\n3,3\n")
    other = url.replace("localhost", "127.0.0.1")
    leat.write("p.sql", LITTLE.format(url=other, schema=schema, more=mapping(**tls)))
    said = leat.fails("run", "p.sql", "--max-degraded", "0", code=None)
    assert 'does not match host name "127.0.0.1"' in said


# --- IMPORT FOREIGN SCHEMA -----------------------------------------------------------------------

IMPORT = """CREATE SERVER bank FOREIGN DATA WRAPPER database OPTIONS (url '{url}');
IMPORT FOREIGN SCHEMA {schema} {which} FROM SERVER bank INTO public;
"""


def test_tables_are_imported(leat, postgres):
    schema = postgres.schema()
    postgres(f"CREATE TABLE {schema}.client (region text, id bigint, name varchar(20) NOT NULL, "
             f"PRIMARY KEY (id, region)); COMMENT ON TABLE {schema}.client IS 'Who borrows'; "
             f"CREATE TABLE {schema}.loan (id integer, amount numeric(12,2)); "
             f"CREATE TABLE {schema}.unused (x text); "
             f"INSERT INTO {schema}.client VALUES ('north', 1, 'Ada'); INSERT INTO {schema}.loan VALUES (1, 2.50)")
    text = IMPORT.format(url=postgres.url(), schema=schema, which="LIMIT TO (client, loan)")
    # Used before they are imported: declarations come in any order.
    leat.write("p.sql", "CREATE VIEW owed AS SELECT name, amount FROM client JOIN loan USING (id);\n" + text)
    said = leat.fails("check", "p.sql", code=2)
    assert f'the tables of schema "{schema}" of server "bank" are not known yet' in said
    assert leat.rows("p.sql", "SELECT * FROM owed") == [["Ada", "2.50"]]
    assert 'relation "unused" does not exist' in leat.fails("sql", "p.sql", "-c", "SELECT * FROM unused", code=None)

    def refused(which, said):
        leat.write("q.sql", IMPORT.format(url=postgres.url(), schema=schema, which=which))
        assert said in leat.fails("sql", "q.sql", "-c", "SELECT 1", code=None)

    refused("LIMIT TO (clients)", 'Perhaps you meant "client".')
    refused("EXCEPT (lean)", 'relation "lean" does not exist in schema')
    leat.write("q.sql", IMPORT.format(url=postgres.url(), schema="nowhere", which=""))
    assert 'schema "nowhere" is not present on foreign server "bank"' in leat.fails(
        "sql", "q.sql", "-c", "SELECT 1", code=None)
    leat.write("q.sql", "CREATE SERVER f FOREIGN DATA WRAPPER file OPTIONS (url '.');"
               "IMPORT FOREIGN SCHEMA x FROM SERVER f INTO public;")
    assert 'server "f" has no schemas to import tables from' in leat.fails("check", "q.sql", code=2) + leat.fails(
        "sql", "q.sql", "-c", "SELECT 1", code=None)
    leat.write("q.sql", IMPORT.format(url=postgres.url(), schema=schema, which="EXCEPT (loan)"))
    assert leat.rows("q.sql", "SELECT count(*) FROM unused") == [["0"]]
    assert "does not exist" in leat.fails("sql", "q.sql", "-c", "SELECT * FROM loan", code=None)


def test_an_import_is_kept_for_check(leat, postgres):
    """What was imported at the first run is there without the server, its key and comments too."""
    schema = postgres.schema()
    postgres(f"CREATE TABLE {schema}.facts (id bigint PRIMARY KEY, n integer); "
             f"COMMENT ON COLUMN {schema}.facts.n IS 'How many'")
    leat.write("data/rows_1.csv", "id,n\n1,1\n")
    leat.write("p.sql", IMPORT.format(url="${BANK}", schema=schema, which="LIMIT TO (facts)") + """
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE FOREIGN TABLE rows (id bigint, n integer) SERVER files OPTIONS (path 'rows_*.csv');
INSERT INTO facts SELECT * FROM rows;
""")
    leat.environment = {"BANK": postgres.url()}
    leat("run", "p.sql")
    assert postgres(f"SELECT * FROM {schema}.facts") == ["1|1"]
    leat.environment = {"BANK": "postgresql://127.0.0.1:1/gone"}
    assert "1 sinks: good" in leat("check", "p.sql")
