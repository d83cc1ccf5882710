#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "connect/connectors.h"
#include "connect/database/connection.h"
#include "connect/database/dialect.h"
#include "connect/testing.h"

namespace leat::testing {
namespace {

class DatabaseSinkTest : public ::testing::TestWithParam<std::string> {
 protected:
  DatabaseSinkTest() : schema_(MakeSchema("id bigint, x double precision")) {}

  Server TheServer() const {
    return {.name = "w",
            .kind = "database",
            .options = {{"url", GetParam() + ":w.db"}, {"base", folder_.path()}}};
  }
  std::unique_ptr<Sink> Make(const Options& options = {{"key", "id"}}) {
    Relation relation = MakeRelation("facts", schema_, options);
    relation.comment = "What is known\nso far";
    relation.columns[1].comment = "it's x";
    auto spec = MakeSinkSpec(TheServer(), relation, schema_).ValueOrDie();
    spec.state = "s";
    spec.statement = "q";
    return MakeSink(std::move(spec)).ValueOrDie();
  }
  void Run(const std::string& sql) {
    auto connection = Connection::Open(*UrlOf(TheServer()));
    ASSERT_TRUE(connection.ok()) << connection.status().message();
    const Status status = (*connection)->Execute(sql, "run a test");
    ASSERT_TRUE(status.ok()) << status.message();
  }
  std::string Ask(const std::string& sql) {
    auto connection = Connection::Open(*UrlOf(TheServer())).ValueOrDie();
    auto rows = connection->Query(sql, "ask");
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    if (!rows.ok() || rows->empty() || (*rows)[0]->num_rows() == 0) return "nothing";
    return (*rows)[0]->column(0)->GetScalar(0).ValueOrDie()->ToString();
  }

  TemporaryFolder folder_;
  Schema schema_;
};

TEST_P(DatabaseSinkTest, CommentsAreKept) {
  ASSERT_TRUE(Make()->Open().ok());
  if (GetParam() == "sqlite") {
    const auto sql = Ask("SELECT sql FROM sqlite_master WHERE name = 'facts'");
    EXPECT_NE(sql.find("-- What is known so far\n"), std::string::npos) << sql;
    EXPECT_NE(sql.find("\"x\" DOUBLE PRECISION, -- it's x\n"), std::string::npos) << sql;
  } else {
    EXPECT_EQ(Ask("SELECT comment FROM duckdb_columns() WHERE column_name = 'x'"), "it's x");
    EXPECT_EQ(Ask("SELECT comment FROM duckdb_tables() WHERE table_name = 'facts'"),
              "What is known\nso far");
  }
}

TEST_P(DatabaseSinkTest, ATableOfOthersNeedsItsKeyUnique) {
  Run("CREATE TABLE facts (id BIGINT, x DOUBLE PRECISION)");
  const Status status = Make()->Open().status();
  EXPECT_NE(status.message().find("has no unique constraint on (\"id\")"), std::string::npos)
      << status.message();
  Run("CREATE UNIQUE INDEX facts_id ON facts (id)");
  EXPECT_TRUE(Make()->Open().ok());
}

TEST_P(DatabaseSinkTest, ATableOfOthersKeepsItsRowsAndColumns) {
  Run("CREATE TABLE facts (id BIGINT PRIMARY KEY, x DOUBLE PRECISION, theirs VARCHAR)");
  Run("INSERT INTO facts VALUES (1, 1, 'kept'), (7, 7, 'kept')");
  auto sink = Make();
  ASSERT_TRUE(sink->Open().ok());
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|1"}, {-1})).ok());
  ASSERT_TRUE(sink->Write(MakeRows(schema_, {"1|10"})).ok());
  ASSERT_TRUE(sink->Commit(1).ok());
  EXPECT_EQ(Ask("SELECT theirs FROM facts WHERE id = 1 AND x = 10"), "kept");
  EXPECT_EQ(Ask("SELECT theirs FROM facts WHERE id = 7"), "kept");
  EXPECT_NE(sink->Reset().message().find("was there before leat"), std::string::npos);
}

TEST_P(DatabaseSinkTest, AColumnOfAnotherTypeIsRefused) {
  Run("CREATE TABLE facts (id BIGINT PRIMARY KEY, x DATE)");
  const Status status = Make()->Open().status();
  EXPECT_NE(status.message().find("is of type DATE but the query gives double precision"),
            std::string::npos)
      << status.message();
  ASSERT_NE(SqlErrorOf(status), nullptr);
  EXPECT_EQ(SqlErrorOf(status)->sqlstate, kDatatypeMismatch);
}

TEST_P(DatabaseSinkTest, SqliteHasNoNaN) {
  auto sink = Make();
  ASSERT_TRUE(sink->Open().ok());
  const Status status = sink->Write(MakeRows(schema_, {"1|NaN"}));
  if (GetParam() != "sqlite") {
    EXPECT_TRUE(status.ok());
    return;
  }
  EXPECT_EQ(status.message(), "column \"x\" of table \"facts\" cannot hold NaN: SQLite has none");
}

TEST_P(DatabaseSinkTest, ColumnsAreInferredFromTheTable) {
  schema_ = MakeSchema("id bigint, t text, d date, n numeric(6,2), f double precision, b boolean");
  ASSERT_TRUE(Make()->Open().ok());
  const auto inferred = InferColumns(TheServer(), MakeRelation("facts", {}, {}));
  ASSERT_TRUE(inferred.ok()) << inferred.status().message();
  ASSERT_EQ(inferred->size(), schema_.size());
  for (int i = 0; i < schema_.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    EXPECT_EQ(TypeName(inferred->columns[at].type), TypeName(schema_.columns[at].type));
  }
  EXPECT_NE(InferColumns(TheServer(), MakeRelation("none", {}, {}))
                .status()
                .message()
                .find("relation \"none\" does not exist in \""),
            std::string::npos);
}

TEST_P(DatabaseSinkTest, AnUnopenableDatabaseSaysWhatToDo) {
  Server server = TheServer();
  server.options["url"] = GetParam() + ":no/such/folder/w.db";
  const Status status = InferColumns(server, MakeRelation("t", {}, {})).status();
  EXPECT_TRUE(status.IsIOError());
  EXPECT_NE(status.message().find("no/such/folder/w.db"), std::string::npos) << status.message();
}

TEST(AdbcStatus, ALockHasAHint) {
  std::string words = "[SQLite] database is locked\nquery: COMMIT";
  AdbcError error = ADBC_ERROR_INIT;
  error.message = words.data();
  const Status status =
      AdbcStatus({System::kSqlite, "w.db", "sqlite:w.db"}, "commit", ADBC_STATUS_IO, &error);
  EXPECT_EQ(FormatError(status, ""),
            "ERROR:  could not commit in \"sqlite:w.db\": [SQLite] database is locked\nHINT:  "
            "Another program is writing to it: end its transaction, then run again.\n");
}

std::string NameOf(const ::testing::TestParamInfo<std::string>& system) { return system.param; }

INSTANTIATE_TEST_SUITE_P(Databases, DatabaseSinkTest, ::testing::Values("sqlite", "duckdb"),
                         NameOf);

}  // namespace
}  // namespace leat::testing
