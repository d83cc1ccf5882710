"""Bad days: full disks, read-only states, no descriptors, monstrous cells. Each says what is wrong, and
when the world is well again the next run goes on as if nothing had been."""
import gzip
import os
import resource
import shutil
import sqlite3
import subprocess

import pytest

PIPELINE = """\
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './data');
CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url '${LAKE:-./lake}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:${DB:-.}/w.db');
CREATE FOREIGN TABLE orders (id bigint, name text) SERVER files OPTIONS (path 'orders_*.csv*');
CREATE FOREIGN TABLE names () SERVER warehouse OPTIONS (mode 'upsert', key 'id');
CREATE FOREIGN TABLE all_orders () SERVER lake OPTIONS (path 'all/', format 'parquet', compression 'none');
INSERT INTO names SELECT id, max(name) AS name FROM orders GROUP BY id;
INSERT INTO all_orders SELECT * FROM orders;
"""
ROWS = 100_000


@pytest.fixture
def shop(leat):
    leat.write("p.sql", PIPELINE)
    leat.write("data/orders_1.csv", "id,name\n" + "".join(
        f"{i},{i * 7919 % 1000003:06}-{'x' * 20}\n" for i in range(ROWS)))
    return leat


@pytest.fixture
def small(shop):
    """A disk of 2 MB that can be given room, or made read-only."""
    class Disk:
        path = shop.home / "small"

        def mount(self, options):
            subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True)

    Disk.path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", Disk.path],
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no right to mount a tmpfs")
    yield Disk()
    subprocess.run(["umount", "-l", Disk.path], check=True)


def is_whole(shop, *flags, db="w.db", rows=ROWS):
    with sqlite3.connect(shop.home / db) as connection:
        counts = connection.execute("SELECT count(*), count(DISTINCT id) FROM names").fetchone()
    connection.close()
    assert counts == (rows, rows)
    said = shop("verify", "p.sql", *flags)
    assert said.splitlines() == [f"all_orders: {rows} rows, as the query answers",
                                 f"names: {rows} rows, as the query answers"] or \
        said.splitlines() == [f"names: {rows} rows, as the query answers",
                              f"all_orders: {rows} rows, as the query answers"]


def test_a_full_disk_under_the_state(shop, small):
    state = ("--state", small.path / "state")
    assert "No space left" in shop.fails("run", "p.sql", *state, code=1)
    assert "No space left" in shop.fails("run", "p.sql", *state, code=1)
    small.mount("size=100m")
    shop("run", "p.sql", *state)
    is_whole(shop, *state)


@pytest.mark.parametrize("variable", ["DB", "LAKE"])
def test_a_full_disk_under_a_sink(shop, small, variable):
    shop.environment = {variable: str(small.path)}
    err = shop.fails("run", "p.sql", code=1)
    assert "disk is full" in err or "No space left" in err
    small.mount("size=100m")
    shop("run", "p.sql")
    is_whole(shop, db="small/w.db" if variable == "DB" else "w.db")


def test_a_read_only_state(shop, small):
    small.mount("size=100m")
    state = ("--state", small.path / "state")
    shop("run", "p.sql", *state)
    small.mount("ro")
    shop.write("data/orders_2.csv", f"id,name\n{ROWS},new\n")
    assert "Read-only file system" in shop.fails("run", "p.sql", *state, code=1)
    # Looking at it needs no right to write.
    assert f"orders: {ROWS} rows read" in shop("status", "p.sql", *state)
    assert shop("sql", "p.sql", *state, "-At", "-c", "SELECT count(*) FROM orders") == f"{ROWS}\n"
    is_whole(shop, *state)
    small.mount("rw")
    shop("run", "p.sql", *state)
    is_whole(shop, *state, rows=ROWS + 1)


def test_no_file_descriptors(shop):
    """With any number of them it works, or says that they are too few."""
    failed = 0
    for limit in (6, 7, 8, 9, 10, 12, 14, 16, 20, 30):
        process = subprocess.run(
            [shop.binary, "run", "p.sql"], cwd=shop.home, capture_output=True, text=True,
            preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
        if process.returncode == 0:
            break
        failed += 1
        assert process.returncode in (1, 127), process.stderr  # 127: too few to load libraries
        assert "Too many open files" in process.stderr or process.returncode == 127 \
            or "unable to open" in process.stderr, process.stderr
    assert failed > 0
    shop("run", "p.sql")
    is_whole(shop)


def test_files_that_may_not_grow(shop):
    """The system kills it in the middle of a write."""
    for kilobytes in (100, 1000, 2000, 4000):
        process = subprocess.run(
            [shop.binary, "run", "p.sql"], cwd=shop.home, capture_output=True, text=True,
            preexec_fn=lambda n=kilobytes << 10: resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)))
        assert process.returncode != 0
    shop("run", "p.sql")
    is_whole(shop)


def run_measured(shop):
    """The run's exit code, what it said, and the most memory it took in kB."""
    process = subprocess.Popen([shop.binary, "run", "p.sql"], cwd=shop.home, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, said, usage.ru_maxrss


def test_a_cell_of_12_megabytes(shop):
    shop.write("data/orders_2.csv", f'id,name\n{ROWS},"{"y" * (12 << 20)}"\n{ROWS + 1},small\n')
    shop("run", "p.sql")
    out = shop("sql", "p.sql", "-At", "-c",
               f"SELECT id, length(name) FROM names WHERE id >= {ROWS} ORDER BY 1")
    assert out.splitlines() == [f"{ROWS}|{12 << 20}", f"{ROWS + 1}|5"]
    is_whole(shop, rows=ROWS + 2)


@pytest.mark.parametrize("line", ['%d,"%s"\n', "%d,%s\n", "%d,%s"],
                         ids=["cell", "line", "no end of line"])
def test_a_row_of_100_megabytes(shop, line):
    """Longer than any row may be: named, nothing of it held, and no run goes past it in silence."""
    shop("run", "p.sql")
    long = line % (ROWS + 1, "y" * (100 << 20))
    shop.write("data/orders_2.csv", f"id,name\n{ROWS},before\n{long}{ROWS + 2},after\n")
    for _ in range(2):
        code, said, peak = run_measured(shop)
        assert code == 1 and "orders_2.csv" in said and "is longer than 16777" in said, said
        assert peak < 1_000_000, f"{peak} kB"
    is_whole(shop)
    shop.write("data/orders_2.csv", f"id,name\n{ROWS},before\n")
    shop("run", "p.sql")
    is_whole(shop, rows=ROWS + 1)


def test_an_endless_line_in_a_gzip(shop):
    with gzip.open(shop.home / "data/orders_2.csv.gz", "wb", compresslevel=1) as file:
        file.write(b"id,name\n100000,before\n")
        for _ in range(300):
            file.write(b"z" * (1 << 20))
    code, said, peak = run_measured(shop)
    assert code == 1 and "the row at byte 22 is longer than" in said, said
    assert peak < 1_000_000, f"{peak} kB"


def test_a_truncated_gzip(shop):
    """Half of an upload: its whole rows count, the error names the place, and the other half is read alone."""
    whole = gzip.compress((shop.home / "data/orders_1.csv").read_bytes())
    (shop.home / "data/orders_1.csv").unlink()
    torn = shop.home / "data/orders_1.csv.gz"
    torn.write_bytes(whole[:len(whole) // 2])
    for _ in range(2):
        failed = shop.fails("run", "p.sql", code=1)
        assert f'orders_1.csv.gz" is damaged' in failed and f"at byte {len(whole) // 2} of the file" in failed
        with sqlite3.connect(shop.home / "w.db") as warehouse:
            before = warehouse.execute("SELECT count(*), min(length(name)) FROM names").fetchone()
        warehouse.close()
        assert 0 < before[0] < ROWS and before[1] == 27  # rows, none of them cut
    torn.write_bytes(whole)
    assert f"orders: {ROWS - before[0]:,} rows read" in shop("run", "p.sql")
    is_whole(shop)


def test_a_hole_in_the_pipeline_is_no_way_to_lose(shop):
    """The state is gone, the sinks are there: nothing is written twice in silence."""
    shop("run", "p.sql")
    os.rename(shop.home / ".leat", shop.home / "lost")
    assert "belongs to another state" in shop.fails("run", "p.sql", code=2)
    shutil.rmtree(shop.home / ".leat")
    os.rename(shop.home / "lost", shop.home / ".leat")
    is_whole(shop)
