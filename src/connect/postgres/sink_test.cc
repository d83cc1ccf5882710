// What the connector suite does not ask of every sink: what only PostgreSQL can do, or refuse.
#include <gtest/gtest.h>

#include "connect/connectors.h"
#include "connect/postgres/server_test.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

using Rows = std::vector<std::string>;

class PostgresSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = {.name = "w", .kind = "database", .options = PostgresServer::NewSchema()};
    if (server_.options.empty()) GTEST_SKIP() << "no PostgreSQL server here";
    schema_ = server_.options.at("schema");
    auto connection = PostgresConnection::Open(server_);
    ASSERT_TRUE(connection.ok()) << connection.status().message();
    admin_ = std::move(*connection);
    Do("SET search_path = " + schema_ + ", pg_catalog");
  }

  void Do(const std::string& sql) {
    const Status done = admin_->Execute(sql, "test");
    EXPECT_TRUE(done.ok()) << done.message();
  }
  // Rows as PostgreSQL prints them, columns between '|'.
  Rows Ask(const std::string& sql) {
    auto rows = admin_->Query(sql, "test");
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    Rows texts;
    for (int row = 0; rows.ok() && row < rows->rows(); ++row) {
      std::string text;
      for (int column = 0; column < rows->columns(); ++column) {
        text += column == 0 ? "" : "|";
        text += rows->IsNull(row, column) ? "\\N" : std::string(rows->Text(row, column));
      }
      texts.push_back(text);
    }
    return texts;
  }

  SinkSpec Spec(const std::string& columns, Options options, const std::string& state = "a") {
    const Schema schema = MakeSchema(columns);
    auto spec = MakeSinkSpec(server_, MakeRelation("facts", schema, std::move(options)), schema);
    EXPECT_TRUE(spec.ok()) << spec.status().message();
    spec->state = std::string(32, state[0]);
    spec->statement = "facts:1";
    return *spec;
  }
  std::unique_ptr<Sink> Opened(const SinkSpec& spec) {
    auto sink = MakeSink(spec);
    EXPECT_TRUE(sink.ok()) << sink.status().message();
    const auto mark = (*sink)->Open();
    EXPECT_TRUE(mark.ok()) << mark.status().message();
    if (mark.ok()) mark_ = *mark;
    return std::move(*sink);
  }
  std::unique_ptr<Sink> Opened(const std::string& columns, Options options = {}) {
    return Opened(Spec(columns, std::move(options)));
  }
  static Status Write(Sink* sink, const std::string& columns, const Rows& rows,
                      const std::vector<int64_t>& weights = {}) {
    return sink->Write(MakeRows(MakeSchema(columns), rows, weights));
  }
  static void Put(Sink* sink, const std::string& columns, const Rows& rows, int64_t epoch) {
    const Status written = Write(sink, columns, rows);
    EXPECT_TRUE(written.ok()) << written.message();
    const Status committed = sink->Commit(epoch);
    EXPECT_TRUE(committed.ok()) << committed.message();
  }
  Status OpenFails(const SinkSpec& spec) {
    auto sink = MakeSink(spec);
    return (*sink)->Open().status();
  }

  Server server_;
  std::string schema_;
  std::unique_ptr<PostgresConnection> admin_;
  std::optional<Mark> mark_;
};

TEST_F(PostgresSinkTest, DeclaresTypesKeyAndComments) {
  SinkSpec spec = Spec("id bigint, b numeric(6,2), at timestamptz, tags text[]", {{"key", "id"}});
  spec.schema.columns[1].name = "a.\"b";
  spec.comment = "It's all here";
  spec.comments[1] = "Euros";
  Opened(spec);
  EXPECT_EQ(Ask("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
                "WHERE attrelid = 'facts'::regclass AND attnum > 0 ORDER BY attnum"),
            (Rows{"id|bigint|t", "a.\"b|numeric(6,2)|f", "at|timestamp with time zone|f",
                  "tags|text[]|f"}));
  EXPECT_EQ(Ask("SELECT obj_description('facts'::regclass), col_description('facts'::regclass, 2)"),
            Rows{"It's all here|Euros"});
  EXPECT_EQ(Ask("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                "'facts'::regclass"),
            Rows{"PRIMARY KEY (id)"});
}

TEST_F(PostgresSinkTest, EveryValueIsWhatItsTextSays) {
  const std::string columns =
      "i interval, d date, ts timestamp, n numeric, f double precision, a integer[], j jsonb";
  auto sink = Opened(columns);
  const Rows rows = {"1 mon -2 days +00:00:01.5|infinity|-infinity|NaN|NaN|{1,NULL,3}|{\"a\": [1]}",
                     "-00:00:01|4714-11-24 BC|0044-03-15 12:00:00 BC|-Infinity|-Infinity|{}|null",
                     "00:00:00|5874897-12-31|294246-12-31 23:59:59|12345678901234567890123456789012"
                     "34567890.000100|-0|{-1}|\"x\"",
                     "\\N|\\N|\\N|0.000|5e-324|\\N|\\N"};
  Put(sink.get(), columns, rows, 1);
  Rows expected = rows;
  std::sort(expected.begin(), expected.end());
  Rows found = Ask("SELECT * FROM facts");
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
}

TEST_F(PostgresSinkTest, FillsTheTypesOfAnOlderTable) {
  Do("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS integer CHECK (value < 10)");
  Do("CREATE TABLE facts (m mood, moods mood[], s small, wide numeric, j jsonb, v varchar(3), "
     "own integer DEFAULT 7)");
  const std::string columns = "m text, moods text[], s smallint, wide bigint, j json, v text";
  auto sink = Opened(columns);
  Put(sink.get(), columns, {"ok|{sad,ok}|9|70000|{\"b\":1,\"a\":2}|äöü"}, 1);
  EXPECT_EQ(Ask("SELECT * FROM facts"), Rows{"ok|{sad,ok}|9|70000|{\"a\": 2, \"b\": 1}|äöü|7"});
  ASSERT_TRUE(Write(sink.get(), columns, {"bad|{}|1|1|1|x"}).ok());
  const Status label = sink->Commit(2);
  EXPECT_EQ(label.message(),
            fmt::format("could not write table \"{}.facts\" in \"{}\": invalid input value for "
                        "enum {}.mood: \"bad\"",
                        schema_, admin_->place(), schema_));
  EXPECT_EQ(SqlErrorOf(label)->detail, "COPY facts, line 1, column m");
  ASSERT_TRUE(Write(sink.get(), columns, {"ok|{}|10|1|1|x"}).ok());
  EXPECT_NE(sink->Commit(2).message().find("value for domain"), std::string::npos);
  const Status longer = Write(sink.get(), columns, {"ok|{}|1|1|1|äöüß"});
  EXPECT_EQ(longer.message(), fmt::format("column \"v\" of table \"{}.facts\": a value of 4 "
                                          "characters is too long: there are at most 3",
                                          schema_));
  EXPECT_EQ(Ask("SELECT count(*) FROM facts"), Rows{"1"});
}

TEST_F(PostgresSinkTest, RefusesColumnsThatWouldChangeValues) {
  const auto refusal = [&](const std::string& there, const std::string& ours) {
    Do("DROP TABLE IF EXISTS facts; CREATE TABLE facts (x " + there + ")");
    return OpenFails(Spec("x " + ours, {})).message();
  };
  const auto mismatch = [&](const std::string& there, const std::string& ours) {
    return fmt::format("column \"x\" of table \"{}.facts\" is of type {} but the query gives {}",
                       schema_, there, ours);
  };
  EXPECT_EQ(refusal("numeric(6,2)", "numeric(8,3)"), mismatch("numeric(6,2)", "numeric(8,3)"));
  EXPECT_EQ(refusal("integer", "bigint"), mismatch("integer", "bigint"));
  EXPECT_EQ(refusal("timestamp(3)", "timestamp"),
            mismatch("timestamp(3) without time zone", "timestamp without time zone"));
  EXPECT_EQ(refusal("timestamptz", "timestamp"),
            mismatch("timestamp with time zone", "timestamp without time zone"));
  EXPECT_EQ(refusal("int4range", "text"), mismatch("int4range", "text"));
  EXPECT_EQ(refusal("char(5)", "text"), mismatch("character(5)", "text"));
  EXPECT_NE(refusal("integer GENERATED ALWAYS AS (1) STORED", "integer").find("generated there"),
            std::string::npos);
  EXPECT_EQ(refusal("numeric", "numeric(8,3)"), "");
}

TEST_F(PostgresSinkTest, AConstraintThatFailsNamesTheRow) {
  Do("CREATE TABLE facts (id bigint PRIMARY KEY, n integer CONSTRAINT positive CHECK (n > 0))");
  const std::string columns = "id bigint, n integer";
  for (const bool upsert : {false, true}) {
    auto sink = Opened(columns, upsert ? Options{{"key", "id"}} : Options{});
    if (upsert) Put(sink.get(), columns, {"1|1"}, 1);
    ASSERT_TRUE(Write(sink.get(), columns, {"2|5", "3|-5"}).ok());
    const Status status = sink->Commit(2);
    EXPECT_NE(status.message().find("violates check constraint \"positive\""), std::string::npos)
        << status.message();
    ASSERT_NE(SqlErrorOf(status), nullptr);
    EXPECT_EQ(SqlErrorOf(status)->sqlstate, "23514");
    EXPECT_EQ(SqlErrorOf(status)->detail, "Failing row contains (3, -5).");
    EXPECT_EQ(Ask("SELECT count(*) FROM facts WHERE id > 1"), Rows{"0"});
  }
}

TEST_F(PostgresSinkTest, AKeyMustBeUniqueThere) {
  Do("CREATE TABLE facts (id bigint, n integer)");
  const Status status = OpenFails(Spec("id bigint, n integer", {{"key", "id"}}));
  EXPECT_EQ(status.message(), fmt::format("table \"{}.facts\" in \"{}\" has no unique constraint "
                                          "on (\"id\")",
                                          schema_, admin_->place()));
  Do("CREATE UNIQUE INDEX ON facts (id)");
  Opened("id bigint, n integer", {{"key", "id"}});
}

TEST_F(PostgresSinkTest, UpsertsKeepColumnsThatAreNotOurs) {
  Do("CREATE TABLE facts (id bigint PRIMARY KEY, n integer, own text DEFAULT 'new')");
  const std::string columns = "id bigint, n integer";
  auto sink = Opened(columns, {{"key", "id"}});
  Put(sink.get(), columns, {"1|1", "2|2", "3|3"}, 1);
  Do("UPDATE facts SET own = 'mine'");
  ASSERT_TRUE(Write(sink.get(), columns, {"1|1", "2|2"}, {-1, -1}).ok());
  Put(sink.get(), columns, {"1|10", "4|4"}, 2);
  EXPECT_EQ(Ask("SELECT * FROM facts ORDER BY id"), (Rows{"1|10|mine", "3|3|mine", "4|4|new"}));
}

// Of two keys that came in one commit, one was there before: no rows were written straight.
TEST_F(PostgresSinkTest, TwoRowsForAKeyInALaterCommit) {
  const std::string columns = "id bigint, n integer";
  auto sink = Opened(columns, {{"key", "id"}});
  Put(sink.get(), columns, {"1|1"}, 1);
  ASSERT_TRUE(Write(sink.get(), columns, {"1|1", "2|2", "2|3"}).ok());
  const Status status = sink->Commit(2);
  EXPECT_EQ(status.message(), "two rows for one key of sink \"facts\"");
  EXPECT_EQ(SqlErrorOf(status)->detail, "Key (\"id\")=(2) came twice.");
  Put(sink.get(), columns, {"2|2"}, 2);
  EXPECT_EQ(Ask("SELECT * FROM facts ORDER BY id"), (Rows{"1|1", "2|2"}));
}

// A row that came, went with its key's second epoch and came again, in one commit.
TEST_F(PostgresSinkTest, EpochsOfOneCommit) {
  const std::string columns = "id bigint, n integer";
  for (const bool empty : {true, false}) {
    auto sink = Opened(columns, {{"key", "id"}});
    EXPECT_EQ(Ask("SELECT count(*) FROM facts"), Rows{empty ? "0" : "2"});
    ASSERT_TRUE(Write(sink.get(), columns, {"5|0"}, {-1}).ok());
    ASSERT_TRUE(Write(sink.get(), columns, {"5|1", "6|1"}).ok());
    ASSERT_TRUE(Write(sink.get(), columns, {"6|1"}, {-1}).ok());
    Put(sink.get(), columns, {"7|1"}, empty ? 1 : 2);
    EXPECT_EQ(Ask("SELECT * FROM facts ORDER BY id"), (Rows{"5|1", "7|1"}));
  }
}

TEST_F(PostgresSinkTest, ReplacesWhatItHolds) {
  const std::string columns = "n integer";
  auto sink = Opened(columns, {{"mode", "replace"}});
  Put(sink.get(), columns, {"1", "2"}, 1);
  Put(sink.get(), columns, {"3"}, 2);
  EXPECT_EQ(Ask("SELECT * FROM facts"), Rows{"3"});
  ASSERT_TRUE(sink->Commit(3).ok());
  EXPECT_EQ(Ask("SELECT * FROM facts"), Rows{});
}

TEST_F(PostgresSinkTest, ReplaceDoesNotTakeAwayWhatOthersWrote) {
  Do("CREATE TABLE facts (n integer); INSERT INTO facts VALUES (1)");
  EXPECT_EQ(OpenFails(Spec("n integer", {{"mode", "replace"}})).message(),
            fmt::format("sink \"facts\" of mode \"replace\" would remove the rows that table "
                        "\"{}.facts\" in \"{}\" holds already",
                        schema_, admin_->place()));
}

TEST_F(PostgresSinkTest, ASnapshotTouchesOnlyItsPeriods) {
  const std::string columns = "n integer, dt date";
  SinkSpec spec = Spec("n integer", {{"mode", "snapshot"}, {"partition_by", "dt"}});
  auto sink = Opened(spec);
  Put(sink.get(), columns, {"1|2024-01-01", "2|2024-01-01", "3|2024-01-02"}, 1);
  ASSERT_TRUE(Write(sink.get(), columns, {"\\N|2024-01-02"}, {-1}).ok());
  Put(sink.get(), columns, {"4|2024-01-02"}, 2);
  EXPECT_EQ(Ask("SELECT * FROM facts ORDER BY 1"),
            (Rows{"1|2024-01-01", "2|2024-01-01", "4|2024-01-02"}));
}

TEST_F(PostgresSinkTest, ATableThatWasDroppedHasLostItsMark) {
  auto sink = Opened("n integer");
  Put(sink.get(), "n integer", {"1"}, 5);
  Opened("n integer");
  ASSERT_TRUE(mark_.has_value());
  EXPECT_EQ(mark_->epoch, 5);
  Do("DROP TABLE facts; CREATE TABLE facts (n integer)");
  const auto looked = ReadSinkMark(Spec("n integer", {}));
  ASSERT_TRUE(looked.ok()) << looked.status().message();
  EXPECT_FALSE(looked->has_value());
  mark_.reset();
  Opened("n integer");
  EXPECT_FALSE(mark_.has_value());
}

// A connection that was believed lost may still commit: the one of the two that comes second fails.
TEST_F(PostgresSinkTest, OfTwoWritersOneCommits) {
  auto first = Opened("n integer");
  auto second = Opened("n integer");
  ASSERT_TRUE(Write(first.get(), "n integer", {"1"}).ok());
  Put(second.get(), "n integer", {"1"}, 1);
  const Status late = first->Commit(1);
  EXPECT_TRUE(late.IsIOError()) << late.message();
  EXPECT_NE(late.message().find("its mark in leat_marks is not the one that was read"),
            std::string::npos);
  EXPECT_EQ(Ask("SELECT * FROM facts"), Rows{"1"});
}

TEST_F(PostgresSinkTest, ALostConnectionIsTriedAgain) {
  auto sink = Opened("n integer");
  Put(sink.get(), "n integer", {"1"}, 1);
  ASSERT_TRUE(Write(sink.get(), "n integer", {"2"}).ok());
  Do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
     "application_name = 'leat'");
  const Status lost = sink->Commit(2);
  EXPECT_TRUE(lost.IsIOError()) << lost.message();
  sink = Opened("n integer");
  EXPECT_EQ(mark_->epoch, 1);
  Put(sink.get(), "n integer", {"2"}, 2);
  EXPECT_EQ(Ask("SELECT * FROM facts ORDER BY 1"), (Rows{"1", "2"}));
}

// A lock that is not given is tried for again, and whose timeout it was is told.
TEST_F(PostgresSinkTest, SaysWhatItWaitedFor) {
  Opened("n integer");
  const std::string url = server_.options.at("url");
  const auto commit = [&](const std::string& setting) {
    server_.options["url"] = url + "?options=-c" + setting;
    auto sink = Opened("n integer");
    Do("BEGIN; LOCK TABLE facts IN SHARE MODE");
    EXPECT_TRUE(Write(sink.get(), "n integer", {"1"}).ok());
    const Status waited = sink->Commit(1);
    Do("ROLLBACK");
    EXPECT_NE(SqlErrorOf(waited), nullptr);
    return waited;
  };
  const Status lock = commit("lock_timeout%3D200ms");
  EXPECT_TRUE(lock.IsIOError());
  EXPECT_NE(lock.message().find("canceling statement due to lock timeout"), std::string::npos);
  EXPECT_EQ(SqlErrorOf(lock)->hint,
            "Another session holds a lock there: pg_locks and pg_blocking_pids() tell which.");
  const Status statement = commit("statement_timeout%3D3s");
  EXPECT_FALSE(statement.IsIOError());
  EXPECT_NE(statement.message().find("due to statement timeout"), std::string::npos);
  EXPECT_EQ(SqlErrorOf(statement)->hint, "The role's statement_timeout is too short for this.");
  EXPECT_EQ(Ask("SELECT count(*) FROM facts"), Rows{"0"});
}

// What the server says of a transaction that it gave up for another is tried again.
TEST_F(PostgresSinkTest, ADeadlockIsTriedAgain) {
  Do("CREATE TABLE facts (n integer); CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
     "$$BEGIN RAISE deadlock_detected; END$$; CREATE TRIGGER lose BEFORE INSERT ON facts "
     "EXECUTE FUNCTION lose()");
  auto sink = Opened("n integer");
  ASSERT_TRUE(Write(sink.get(), "n integer", {"1"}).ok());
  const Status status = sink->Commit(1);
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_EQ(SqlErrorOf(status)->sqlstate, "40P01");
}

TEST_F(PostgresSinkTest, WhatLeatDidNotMakeIsNotDropped) {
  Do("CREATE TABLE facts (n integer); INSERT INTO facts VALUES (0)");
  auto sink = Opened("n integer");
  Put(sink.get(), "n integer", {"1"}, 1);
  EXPECT_NE(sink->Reset().message().find("was there before leat"), std::string::npos);
  sink = std::move(*MakeSink(Spec("n integer", {})));
  EXPECT_NE(sink->Reset().message().find("was there before leat"), std::string::npos);
  EXPECT_EQ(Ask("SELECT count(*) FROM facts"), Rows{"2"});
}

TEST_F(PostgresSinkTest, ReadsWhatOthersDeclared) {
  Do("CREATE TABLE facts (id integer NOT NULL, n numeric(6,2), r int4range, m money, x \"char\")");
  Do("INSERT INTO facts VALUES (1, 2.50, '[1,3)', '$1.50', 'q')");
  Relation relation{.name = "facts", .kind = RelationKind::kForeign};
  const auto schema = InferColumns(server_, relation);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->columns[1].type, Type::Numeric(6, 2));
  EXPECT_FALSE(schema->columns[0].nullable);
  relation = MakeRelation("facts", *schema, {});
  const auto rows = ReadAll(server_, relation);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(Texts(*schema, *rows), Rows{"1|2.50|[1,3)|$1.50|q"});
  // Declared otherwise: read as the declared type reads the text.
  const Schema other = MakeSchema("n text, id bigint");
  const auto again = ReadAll(server_, MakeRelation("facts", other, {}));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(Texts(other, *again), Rows{"2.50|1"});
  const auto wrong = ReadAll(server_, MakeRelation("facts", MakeSchema("r integer"), {}));
  EXPECT_EQ(
      wrong.status().message(),
      fmt::format("column \"r\" of table \"{}.facts\": invalid input syntax for type integer: "
                  "\"[1,3)\"",
                  schema_));
  const auto none = ReadAll(server_, MakeRelation("fact", other, {}));
  EXPECT_EQ(SqlErrorOf(none.status())->hint,
            fmt::format("Perhaps you meant \"{}.facts\".", schema_));
}

}  // namespace
}  // namespace leat::testing
