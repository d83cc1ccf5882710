#include "connect/datagen/datagen.h"

#include <arrow/array.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "data/key.h"
#include "sql/sql.h"

namespace leat {
namespace {

// The server and the table of two declarations.
struct Declared {
  Server server;
  Relation relation;
};
Declared Declare(const std::string& url, const std::string& table) {
  Declared declared;
  Catalog catalog;
  const std::string sql = "CREATE SERVER s FOREIGN DATA WRAPPER stream OPTIONS (url '" + url +
                          "');CREATE FOREIGN TABLE " + table;
  for (const auto& statement : ParseSql(sql, {}).ValueOrDie()) {
    BoundStatement bound = Bind(*statement, catalog).ValueOrDie();
    if (auto* server = std::get_if<CreateServer>(&bound)) {
      declared.server = server->server;
      EXPECT_TRUE(catalog.AddServer(server->server).ok());
    } else {
      declared.relation = std::get<CreateRelation>(bound).relation;
    }
  }
  Relation& relation = declared.relation;
  if (!relation.infer_columns) return declared;
  const auto columns = InferDatagenColumns(declared.server, relation);
  EXPECT_TRUE(columns.ok()) << columns.status();
  for (const Column& column : columns->columns) {
    ColumnSpec spec;
    spec.column = column;
    relation.columns.push_back(std::move(spec));
  }
  return declared;
}

constexpr const char* kTable =
    "t (id bigint, k int OPTIONS (make 'zipf(50, 1.3)'), x float8 OPTIONS (make 'normal(10, 2)'),"
    " s text OPTIONS (make 'choice(a:8, b, c)', nulls '0.25'), p text OPTIONS (make "
    "'pattern(X-##@)'),"
    " at timestamptz OPTIONS (make 'time(2024-01-01, 1 s)'), d date, n numeric(8,2), b bool)"
    " SERVER s OPTIONS (rows '4000', seed '7', late '0.1', late_by '30 s', wrong '0.05')";

class Rows {
 public:
  explicit Rows(const Relation& relation) {
    for (const ColumnSpec& column : relation.columns) types_.push_back(column.column.type);
  }
  void Add(const Arrival& arrival) {
    Strings rows;
    ASSERT_TRUE(EncodeRows(arrival.batch.columns, types_, arrival.batch.rows, &rows).ok());
    for (int64_t i = 0; i < rows.size(); ++i) found.emplace_back(rows[i]);
    for (const Reject& reject : arrival.rejects) rejected.push_back(reject.row);
    EXPECT_EQ(arrival.rows_read, arrival.batch.rows + std::ssize(arrival.rejects));
    read += arrival.rows_read;
  }
  bool operator==(const Rows& other) const {
    return found == other.found && rejected == other.rejected && read == other.read;
  }
  std::vector<std::string> found;
  std::vector<int64_t> rejected;
  int64_t read = 0;

 private:
  std::vector<Type> types_;
};

Rows Drained(const Declared& of) {
  Rows rows(of.relation);
  const auto source = MakeDatagenSource(of.server, of.relation).ValueOrDie();
  while (auto arrival = source->Poll(1 << 20).ValueOrDie()) rows.Add(*arrival);
  return rows;
}

TEST(Datagen, MakesTheSameRowsHoweverTheyAreCut) {
  for (const std::string url : {"datagen:", "datagen:nexmark"}) {
    const Declared of =
        Declare(url, url == "datagen:" ? kTable : "bid () SERVER s OPTIONS (rows '3000')");
    const Rows all = Drained(of);
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Random random(seed);
      Rows rows(of.relation);
      Offset at;
      while (true) {
        // A source of its own each time, as after a crash.
        const auto source = MakeDatagenSource(of.server, of.relation).ValueOrDie();
        ASSERT_TRUE(source->Seek(at).ok());
        const auto arrival =
            source->Poll(64 * static_cast<int64_t>(1 + random.Below(500))).ValueOrDie();
        if (!arrival) break;
        rows.Add(*arrival);
        const auto again = MakeDatagenSource(of.server, of.relation).ValueOrDie();
        ASSERT_TRUE(again->Seek(at).ok());
        const Arrival reread = again->Reread(arrival->end).ValueOrDie();
        EXPECT_EQ(reread.checksum, arrival->checksum);
        EXPECT_EQ(reread.batch.rows, arrival->batch.rows);
        at = arrival->end;
      }
      EXPECT_TRUE(rows == all) << "seed " << seed;
    }
  }
}

TEST(Datagen, KeepsToItsDistributions) {
  const Rows rows = Drained(Declare("datagen:", kTable));
  EXPECT_EQ(rows.read, 4000);
  EXPECT_NEAR(static_cast<double>(rows.rejected.size()), 200, 60);
  const Declared of = Declare("datagen:", kTable);
  const auto source = MakeDatagenSource(of.server, of.relation).ValueOrDie();
  const Arrival arrival = *source->Poll(1 << 20).ValueOrDie();
  const auto& k = static_cast<const arrow::Int32Array&>(*arrival.batch.columns[1]);
  const auto& x = static_cast<const arrow::DoubleArray&>(*arrival.batch.columns[2]);
  const auto& s = static_cast<const arrow::StringArray&>(*arrival.batch.columns[3]);
  std::map<int32_t, int> ranks;
  std::map<std::string, int> choices;
  double sum = 0;
  for (int64_t i = 0; i < arrival.batch.rows; ++i) {
    ++ranks[k.Value(i)];
    sum += x.Value(i);
    if (s.IsValid(i)) ++choices[s.GetString(i)];
  }
  EXPECT_GE(ranks.begin()->first, 1);
  EXPECT_LE(ranks.rbegin()->first, 50);
  EXPECT_GT(ranks[1], ranks[2]);
  EXPECT_GT(ranks[2], ranks[10]);
  EXPECT_NEAR(sum / static_cast<double>(arrival.batch.rows), 10, 0.3);
  EXPECT_NEAR(s.null_count() / static_cast<double>(s.length()), 0.25, 0.05);
  EXPECT_EQ(choices.size(), 3u);
  EXPECT_GT(choices["a"], 4 * choices["b"]);
}

TEST(Datagen, NexmarkHasOnePersonAndThreeAuctionsFor46Bids) {
  const auto rows = [](const std::string& table, int64_t events) {
    return Drained(Declare("datagen:nexmark",
                           fmt::format("{} () SERVER s OPTIONS (rows '{}')", table, events)))
        .read;
  };
  for (const auto& [table, of] : {std::pair("person", 1), {"auction", 3}, {"bid", 46}}) {
    EXPECT_EQ(rows(table, 5000), of * 100) << table;
  }
  for (const int64_t events : {0, 1, 2, 4, 5, 49, 50, 51, 54, 77}) {
    EXPECT_EQ(rows("person", events) + rows("auction", events) + rows("bid", events), events);
  }
}

TEST(Datagen, LimitEndsWhereItWasRead) {
  const Declared of = Declare("datagen:", kTable);
  const auto source = MakeDatagenSource(of.server, of.relation).ValueOrDie();
  const Offset end = source->Poll(6400).ValueOrDie()->end;
  ASSERT_TRUE(source->Seek("").ok());
  ASSERT_TRUE(source->Limit(end).ok());
  int64_t read = 0;
  while (const auto arrival = source->Poll(640).ValueOrDie()) read += arrival->rows_read;
  EXPECT_EQ(read, 100);
}

TEST(Datagen, RefusesWhatItCannotMake) {
  const auto error = [](const std::string& url, const std::string& table) {
    const Declared of = Declare(url, table);
    const auto source = MakeDatagenSource(of.server, of.relation);
    if (!source.ok()) return source.status().message();
    return (*source)->Poll(64).status().message();
  };
  EXPECT_EQ(error("datagen:", "t (a int) SERVER s"), "the rows of \"t\" never end");
  for (const char* make : {"uniform(2, 1)", "zipf(0, 1)", "chance(1)", "uniform(a, b)", "text(-1)",
                           "choice()", "uniform(1", "time(2024-01-01, 1 s)"}) {
    const std::string table =
        fmt::format("t (a int OPTIONS (make '{}')) SERVER s OPTIONS (rows '1')", make);
    EXPECT_NE(error("datagen:", table).find("invalid value for option \"make\""), std::string::npos)
        << make << ": " << error("datagen:", table);
  }
  EXPECT_NE(error("datagen:nexmark", "bid (price text) SERVER s OPTIONS (rows '1')")
                .find("has no column \"price\" of type text"),
            std::string::npos);
  const Declared one = Declare("datagen:", "t (a int) SERVER s OPTIONS (rows '9', seed '1')");
  const Declared other = Declare("datagen:", "t (a int) SERVER s OPTIONS (rows '9', seed '2')");
  const auto source = MakeDatagenSource(one.server, one.relation).ValueOrDie();
  const Offset end = source->Poll(64).ValueOrDie()->end;
  const Status seek = MakeDatagenSource(other.server, other.relation).ValueOrDie()->Seek(end);
  EXPECT_NE(seek.message().find("made other rows"), std::string::npos);
}

}  // namespace
}  // namespace leat
