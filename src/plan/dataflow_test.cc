// The law for shards and threads: however many there are, the answer is the same; and for one
// number of shards it comes in the same pieces, in the same order, whatever the number of threads.
#include "plan/dataflow.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/key.h"
#include "data/numeric.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "plan/rules.h"
#include "sql/sql.h"
#include "state/memory_store.h"

namespace leat {
namespace {

constexpr std::string_view kTables = R"(
  CREATE TABLE t (k int, g text, x float8, n numeric);
  CREATE TABLE u (k int, y int);
)";

const char* const kQueries[] = {
    "SELECT t.k, u.y, count(*), sum(t.x), max(t.x) FROM t JOIN u ON t.k = u.k GROUP BY t.k, u.y",
    "SELECT t.k, count(*), sum(y) FROM t JOIN u ON t.k = u.k GROUP BY t.k",
    "SELECT DISTINCT g, n FROM t WHERE x > 1",
    "SELECT DISTINCT ON (k) k, g, x FROM t ORDER BY k, x DESC",
    "SELECT k, sum(x) OVER (PARTITION BY k ROWS 2 PRECEDING) FROM t",
    "SELECT k, s, sum(s) OVER (ROWS 3 PRECEDING) FROM "
    "(SELECT k, sum(x) OVER (PARTITION BY k ROWS 2 PRECEDING) AS s FROM t) w",
    "SELECT k, s, count(*) OVER (ROWS 3 PRECEDING) FROM "
    "(SELECT k, sum(x) OVER (PARTITION BY k ROWS 2 PRECEDING) AS s FROM t "
    " UNION ALL SELECT k, y FROM u) w",
    "SELECT k, lead(x) OVER (PARTITION BY g), sum(x) OVER (ROWS 1 PRECEDING) FROM t",
    "SELECT g, 100 / k, x * 2 FROM t WHERE g <> 'b'",
    "SELECT t.k, t.x, u.y FROM t LEFT JOIN u ON t.k = u.k AND u.y > t.x",
    "SELECT t.k, u.k, t.g FROM t FULL JOIN u ON t.k = u.y",
    "SELECT k, g FROM t WHERE EXISTS (SELECT FROM u WHERE u.k = t.k)",
    "SELECT c, count(*) FROM (SELECT g, count(*) AS c FROM t GROUP BY g) a GROUP BY c",
    "SELECT a.k, a.c, b.c FROM (SELECT k, count(*) AS c FROM t GROUP BY k) a "
    "JOIN (SELECT k, count(*) AS c FROM t GROUP BY k) b ON a.k = b.k",
    "SELECT count(*), sum(x) FROM t",
    "SELECT k FROM t UNION ALL SELECT y FROM u",
};

LogicalPtr PlanOf(std::string_view query) {
  Catalog catalog;
  const std::string sql = std::string(kTables) + std::string(query) + ";";
  for (const auto& statement : ParseSql(sql, {}).ValueOrDie()) {
    const BoundStatement bound = Bind(*statement, catalog).ValueOrDie();
    if (const auto* select = std::get_if<Select>(&bound)) {
      return ApplyRules(VisibleColumns(select->query));
    }
    EXPECT_TRUE(catalog.AddRelation(std::get<CreateRelation>(bound).relation).ok());
  }
  return nullptr;
}

struct Change {
  std::string relation;
  Batch batch;
  bool ends_epoch = false;
};

class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  Batch T(int64_t rows) {
    arrow::Int32Builder k;
    arrow::StringBuilder g;
    arrow::DoubleBuilder x;
    arrow::BinaryBuilder n;
    for (int64_t i = 0; i < rows; ++i) {
      EXPECT_TRUE((Pick(10) == 0 ? k.AppendNull() : k.Append(static_cast<int>(Pick(20)))).ok());
      EXPECT_TRUE(g.Append(std::string(1, static_cast<char>('a' + Pick(4)))).ok());
      EXPECT_TRUE(x.Append(static_cast<double>(Pick(40)) / 8).ok());
      // 0, 1 and 2, written in two ways.
      std::string number;
      Numeric::FromInt128(static_cast<int64_t>(Pick(3)) * 10, Pick(2) == 0 ? 1 : 0).Encode(&number);
      EXPECT_TRUE(n.Append(number).ok());
    }
    return WithSeq({.rows = rows,
                    .columns = {k.Finish().ValueOrDie(), g.Finish().ValueOrDie(),
                                x.Finish().ValueOrDie(), n.Finish().ValueOrDie()}});
  }
  Batch U(int64_t rows) {
    arrow::Int32Builder k, y;
    for (int64_t i = 0; i < rows; ++i) {
      EXPECT_TRUE(k.Append(static_cast<int>(Pick(20))).ok());
      EXPECT_TRUE(y.Append(static_cast<int>(Pick(6))).ok());
    }
    return WithSeq({.rows = rows, .columns = {k.Finish().ValueOrDie(), y.Finish().ValueOrDie()}});
  }

  std::vector<Change> History(bool append_only) {
    std::vector<Change> history;
    for (int i = 0; i < 30; ++i) {
      const bool t = Pick(3) > 0;
      Batch batch =
          t ? T(1 + static_cast<int64_t>(Pick(40))) : U(1 + static_cast<int64_t>(Pick(9)));
      if (!append_only && Pick(4) == 0 && !history.empty()) {
        const Change earlier = history[Pick(history.size())];
        if (!earlier.batch.weights) {
          history.push_back({earlier.relation, Negate(earlier.batch).ValueOrDie()});
          history.push_back({earlier.relation, WithSeq(earlier.batch)});
        }
      }
      history.push_back({t ? "t" : "u", std::move(batch), Pick(5) == 0});
    }
    return history;
  }

 private:
  uint64_t Pick(uint64_t of) { return random_.Below(of); }
  Batch WithSeq(Batch batch) {
    batch.seq = ArrivalNumbers(seq_, batch.rows).ValueOrDie();
    seq_ += batch.rows;
    return batch;
  }
  leat::Random random_;
  int64_t seq_ = 0;
};

// Everything that a dataflow says, in its order, and the net.
class Said : public DataflowListener {
 public:
  explicit Said(Schema schema, int fail_at = -1) : schema_(std::move(schema)), fail_at_(fail_at) {}

  Status OnDelta(int, const Batch& batch) override {
    if (static_cast<int>(pieces.size()) == fail_at_) return Status::IOError("the sink is full");
    Strings rows;
    std::vector<Type> types;
    for (const Column& column : schema_.columns) types.push_back(column.type);
    LEAT_RETURN(EncodeRows(batch.columns, types, batch.rows, &rows));
    std::string piece;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const std::string row(rows[i]);
      piece += row + "@" + std::to_string(batch.weight(i));
      if (batch.seq) piece += "#" + std::to_string(batch.seq->Value(i));
      if ((net[row] += batch.weight(i)) == 0) net.erase(row);
    }
    pieces.push_back(std::move(piece));
    return Status::OK();
  }
  Status OnRowError(int, const Schema&, const RowError& error) override {
    pieces.push_back(error.reason + "@" + std::to_string(error.weight));
    if ((errors[error.reason] += error.weight) == 0) errors.erase(error.reason);
    return Status::OK();
  }

  std::vector<std::string> pieces;
  std::map<std::string, int64_t> net, errors;

 private:
  const Schema schema_;
  const int fail_at_;
};

struct Play {
  LogicalPtr query;
  const std::vector<Change>* history;
  bool append_only = true;

  Properties Source() const { return {.append_only = append_only, .in_order = append_only}; }

  Status Run(const Cores& cores, Said* said) const {
    Dataflow flow(said, cores);
    LEAT_RETURN(flow.Add(query, [this](const std::string&) { return Source(); }).status());
    int64_t epoch = 0;
    for (const Change& change : *history) {
      LEAT_RETURN(flow.Push(change.relation, change.batch, {}));
      if (change.ends_epoch) LEAT_RETURN(flow.Finish({.number = ++epoch}, {}));
    }
    return flow.Finish({.number = ++epoch}, {});
  }

  // Every epoch in a dataflow of its own, with the cores at hand in turn.
  Status RunRestarting(const std::vector<Cores>& cores, Said* said) const {
    MemoryStore store;
    int64_t epoch = 0;
    auto flow = std::make_unique<Dataflow>(said, cores[0]);
    const SourceProperties source = [this](const std::string&) { return Source(); };
    LEAT_RETURN(flow->Add(query, source).status());
    for (const Change& change : *history) {
      LEAT_RETURN(flow->Push(change.relation, change.batch, {}));
      if (!change.ends_epoch) continue;
      LEAT_RETURN(flow->Finish({.number = ++epoch}, {}));
      store.Begin();
      std::map<std::string, std::unique_ptr<PrefixWriter>> writers;
      LEAT_RETURN(flow->Checkpoint([&](const std::string& name) -> Result<StateWriter*> {
        return (writers[name] = std::make_unique<PrefixWriter>(name + "/", &store)).get();
      }));
      store.Commit();
      flow = std::make_unique<Dataflow>(said, cores[static_cast<size_t>(epoch) % cores.size()]);
      LEAT_RETURN(flow->Add(query, source).status());
      std::map<std::string, std::unique_ptr<PrefixReader>> readers;
      LEAT_RETURN(flow->Restore([&](const std::string& name) -> Result<StateReader*> {
        return (readers[name] = std::make_unique<PrefixReader>(name + "/", &store)).get();
      }));
    }
    return flow->Finish({.number = ++epoch}, {});
  }
};

Cores Small(ThreadPool* pool, int shards) {
  return {.pool = pool, .shards = shards, .round_rows = 25, .threads_rows = 1};
}

TEST(Dataflow, ShardsDoNotChangeTheAnswerNorThreadsItsOrder) {
  ThreadPool two(2), four(4);
  for (const char* sql : kQueries) {
    const LogicalPtr query = PlanOf(sql);
    for (const bool append_only : {true, false}) {
      const auto history = Maker(append_only ? 1 : 2).History(append_only);
      const Play play{query, &history, append_only};
      Said expected(query->schema);
      ASSERT_TRUE(play.Run({}, &expected).ok()) << sql;
      EXPECT_FALSE(expected.net.empty()) << sql;
      for (const int shards : {2, 3}) {
        Said alone(query->schema);
        ASSERT_TRUE(play.Run(Small(nullptr, shards), &alone).ok()) << sql;
        EXPECT_EQ(alone.net, expected.net) << sql << " in " << shards << " shards";
        EXPECT_EQ(alone.errors, expected.errors) << sql << " in " << shards << " shards";
        Said together(query->schema);
        ThreadPool* const pool = shards == 2 ? &four : &two;
        ASSERT_TRUE(play.Run(Small(pool, shards), &together).ok()) << sql;
        EXPECT_EQ(together.pieces, alone.pieces) << sql << " in " << shards << " shards";
      }
    }
  }
}

TEST(Dataflow, ArrivalOrderOutlivesShards) {
  ThreadPool pool(3);
  const LogicalPtr query =
      PlanOf("SELECT k, sum(x) OVER (PARTITION BY k ROWS 2 PRECEDING) FROM t WHERE x > 1");
  const auto history = Maker(3).History(true);
  Said alone(query->schema), together(query->schema);
  const Play play{query, &history};
  ASSERT_TRUE(play.Run({}, &alone).ok());
  ASSERT_TRUE(play.Run(Small(&pool, 3), &together).ok());
  const auto joined = [](const std::vector<std::string>& pieces) {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  };
  EXPECT_EQ(joined(together.pieces), joined(alone.pieces));
}

TEST(Dataflow, AStateKeepsItsShards) {
  ThreadPool two(2), four(4);
  for (const char* sql : kQueries) {
    const LogicalPtr query = PlanOf(sql);
    for (const bool append_only : {true, false}) {
      const auto history = Maker(append_only ? 4 : 5).History(append_only);
      const Play play{query, &history, append_only};
      Said expected(query->schema);
      ASSERT_TRUE(play.Run({}, &expected).ok()) << sql;
      for (const int first : {1, 3}) {
        const std::vector<Cores> cores = {Small(&two, first), Small(&four, 4), Small(nullptr, 1)};
        Said said(query->schema);
        const Status status = play.RunRestarting(cores, &said);
        ASSERT_TRUE(status.ok()) << sql << ": " << status.ToString();
        EXPECT_EQ(said.net, expected.net) << sql << " made with " << first << " shards";
        EXPECT_EQ(said.errors, expected.errors) << sql << " made with " << first << " shards";
      }
    }
  }
}

TEST(Dataflow, AnErrorIsTheSameForAnyThreads) {
  ThreadPool pool(4);
  const LogicalPtr query = PlanOf(kQueries[0]);
  // Rows that are taken back, where the plan was told that none would be.
  const auto history = Maker(6).History(false);
  const Play play{query, &history, true};
  Said alone(query->schema), together(query->schema);
  const Status first = play.Run(Small(nullptr, 3), &alone);
  const Status second = play.Run(Small(&pool, 3), &together);
  EXPECT_FALSE(first.ok());
  EXPECT_EQ(first.ToString(), second.ToString());
  EXPECT_EQ(alone.pieces, together.pieces);
}

TEST(Dataflow, AFailingListenerEndsItAtTheSamePlace) {
  ThreadPool pool(4);
  const LogicalPtr query = PlanOf(kQueries[0]);
  const auto history = Maker(7).History(true);
  const Play play{query, &history};
  for (const int at : {0, 1, 5}) {
    Said alone(query->schema, at), together(query->schema, at);
    EXPECT_TRUE(play.Run(Small(nullptr, 3), &alone).IsIOError());
    EXPECT_TRUE(play.Run(Small(&pool, 3), &together).IsIOError());
    EXPECT_EQ(alone.pieces, together.pieces);
  }
}

TEST(Dataflow, WhatShardsPutOutAheadIsBounded) {
  ThreadPool pool(4);
  const LogicalPtr query = PlanOf(
      "SELECT t.k, u.y, v.y FROM t JOIN u ON t.k = u.k "
      "JOIN u AS v ON v.y = u.y");
  const auto history = Maker(8).History(true);
  const Play play{query, &history};
  Cores cores = Small(&pool, 4);
  Said alone(query->schema), together(query->schema);
  ASSERT_TRUE(play.Run(Small(nullptr, 4), &alone).ok());
  cores.ahead_bytes_max = 1;
  ASSERT_TRUE(play.Run(cores, &together).ok());
  EXPECT_EQ(together.pieces, alone.pieces);
}

TEST(Once, ShardsDoNotChangeTheAnswer) {
  ThreadPool pool(3);
  const auto history = Maker(9).History(true);
  const RelationScan scan = [&](const std::string& relation, const BatchVisitor& visit) -> Status {
    for (const Change& change : history) {
      if (change.relation == relation) LEAT_RETURN(visit(change.batch));
    }
    return Status::OK();
  };
  for (const char* sql : kQueries) {
    const LogicalPtr query = PlanOf(sql);
    const auto play = [&](const Cores& cores, Said* said) {
      return RunOnce(
          query, scan, {}, [&](const Batch& batch) { return said->OnDelta(0, batch); }, cores);
    };
    Said expected(query->schema), alone(query->schema), together(query->schema);
    const Status status = play({}, &expected);
    EXPECT_EQ(play(Small(nullptr, 3), &alone).ToString(), status.ToString()) << sql;
    EXPECT_EQ(play(Small(&pool, 3), &together).ToString(), status.ToString()) << sql;
    if (status.ok()) {
      EXPECT_EQ(alone.net, expected.net) << sql;
    }
    EXPECT_EQ(together.pieces, alone.pieces) << sql;
  }
}

}  // namespace
}  // namespace leat
