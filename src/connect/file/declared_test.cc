// File sources as SQL declares them.
#include <gtest/gtest.h>

#include "connect/connectors.h"
#include "connect/testing.h"
#include "format/format.h"
#include "sql/sql.h"

namespace leat::testing {
namespace {

using Rows = std::vector<std::string>;

class DeclaredTest : public ::testing::Test {
 protected:
  // The rows of the table that `sql` declares, its columns inferred if it names none.
  Rows Read(const std::string& sql) {
    rejects_.clear();
    auto relation = Declare(sql);
    if (!relation.ok()) return {relation.status().message()};
    auto source = MakeSource(server_, *relation);
    if (!source.ok()) return {source.status().message()};
    std::vector<Batch> batches;
    while (true) {
      auto arrival = (*source)->Poll(1 << 20);
      if (!arrival.ok()) return {arrival.status().message()};
      if (!*arrival) return Texts(relation->schema(), batches);
      batches.push_back((*arrival)->batch);
      for (const Reject& reject : (*arrival)->rejects) {
        rejects_.push_back(fmt::format("{}:{} {}: {}", (*arrival)->place, reject.line,
                                       reject.column, reject.reason));
      }
    }
  }
  Result<Relation> Declare(const std::string& sql) {
    Catalog catalog;
    server_ = {.name = "s", .kind = "file", .options = {{"url", folder_.path()}}};
    LEAT_RETURN(catalog.AddServer(server_));
    LEAT_ASSIGN(const auto statements, ParseSql(sql, {}));
    LEAT_ASSIGN(auto bound, Bind(*statements[0], catalog));
    Relation relation = std::get<CreateRelation>(std::move(bound)).relation;
    if (relation.infer_columns) {
      LEAT_ASSIGN(const Schema schema, InferColumns(server_, relation));
      for (const Column& column : schema.columns) relation.columns.push_back({.column = column});
    }
    return relation;
  }

  TemporaryFolder folder_;
  Server server_;
  Rows rejects_;
};

TEST_F(DeclaredTest, ConstraintsRejectRows) {
  folder_.Write("l.csv", "Amount,State\n10,NM\n-1,NM\n,NM\n7,\n");
  EXPECT_EQ(
      Read("CREATE FOREIGN TABLE l (amount numeric OPTIONS (name 'Amount') CHECK (amount >= 0), "
           "state char(2) OPTIONS (name 'State') NOT NULL) SERVER s OPTIONS (path 'l.csv')"),
      (Rows{"10|NM", "\\N|NM"}));  // as in PostgreSQL, a check that is null holds
  EXPECT_EQ(rejects_,
            (Rows{"l.csv:3 amount: new row for relation \"l\" violates check constraint "
                  "\"l_amount_check\"",
                  "l.csv:5 state: null value in column \"state\" of relation \"l\" violates "
                  "not-null constraint"}));
}

TEST_F(DeclaredTest, ACheckThatFailsToComputeRejects) {
  folder_.Write("l.csv", "a\n0\n2\n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l (a integer CHECK (10 / a > 1)) SERVER s "
                 "OPTIONS (path 'l.csv')"),
            Rows{"2"});
  EXPECT_EQ(rejects_, Rows{"l.csv:2 a: division by zero"});
}

TEST_F(DeclaredTest, ColumnsAreInferred) {
  folder_.Write("l.csv", "id,day,score,name\n1,2024-05-01,0.5,x\n2,2024-05-02,1e3,\n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l () SERVER s OPTIONS (path 'l.csv')"),
            (Rows{"1|2024-05-01|0.5|x", "2|2024-05-02|1000|\\N"}));
  folder_.Write("l.ndjson", "{\"id\": 1, \"ok\": true}\n{\"id\": 2}\n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l () SERVER s OPTIONS (path 'l.ndjson')"),
            (Rows{"1|t", "2|\\N"}));
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l () SERVER s OPTIONS (path '*.nothing')"),
            Rows{"could not infer the columns of \"l\": no file matches \"*.nothing\""});
}

TEST_F(DeclaredTest, APrefixIsStripped) {
  folder_.Write("l.csv", "loan_id,loan_state,year\n1,NM,2024\n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l (id integer, state text, year integer) SERVER s "
                 "OPTIONS (path 'l.csv', strip_prefix 'loan_')"),
            Rows{"1|NM|2024"});
  auto relation = Declare(
      "CREATE FOREIGN TABLE l () SERVER s "
      "OPTIONS (path 'l.csv', strip_prefix 'loan_')");
  ASSERT_TRUE(relation.ok()) << relation.status().message();
  EXPECT_EQ(relation->columns[0].column.name, "id");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE l () SERVER s OPTIONS (path 'l.csv', strip_prefix 'loan_')"),
            Rows{"1|NM|2024"});
}

TEST_F(DeclaredTest, NestedJson) {
  folder_.Write(
      "w.ndjson",
      "{\"main\": {\"temp\": 280.5}, \"tags\": [\"a\", null], \"dt\": \"2024-05-01T10:00:00Z\"}\n"
      "{\"main\": {\"temp\": \"hot\"}}\n"
      "{\"main\": \n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE w (temp double precision OPTIONS (path '$.main.temp'), "
                 "tags json, dt timestamptz) SERVER s OPTIONS (path 'w.ndjson')"),
            Rows{"280.5|[\"a\", null]|2024-05-01 10:00:00+00"});
  ASSERT_EQ(rejects_.size(), 2u);
  EXPECT_EQ(rejects_[0],
            "w.ndjson:2 temp: invalid input syntax for type double precision: \"hot\"");
}

TEST_F(DeclaredTest, TimesWithoutAZone) {
  folder_.Write("t.csv", "at\n2024-07-01 12:00\n2024-07-01 12:00+00\n");
  const std::string table =
      "CREATE FOREIGN TABLE t (at timestamptz) SERVER s OPTIONS (path 't.csv'";
  EXPECT_EQ(Read(table + ")"), (Rows{"2024-07-01 12:00:00+00", "2024-07-01 12:00:00+00"}));
  EXPECT_EQ(Read(table + ", timezone 'Europe/Vienna')"),
            (Rows{"2024-07-01 10:00:00+00", "2024-07-01 12:00:00+00"}));
  EXPECT_EQ(Read(table + ", timezone 'Mars')"),
            Rows{"invalid value for option \"timezone\": \"Mars\""});
}

TEST_F(DeclaredTest, DatesAsOthersSpellThem) {
  folder_.Write("d.csv",
                "d,at,us\n17.05.2024,17.05.2024 14:05,05/17/2024\n"
                "31.02.2024,17.05.2024 00:00,05/17/2024\n17.05.24 7,17.05.2024 00:00,05/17/2024\n"
                "17.05.2024,17.05.2024,05/17/2024\n");
  const std::string options =
      "SERVER s OPTIONS (path 'd.csv', timezone 'Europe/Vienna', date_format 'DD.MM.YYYY', "
      "timestamp_format 'DD.MM.YYYY HH24:MI')";
  EXPECT_EQ(Read("CREATE FOREIGN TABLE d (d date, at timestamptz, us date OPTIONS (date_format "
                 "'MM/DD/YYYY')) " +
                 options),
            Rows{"2024-05-17|2024-05-17 12:05:00+00|2024-05-17"});
  EXPECT_EQ(
      rejects_,
      (Rows{"d.csv:3 d: date/time field value out of range: \"31.02.2024\"",
            "d.csv:4 d: \"17.05.24 7\" does not follow the pattern \"DD.MM.YYYY\"",
            "d.csv:5 at: \"17.05.2024\" does not follow the pattern \"DD.MM.YYYY HH24:MI\""}));
  folder_.Write("e.csv", "d,at\n17.05.2024,17.05.2024 14:05\n");
  EXPECT_EQ(Declare("CREATE FOREIGN TABLE e () SERVER s OPTIONS (path 'e.csv', date_format "
                    "'DD.MM.YYYY', timestamp_format 'DD.MM.YYYY HH24:MI')")
                ->schema()
                .columns[1]
                .type.id,
            TypeId::kTimestamp);
  folder_.Write("d.ndjson", "{\"d\": \"17.05.2024\"}\n{\"d\": null}\n");
  EXPECT_EQ(Read("CREATE FOREIGN TABLE d () SERVER s OPTIONS (path 'd.ndjson', date_format "
                 "'DD.MM.YYYY')"),
            (Rows{"2024-05-17", "\\N"}));
  EXPECT_EQ(Read("CREATE FOREIGN TABLE d (d text OPTIONS (date_format 'DD.MM.YYYY')) SERVER s "
                 "OPTIONS (path 'd.ndjson')"),
            Rows{"invalid value for option \"date_format\": \"DD.MM.YYYY\""});
  EXPECT_EQ(Read("CREATE FOREIGN TABLE d (d date) SERVER s OPTIONS (path 'd.csv', date_format "
                 "'.-.')"),
            Rows{"invalid value for option \"date_format\": \".-.\""});
}

TEST_F(DeclaredTest, ParquetFiles) {
  const Schema schema = MakeSchema("id bigint, n numeric(6,2), t text");
  auto writer = CreateFile(folder_ / "p.parquet", "parquet", schema, {});
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE((*writer)->Write(MakeRows(schema, {"1|1.50|x", "2|-3.00|\\N"})).ok());
  ASSERT_TRUE((*writer)->Close().ok());
  EXPECT_EQ(Read("CREATE FOREIGN TABLE p () SERVER s OPTIONS (path 'p.parquet')"),
            (Rows{"1|1.50|x", "2|-3.00|\\N"}));
  EXPECT_EQ(Read("CREATE FOREIGN TABLE p (t text NOT NULL, id bigint CHECK (id > 0)) SERVER s "
                 "OPTIONS (path 'p.parquet')"),
            Rows{"x|1"});
  EXPECT_EQ(rejects_.size(), 1u);
  EXPECT_EQ(
      Read("CREATE FOREIGN TABLE p (x text) SERVER s OPTIONS (path 'p.parquet')")[0].substr(0, 25),
      "column \"x\" does not exist");
}

}  // namespace
}  // namespace leat::testing
