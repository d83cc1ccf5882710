#!/usr/bin/env python3
"""Asks a real PostgreSQL what the SQL tests ask leat: every expectation must be its answer.

usage: check_postgres.py [--update] [--start DIR PORT | --url CONNINFO] [FILE.slt ...]

Plays every file in a database of its own, in the C locale, through psql. Files that need a pipeline
or the clock are leat's alone, as are records under `onlyif leat`. --update writes PostgreSQL's
answers into the files, SQLSTATEs for what it refuses. --start runs test/servers/postgres.sh first and
stops it afterwards. The last line is `N passed, N failed`; exit code 1 on failures.
"""
import argparse
import dataclasses
import math
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BEGIN, END, FIELD, ROW = "\x01begin", "\x01end", "\x1f", "\x1e"
SORTS = ("nosort", "rowsort", "valuesort")
US = ("postgresql", "postgres")
INPUT = re.compile(r"^\s*copy\s.*\sfrom\s+stdin", re.I)


@dataclasses.dataclass
class Record:
    line: int
    kind: str                 # statement, query
    sql: list
    input: list
    error: str = None         # None: it must work
    count: int = None
    types: str = ""
    sort: str = "nosort"
    begin: int = 0            # lines [begin, end) from 0: "----" and what is below it
    end: int = 0
    expected: list = None


class NotPostgres(Exception):
    """The file asks for what only leat has."""


def parse(lines):
    records, at, skip = [], 0, False
    while at < len(lines):
        words = lines[at].split()
        word = words[0] if words else "#"
        if word in ("skipif", "onlyif"):
            skip |= (words[1].lower() in US) == (word == "skipif")
            at += 1
        elif word in ("pipeline", "clock"):
            raise NotPostgres
        elif word in ("statement", "query"):
            record, at = parse_record(lines, at, words)
            if not skip:
                records.append(record)
            skip = False
        elif word == "halt" and not skip:
            break
        else:  # comments, blank lines, and what is said to the runner
            skip &= word.startswith("#")
            at += 1
    return records


def parse_record(lines, at, words):
    record = Record(at + 1, words[0], [], [])
    rest = lines[at].split(None, 2)
    if words[1:2] == ["error"]:
        record.error = rest[2] if len(rest) > 2 else ""
    elif words[1:2] == ["count"]:
        record.count = int(words[2])
    elif words[0] == "query":
        record.types = "".join(words[1:2]) if "".join(words[1:2]) not in SORTS else ""
        record.sort = next((word for word in words if word in SORTS), "nosort")
    at += 1
    while at < len(lines) and lines[at].strip() and lines[at] != "----":
        record.sql.append(lines[at])
        at += 1
        if INPUT.match(record.sql[-1]):
            while lines[at] != "\\.":
                record.input.append(lines[at])
                at += 1
            at += 1
            break
    record.begin = at
    if at < len(lines) and lines[at] == "----":
        at += 1
        record.expected = []
        while at < len(lines) and lines[at].strip():
            record.expected.append(lines[at])
            at += 1
        if record.error == "":
            record.error = "\n".join(record.expected)
    record.end = at
    return record, at


def script(records):
    out = []
    for number, record in enumerate(records):
        sql = "\n".join(record.sql).rstrip().rstrip(";")
        out += [f"\\echo '{BEGIN}' {number}", f"\\warn '{BEGIN}' {number}", sql + "\n;"]
        if INPUT.match(record.sql[-1]):
            out[-1] = sql + ";"
            out += [*record.input, "\\."]
        out.append(f"\\echo '{END}' :ROW_COUNT")
    return "\n".join(["\\set VERBOSITY verbose", *out]) + "\n"


def play(url, records):
    """For each record: its rows, or None and (sqlstate, message); and how many it says there were."""
    command = ["psql", "-X", "-q", "-A", "-t", "-F", FIELD, "-R", ROW, "-P", "null=NULL", "-d", url]
    options = "-c timezone=UTC -c client_min_messages=error"
    done = subprocess.run(command, input=script(records), text=True, capture_output=True,
                          env={**os.environ, "PGOPTIONS": options}, check=False)
    answers = []
    errors = [re.search(r"^ERROR:  (\w{5}): (.*)", text, re.M)
              for text in done.stderr.split(BEGIN + " ")[1:]]
    for piece, error in zip(done.stdout.split(BEGIN + " ")[1:], errors):
        body, end = piece.split("\n", 1)[1].rsplit(END + " ", 1)
        rows = [row.split(FIELD) for row in body[:-1].split(ROW)] if body else []
        answers.append((None if error else rows, error and error.groups(), int(end)))
    if len(answers) != len(records):
        raise SystemExit(f"psql stopped early:\n{done.stderr}")
    return answers


def printable(text):
    return re.sub(r"[\x00-\x1f\x7f]", "@", text) or "(empty)"


def row_line(row):
    hard = any("  " in value or value[0] == " " or value[-1] == " " for value in row)
    return ("\t" if hard else "  ").join(row)


def cells_of(line, columns):
    if columns == 1:
        return [line]
    if "\t" in line:
        return line.split("\t")
    wide = re.split(r" {2,}", line)
    return wide if len(wide) == columns else line.split()


def same_value(expected, actual, letter):
    if expected == actual:
        return True
    try:
        a, b = float(expected), float(actual)
    except ValueError:
        return {("1", "t"), ("0", "f")} >= {(expected, actual)}
    return letter == "R" and (f"{b:.3f}" == expected or math.isclose(a, b, rel_tol=1e-13))


def same_row(expected, actual, types):
    if len(expected) != len(actual):
        return " ".join(expected).split() == " ".join(actual).split()
    return all(same_value(e or "(empty)", a, types[i:i + 1])
               for i, (e, a) in enumerate(zip(expected, actual)))


def expected_rows(record, actual, columns):
    lines = record.expected or []
    if columns > 1 and actual and len(lines) == len(actual) * columns:
        return [lines[i:i + columns] for i in range(0, len(lines), columns)]
    return [cells_of(line, columns) for line in lines]


def arrange(rows, sort):
    if sort == "valuesort":
        return sorted([value] for row in rows for value in row)
    return sorted(rows) if sort == "rowsort" else rows


def check(record, answer):
    """What is wrong, or None; and the lines PostgreSQL would have there."""
    rows, error, count = answer
    sqlstate, message = error or ("", "")
    if record.error is not None:
        if rows is not None:
            return "this should have failed", None
        known = record.error in message or record.error == sqlstate or re.search(record.error, message)
        return None if known else f"another error: {sqlstate} {message}", None
    if rows is None:
        return f"ERROR: {sqlstate} {message}", None
    if record.count is not None and record.count != count:
        return f"{count} rows, not {record.count}", None
    if record.kind == "statement":
        return None, None
    rows = arrange([[printable(value) for value in row] for row in rows], record.sort)
    columns = len(rows[0]) if rows else len(record.types)
    if record.types and record.sort != "valuesort" and len(record.types) != columns:
        return f"{columns} columns, not {len(record.types)}", None
    lines = [row_line(row) for row in rows]
    if record.expected is None:
        return None, lines
    expected = arrange(expected_rows(record, rows, columns), record.sort)
    if len(expected) == len(rows) and all(
            same_row(e, a, record.types) for e, a in zip(expected, rows)):
        return None, lines
    return "\n".join([*("- " + row_line(e) for e in expected), *("+ " + l for l in lines)]), lines


def psql(url, sql):
    subprocess.run(["psql", "-X", "-q", "-d", url, "-c", sql], check=True,
                   env={**os.environ, "PGOPTIONS": "-c client_min_messages=error"})


def play_file(url, path, update):
    lines = path.read_text().split("\n")
    records = parse([line.rstrip("\r") for line in lines])
    psql(url, "DROP DATABASE IF EXISTS leat_slt")
    psql(url, "CREATE DATABASE leat_slt TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    answers = play(re.sub(r"dbname=\S+", "dbname=leat_slt", url), records)
    failed, changes = 0, []
    for record, answer in zip(records, answers):
        wrong, answered = check(record, answer)
        if update and record.kind == "query" and answer[1]:
            lines[record.line - 1] = f"query error {answer[1][0]}"
            changes.append((record.begin, record.end, []))
        elif update and answered is not None:
            changes.append((record.begin, record.end, ["----", *answered]))
        elif wrong:
            failed += 1
            print(f"{path}:{record.line}: {wrong}\n    " + "\n    ".join(record.sql))
    for begin, end, text in reversed(changes):
        lines[begin:end] = text
    if changes:
        path.write_text("\n".join(lines))
    return len(records) - failed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--url", default="host=127.0.0.1 port=5432 user=postgres dbname=postgres")
    parser.add_argument("--start", nargs=2, metavar=("DIR", "PORT"))
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    flags = parser.parse_args()
    server = [HERE / "servers/postgres.sh"]
    if flags.start:
        flags.url = subprocess.run(["bash", *server, "start", *flags.start], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip()
    passed = failed = 0
    try:
        for path in flags.files or sorted((HERE / "sql").rglob("*.slt")):
            try:
                good, bad = play_file(flags.url, path, flags.update)
            except NotPostgres:
                continue
            passed, failed = passed + good, failed + bad
    finally:
        if flags.start:
            subprocess.run(["bash", *server, "stop", flags.start[0]], check=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
