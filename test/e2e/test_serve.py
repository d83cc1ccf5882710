"""What one sees and asks of a running leat: HTTP, the control socket, reads beside the writer."""
import json
import re
import signal
import sqlite3
import stat
import threading
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE FOREIGN TABLE orders (
    id bigint NOT NULL, customer text, amount numeric CHECK (amount >= 0)
) SERVER files OPTIONS (path 'orders_*.csv');
CREATE MATERIALIZED VIEW totals WITH (key = 'customer') AS
SELECT customer, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer;
CREATE FOREIGN TABLE sums () SERVER warehouse OPTIONS (mode 'upsert', key 'customer');
INSERT INTO sums SELECT * FROM totals;
"""


def eventually(what, seconds=60):
    """Until `what()` holds. The time only bounds how long a failure takes."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


class Running:
    """leat run --follow beside the test."""

    def __init__(self, leat, *flags):
        self.leat = leat
        self.process = leat.start("run", "p.sql", "--follow", "--http", "0", *flags)
        line = self.process.stderr.readline()
        found = re.match(r"leat: (http://127\.0\.0\.1:\d+)/health", line)
        assert found, line + self.process.stderr.read()
        self.url = found.group(1)
        self.complaints = []
        threading.Thread(target=lambda: self.complaints.extend(self.process.stderr),
                         daemon=True).start()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def health(self):
        code, body = self.get("/health")
        told = json.loads(body)
        assert (code == 200) == told["healthy"] == (not told["reasons"]), body
        return told

    def metrics(self):
        return {(sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(self.get("/metrics")[1])
                for sample in family.samples}

    def committed(self, rows):
        """Until so many rows were read and every sink has them."""
        def done():
            told = json.loads(self.get("/status")[1])
            return (sum(source["rows_read"] for source in told["sources"]) == rows
                    and told["committed_epoch"] == told["epoch"])
        eventually(done)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.complaints


def orders(leat, number, rows):
    """A file that is there at once, whole."""
    text = "id,customer,amount\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)
    leat.write(f"data/.{number}", text).rename(leat.home / f"data/orders_{number}.csv")


@pytest.fixture
def shop(leat):
    leat.write("p.sql", PIPELINE)
    orders(leat, 1, [(1, "Ada", 20), (2, "Grace", 5.5), (3, "Ada", -1)])
    return leat


@pytest.fixture
def running(shop):
    process = Running(shop)
    process.committed(3)
    yield process
    process.process.kill()
    process.process.wait()


def ask(shop, query):
    return shop("sql", "p.sql", "-At", "-c", query)


def test_health_metrics_and_status(shop, running):
    assert running.health()["epoch"] > 0
    eventually(lambda: running.health()["healthy"])
    metrics = running.metrics()
    assert metrics["leat_healthy",] == 1
    assert metrics["leat_source_rows_read_total", "orders"] == 3
    assert metrics["leat_source_rows_used_total", "orders"] == 2
    assert metrics["leat_source_rows_rejected_total", "orders"] == 1
    assert metrics["leat_sink_rows_written_total", "sums"] == 2
    assert metrics["leat_sink_outbox_bytes", "sums"] == 0
    assert metrics["leat_epoch",] == metrics["leat_committed_epoch",]
    for name in ("leat_operator_state_rows", "leat_operator_state_bytes", "leat_operator_seconds_total"):
        assert sum(value for key, value in metrics.items() if key[0] == name) > 0, name
    assert metrics["leat_source_lag_bytes", "orders"] == 0
    assert metrics["leat_memory_bytes",] > 1 << 20 and ("leat_memory_limit_bytes",) not in metrics
    assert metrics["leat_state_bytes",] > sum(value for key, value in metrics.items()
                                              if key[0] == "leat_operator_state_bytes")
    assert "# TYPE leat_source_rows_read counter" in running.get("/metrics")[1] or \
        "# TYPE leat_source_rows_read_total counter" in running.get("/metrics")[1]
    assert running.get("/nothing")[0] == 404
    out = shop("status", "p.sql")
    assert "all well" in out and "orders: " in out and "3 rows read = 2 used + 1 rejected" in out
    told = json.loads(shop("status", "p.sql", "--json"))
    assert told["running"] and told["health"]["healthy"] and told["pid"] == running.process.pid
    running.stop()
    told = json.loads(shop("status", "p.sql", "--json"))
    assert not told["running"] and told["sources"][0]["rows_read"] == 3


def test_every_metric_is_in_the_documentation(root, running):
    page = (root / "docs/metrics.md").read_text()
    for family in text_string_to_metric_families(running.get("/metrics")[1]):
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"| `{name}` |" in page
        assert not family.name.endswith(("_ms", "_us", "_kb", "_count"))


def test_reads_see_what_is_committed(shop, running):
    socket = shop.home / ".leat/p/control"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert ask(shop, "SELECT * FROM totals ORDER BY customer") == "Ada|1|20\nGrace|1|5.5\n"
    assert ask(shop, "SELECT count(*), sum(amount) FROM orders") == "2|25.5\n"
    assert ask(shop, "SELECT column_name, raw FROM orders__rejects") == 'amount|3,Ada,-1\n'
    assert "3,Ada,-1" in shop("rejects", "p.sql")
    orders(shop, 2, [(4, "Ada", 1), (5, "Eve", 2)])
    running.committed(5)
    assert ask(shop, "SELECT * FROM totals ORDER BY customer") == "Ada|2|21\nEve|1|2\nGrace|1|5.5\n"
    assert ask(shop, "SELECT * FROM sums ORDER BY customer").startswith("Ada|2|21\n")
    running.stop()
    assert not socket.exists()
    assert ask(shop, "SELECT * FROM totals ORDER BY customer").startswith("Ada|2|21\n")


def test_many_readers_beside_a_writer(shop, running):
    """Each answer is of one epoch: a file's rows are all there or none, and views fit the sources."""
    wrong, answers = [], []

    def read():
        for _ in range(5):
            out = ask(shop, "SELECT (SELECT sum(orders) FROM totals), (SELECT count(*) FROM orders)")
            a, b = out.strip().split("|")
            answers.append(out)
            if a != b:
                wrong.append(out)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 22):
        orders(shop, f"{number:03}", [(number * 10 + i, f"c{i}", i) for i in range(10)])
    for reader in readers:
        reader.join()
    running.committed(203)
    assert not wrong and len(answers) == 15
    assert ask(shop, "SELECT sum(orders) FROM totals") == "202\n"
    running.stop()
    assert shop("verify", "p.sql") == "sums: 12 rows, as the query answers\n"


def test_a_sink_that_is_gone_is_not_well(shop, running):
    lock = sqlite3.connect(shop.home / "w.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    orders(shop, 2, [(4, "Ada", 1)])
    told = eventually(lambda: (lambda t: t["reasons"] and t)(running.health()))
    assert told["reasons"][0]["code"] in ("sink_degraded", "commit_stalled"), told
    eventually(lambda: "locked" in json.dumps(running.health()))
    out, _ = shop.finish(["status", "p.sql"], code=1, given=None)
    assert "NOT WELL" in out and "degraded" in out and "locked" in out
    assert running.metrics()["leat_sink_degraded", "sums"] == 1
    lock.rollback()
    lock.close()
    eventually(lambda: running.health()["healthy"])
    running.committed(4)
    assert running.metrics()["leat_sink_retries_total", "sums"] > 0
    with sqlite3.connect(shop.home / "w.db") as db:
        assert db.execute("SELECT orders FROM sums WHERE customer = 'Ada'").fetchone() == (2,)


def test_an_address_in_use_is_known_at_once(shop, running):
    port = running.url.rsplit(":", 1)[1]
    err = shop.fails("run", "p.sql", "--state", shop.home / "other", "--http", port, code=1)
    assert "could not listen on 127.0.0.1:" in err
    assert "not an address" in shop.fails("run", "p.sql", "--http", "x", code=2)
    assert not (shop.home / "other").exists()


def test_verify_beside_a_running_process(shop, running):
    assert shop("verify", "p.sql") == "sums: 2 rows, as the query answers\n"
    assert shop("repair", "p.sql", "sums") == "sums: 2 rows, as the query answers\n"
