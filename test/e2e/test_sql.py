"""leat sql: psql's flags and habits."""
import pytest

TABLE = """\
 n | name
---+------
 1 | Ada
 2 | Bob
(2 rows)

"""
QUERY = "SELECT * FROM (VALUES (1, 'Ada'), (2, 'Bob')) AS v (n, name)"


@pytest.fixture
def sql(leat):
    return lambda *words, **more: leat("sql", *words, **more)


def test_a_table_as_psql_prints_it(sql):
    def bare(text):
        return [line.rstrip() for line in text.splitlines()]
    assert bare(sql("-c", QUERY)) == bare(TABLE)
    assert sql("-c", "SELECT 1 AS a WHERE false").splitlines()[-2:] == ["(0 rows)", ""]


@pytest.mark.parametrize("flags, rows", [
    (["-A"], "n|name\n1|Ada\n2|Bob\n(2 rows)\n"),
    (["-A", "-t"], "1|Ada\n2|Bob\n"),
    (["-At"], "1|Ada\n2|Bob\n"),
    (["-A", "-t", "-F", ","], "1,Ada\n2,Bob\n"),
    (["--csv"], "n,name\n1,Ada\n2,Bob\n"),
    (["--csv", "-t"], "1,Ada\n2,Bob\n"),
    (["--no-align", "--tuples-only", "--field-separator", "~"], "1~Ada\n2~Bob\n"),
])
def test_flags(sql, flags, rows):
    assert sql(*flags, "-c", QUERY) == rows


def test_commands_and_files_run_in_the_order_given(leat, sql):
    leat.write("two.sql", "SELECT 2;\nSELECT\n  3;\n")
    assert sql("-At", "-c", "SELECT 1", "-f", "two.sql", "-c", "SELECT 4") == "1\n2\n3\n4\n"
    assert sql("-At", given="SELECT 5;\nSELECT 6") == "5\n6\n"
    assert sql("-At", "-f", "-", given="SELECT 7;") == "7\n"


def test_quiet_says_nothing_of_statements(sql):
    words = ["-c", "CREATE TABLE t (a int)", "-c", "INSERT INTO t VALUES (1), (2)"]
    assert sql(*words) == "CREATE TABLE\nINSERT 0 2\n"
    assert sql("-q", *words) == ""


def test_variables(leat, sql):
    leat.write("v.sql", "SELECT :n + 1, :'who', ':n', 2::text;\n")
    assert sql("-At", "-v", "n=41", "-v", "who=O'Hara", "-f", "v.sql") == "42|O'Hara|:n|2\n"
    assert sql("-At", given="\\set n 8\nSELECT :n;\n") == "8\n"


def test_an_error_has_its_place_and_is_never_silent(leat, sql):
    _, err = leat.finish(["sql", "-c", "SELECT 1 +\n  nme"], code=1)
    assert err.splitlines() == ['ERROR:  column "nme" does not exist', "LINE 2:   nme", "          ^"]
    leat.write("bad.sql", "SELECT 1;\nSELECT x;\nSELECT 3;\n")
    out, err = leat.finish(["sql", "-At", "-f", "bad.sql"], code=1)
    assert out == "1\n3\n" and err.startswith("leat:bad.sql:2: ERROR:")
    out, _ = leat.finish(["sql", "-At", "-v", "ON_ERROR_STOP=1", "-f", "bad.sql"], code=1)
    assert out == "1\n"


def test_backslash_commands(leat, sql):
    out = sql(given="CREATE TABLE t (a int NOT NULL, b numeric(5,2));\n\\d t\n\\dt\n")
    assert "a " in out and "integer" in out and "not null" in out and "numeric(5,2)" in out
    assert "Time: " in sql("-At", given="\\timing on\nSELECT 1;\n")
    assert sql("-At", given="\\echo here\n\\q\nSELECT 1;\n") == "here\n"
    out, err = leat.finish(["sql"], 1, given="\\nonsense\n")
    assert "invalid command \\nonsense" in err
    assert "a | 1" in sql("-x", "-c", "SELECT 1 AS a")
    assert sql("-At", given="\\pset null ~\nSELECT NULL;\n") == "~\n"


def test_copy_from_what_follows(sql):
    script = "CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n1\tx\n2\t\\N\n\\.\nSELECT * FROM t;\n"
    assert sql("-At", "-q", given=script) == "1|x\n2|\n"


def test_copy_to_writes_text_and_csv(sql):
    script = ("CREATE TABLE t (a int, b text);\n"
              "INSERT INTO t VALUES (1, E'x\\ty'), (2, NULL), (3, 'p,\"q\"'), (4, '');\n"
              "COPY t TO stdout;\n"
              "COPY (SELECT b, a FROM t ORDER BY a DESC) TO stdout WITH (FORMAT csv, HEADER);\n"
              "COPY t (a) TO stdout WITH (DELIMITER '|', NULL 'none');\n")
    assert sql("-q", given=script) == (
        "1\tx\\ty\n2\t\\N\n3\tp,\"q\"\n4\t\n"
        "b,a\n\"\",4\n\"p,\"\"q\"\"\",3\n,2\nx\ty,1\n"
        "1\n2\n3\n4\n")
