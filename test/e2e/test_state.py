"""States of other versions, damaged ones, and strangers': opened, or refused with what to do."""
import pathlib
import shutil
import sqlite3
import tarfile

import pytest

STATES = pathlib.Path(__file__).parent / "states"
SUMS = [("Ada", 3, "31", "1,5,6"), ("Eve", 1, "7", "4"), ("Grace", 1, "5.5", "2")]
FRESH = "`leat run --fresh`"


def unpack(leat, name):
    with tarfile.open(STATES / name) as tar:
        tar.extractall(leat.home)


def sums(leat):
    with sqlite3.connect(leat.home / "w.db") as db:
        rows = db.execute("SELECT customer, orders, spent, ids FROM sums ORDER BY 1").fetchall()
    db.close()
    return rows


def lines(leat, folder):
    return sorted(line for path in (leat.home / "lake" / folder).glob("*.csv")
                  for line in path.read_text().splitlines()[1:])


def goes_on(leat):
    """What is new is added to what was there, and everything is as the queries answer."""
    assert sums(leat) == SUMS
    assert lines(leat, "cities") == ["London,4,20,2", "New York,1,5.5,1"]
    assert len(lines(leat, "archive")) == 5
    assert all("as the query answers" in line for line in leat("verify", "p.sql").splitlines())


@pytest.fixture
def shop(leat):
    """A state that an earlier version wrote, and a file that it has not read."""
    unpack(leat, "format_1.tar.gz")
    leat.write("data/orders_3.csv", "id,customer,amount\n6,Ada,10\n")
    return leat


def test_the_state_of_an_earlier_version(shop):
    """It opens, and goes on; or, if queries mean other plans by now, it says so and how to go on."""
    out, err = shop.finish(("run", "p.sql"), None)
    if "not the one that its state was made by" in err:
        assert FRESH in err
        shop("run", "p.sql", "--fresh", "--yes")
    else:
        assert "orders: 1 rows read" in out, err
    goes_on(shop)


@pytest.fixture
def today(shop):
    """The same, written by this version."""
    (shop.home / "data/orders_3.csv").unlink()
    shop("run", "p.sql", "--fresh", "--yes")
    shop.write("data/orders_3.csv", "id,customer,amount\n6,Ada,10\n")
    return shop


def refused(leat, *words, code=1):
    """By every command that would use it, with the way out; then the way out works."""
    for command in (("run", "p.sql"), ("verify", "p.sql"), ("status", "p.sql"),
                    ("sql", "p.sql", "-c", "SELECT * FROM totals"),
                    ("replay", "p.sql", "orders", "--from", "*", "--yes")):
        err = leat.finish(command, None)[1]
        assert all(word in err for word in (*words, FRESH)), (command, err)
    assert leat.start("run", "p.sql").wait() == code
    leat("run", "p.sql", "--fresh", "--yes")
    goes_on(leat)


def manifest(leat):
    return next((leat.home / ".leat").rglob("manifest"))


def test_a_newer_manifest(today):
    path = manifest(today)
    whole = bytearray(path.read_bytes())
    assert whole[:7] == b"leatman" and chr(whole[7]).isdigit()
    whole[7] += 1  # the format, behind the magic word; what follows nobody here understands
    path.write_bytes(whole)
    refused(today, "has format", "written by a newer leat, upgrade this one")


def test_a_newer_state_file(today):
    """A run of a trace whose foot names a format that is not known yet."""
    changed = 0
    for path in manifest(today).parent.glob("*.state"):
        whole = bytearray(path.read_bytes())
        if whole[-24:-16] == b"leatrunf":
            whole[-16] += 1
            path.write_bytes(whole)
            changed += 1
    assert changed > 0
    err = today.fails("run", "p.sql", code=1)
    assert "has format 2" in err and "upgrade this one" in err and FRESH in err
    today("run", "p.sql", "--fresh", "--yes")
    goes_on(today)


@pytest.mark.parametrize("damage", ["bit", "half", "none"])
def test_a_damaged_manifest(today, damage):
    path = manifest(today)
    whole = path.read_bytes()
    at = len(whole) // 2
    path.write_bytes({"bit": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:], "half": whole[:at],
                      "none": b""}[damage])
    refused(today, "the state is damaged")


def test_damaged_files(today):
    """Any file of the state that is read, a bit of it turned round: noticed, never used."""
    folder = manifest(today).parent
    backup = today.home / "backup"
    shutil.copytree(today.home / ".leat", backup)
    for path in sorted(folder.glob("*.state")):
        whole = path.read_bytes()
        for at in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            process = today.start("run", "p.sql")
            err = process.communicate()[1]
            if process.returncode == 0:  # it was not needed
                goes_on(today)
                return
            assert process.returncode == 1 and "damaged" in err and FRESH in err, err
        path.write_bytes(whole)
    path = sorted(folder.glob("*.state"))[0]
    path.unlink()
    assert path.name in today.fails("run", "p.sql", code=1)
    shutil.rmtree(today.home / ".leat")
    shutil.copytree(backup, today.home / ".leat")
    today("run", "p.sql")
    goes_on(today)


def test_the_state_of_a_stranger(today):
    """Another pipeline's state directory, and a folder that is none."""
    today.write("other.sql", (today.home / "p.sql").read_text().replace("max(amount)", "min(amount)"))
    err = today.fails("run", "other.sql", "--state", today.home / ".leat/p", code=2)
    assert "not the one that its state was made by" in err and "cities changed" in err and FRESH in err
    state = today.home / "mine"
    (state / "state").mkdir(parents=True)
    (state / "state" / "manifest").write_text("my own manifest")
    err = today.fails("run", "p.sql", "--state", state, code=1)
    assert "is cut off or no manifest" in err and FRESH in err
    assert (state / "state" / "manifest").read_text() == "my own manifest"
