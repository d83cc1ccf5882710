// What stands and moves with the clock says at every moment what a query asked then would: random
// expressions, rows and clocks, and the dataflow's own word on when it must be looked at again.
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "data/date.h"
#include "data/key.h"
#include "plan/dataflow.h"
#include "plan/expand.h"
#include "plan/once.h"
#include "plan/rules.h"
#include "sql/sql.h"
#include "state/memory_store.h"

namespace leat {
namespace {

constexpr Micros kBegin = 1'708'900'000'000'000;  // 2024-02-25 22:26:40 UTC: a leap day is near

Result<LogicalPtr> PlanOf(const std::string& query, const std::string& zone) {
  Catalog catalog;
  catalog.Set("timezone", zone);
  const std::string sql =
      "CREATE TABLE t (a integer, d date, ts timestamp, tz timestamptz, i interval);"
      "CREATE TABLE u (k integer, at timestamptz);" +
      query;
  LEAT_ASSIGN(const auto statements, ParseSql(sql, {}));
  for (const auto& statement : statements) {
    LEAT_ASSIGN(const BoundStatement bound, Bind(*statement, catalog));
    if (const auto* select = std::get_if<Select>(&bound)) {
      return ApplyRules(VisibleColumns(select->query));
    }
    LEAT_RETURN(catalog.AddRelation(std::get<CreateRelation>(bound).relation));
  }
  return Status::Invalid("no query");
}

class Writer {
 public:
  explicit Writer(leat::Random* random) : random_(*random) {}

  std::string Pick(std::initializer_list<const char*> from) {
    return from.begin()[random_() % from.size()];
  }
  std::string Interval() {
    return "interval '" +
           Pick({"1 day", "30 days", "1 month", "13 months", "90 minutes",
                 "1 month -3 days 2 hours", "0.000001 seconds", "-2 days", "0"}) +
           "'";
  }
  std::string Unit() { return Pick({"minute", "hour", "day", "week", "month", "quarter", "year"}); }
  std::string Clock(int depth = 2) {
    if (depth == 0) return Pick({"now()", "current_timestamp", "current_date", "localtimestamp"});
    switch (random_() % 5) {
      case 0:
        return fmt::format("({} - {})", Clock(depth - 1), Interval());
      case 1:
        return fmt::format("({} + {})", Clock(depth - 1), Interval());
      case 2:
        return fmt::format("date_trunc('{}', {})", Unit(), Clock(depth - 1));
      case 3:
        return fmt::format("({})::{}", Clock(depth - 1),
                           Pick({"date", "timestamp", "timestamptz"}));
      default:
        return Clock(depth - 1);
    }
  }
  std::string Compare() { return Pick({"<", "<=", ">", ">=", "=", "<>", "IS DISTINCT FROM"}); }
  std::string Condition(int depth = 2) {
    if (depth > 0 && random_() % 2 == 0) {
      switch (random_() % 5) {
        case 0:
          return fmt::format("NOT ({})", Condition(depth - 1));
        case 1:
          return fmt::format("({}) OR ({})", Condition(depth - 1), Condition(depth - 1));
        case 2:
          return fmt::format("CASE WHEN {} THEN {} ELSE {} END", Condition(depth - 1),
                             Condition(depth - 1), Condition(depth - 1));
        case 3:
          return fmt::format("({}) IS NULL", Condition(depth - 1));
        default:
          return fmt::format("({}) AND ({})", Condition(depth - 1), Condition(depth - 1));
      }
    }
    switch (random_() % 8) {
      case 0:
        return fmt::format("now() - tz {} {}", Compare(), random_() % 2 ? Interval() : "i");
      case 1:
        return fmt::format("tz - now() {} {}", Compare(), Interval());
      case 2:
        return fmt::format("{} {} a", "current_date - d", Compare());
      case 3:
        return fmt::format("age(tz) {} {}", Compare(), Interval());
      case 4:
        return fmt::format("extract({} from {}) {} a", Unit(), Clock(), Compare());
      case 5:
        return fmt::format("a {} 3", Compare());
      case 6:
        return fmt::format("{} {} {} + i", Clock(), Compare(), Pick({"ts", "tz"}));
      default:
        return fmt::format("{} {} {}", Pick({"d", "ts", "tz"}), Compare(), Clock());
    }
  }
  std::string Query() {
    switch (random_() % 6) {
      case 0:
        return fmt::format("SELECT a, {}, current_date - d FROM t WHERE {}", Condition(),
                           Condition());
      case 1:
        return fmt::format("SELECT a, count(*), count(*) FILTER (WHERE {}) FROM t GROUP BY a",
                           Condition());
      case 2:
        return fmt::format("SELECT count(*) FROM t WHERE {}", Condition());
      case 3:
        return fmt::format("SELECT t.a, u.k FROM t {} JOIN u ON t.a = u.k AND ({}) AND u.at < {}",
                           Pick({"", "LEFT", "FULL"}), Condition(1), Clock());
      case 4:
        return fmt::format("SELECT a, tz, rank() OVER (PARTITION BY {} ORDER BY a, tz) FROM t",
                           Condition());
      default:
        return fmt::format("SELECT * FROM t WHERE {}", Condition());
    }
  }

 private:
  leat::Random& random_;
};

struct TimedRow {
  int64_t seq = 0;
  int64_t a = 0;
  Micros at = 0;
  bool null = false;
  int32_t days = 0;
  auto operator<=>(const TimedRow&) const = default;
};
using TimedChanges = std::vector<std::pair<TimedRow, int64_t>>;

Batch BatchOf(const TimedChanges& changes, bool t) {
  arrow::Int32Builder a;
  arrow::Date32Builder d;
  arrow::TimestampBuilder ts(ArrowType(TypeId::kTimestamp), arrow::default_memory_pool());
  arrow::TimestampBuilder tz(ArrowType(TypeId::kTimestamptz), arrow::default_memory_pool());
  arrow::MonthDayNanoIntervalBuilder i;
  arrow::Int64Builder seq, weight;
  for (const auto& [row, w] : changes) {
    EXPECT_TRUE(a.Append(static_cast<int32_t>(row.a)).ok());
    EXPECT_TRUE(i.Append({row.days / 30, row.days, 1000 * row.days}).ok());
    EXPECT_TRUE(seq.Append(row.seq).ok() && weight.Append(w).ok());
    if (row.null) {
      EXPECT_TRUE(d.AppendNull().ok() && ts.AppendNull().ok() && tz.AppendNull().ok());
      continue;
    }
    EXPECT_TRUE(d.Append(static_cast<int32_t>(DaysOf(row.at))).ok());
    EXPECT_TRUE(ts.Append(row.at).ok() && tz.Append(row.at).ok());
  }
  const auto finish = [](auto* builder) { return builder->Finish().ValueOrDie(); };
  Batch batch{.rows = std::ssize(changes)};
  batch.columns = {finish(&a)};
  if (t) batch.columns.insert(batch.columns.end(), {finish(&d), finish(&ts)});
  batch.columns.push_back(finish(&tz));
  if (t) batch.columns.push_back(finish(&i));
  batch.seq = std::static_pointer_cast<arrow::Int64Array>(finish(&seq));
  batch.weights = std::static_pointer_cast<arrow::Int64Array>(finish(&weight));
  return batch;
}

class Net : public DataflowListener {
 public:
  explicit Net(const Schema& schema) {
    for (const Column& column : schema.columns) types_.push_back(column.type);
  }
  Status OnDelta(int, const Batch& batch) override {
    Strings rows;
    LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &rows));
    for (int64_t i = 0; i < batch.rows; ++i) Add(std::string(rows[i]), batch.weight(i));
    return Status::OK();
  }
  Status OnRowError(int, const Schema&, const RowError& error) override {
    Add("error " + error.reason, error.weight);
    return Status::OK();
  }
  const std::map<std::string, int64_t>& rows() const { return rows_; }

 private:
  void Add(const std::string& row, int64_t weight) {
    if ((rows_[row] += weight) == 0) rows_.erase(row);
  }
  std::vector<Type> types_;
  std::map<std::string, int64_t> rows_;
};

class ClockPlay {
 public:
  ClockPlay(LogicalPtr plan, LogicalPtr standing, std::string zone, leat::Random* random)
      : plan_(std::move(plan)),
        standing_(std::move(standing)),
        zone_(std::move(zone)),
        random_(*random),
        net_(plan_->schema) {
    Make();
  }

  void Run() {
    for (int epoch = 1; epoch <= 20 && !testing::Test::HasFailure(); ++epoch) {
      now_ = NextClock();
      for (const bool t : {true, false}) {
        const TimedChanges changes = SomeChanges(t ? &t_ : &u_);
        for (size_t i = 0; i < changes.size(); ++i) {
          const Batch batch = BatchOf({changes[i]}, t);
          const Status pushed = flow_->Push(t ? "t" : "u", batch, Eval());
          if (pushed.IsInvalid() || SqlErrorOf(pushed) != nullptr)
            return;  // extract(minute from date)
          ASSERT_TRUE(pushed.ok()) << pushed;
        }
      }
      const Status finished = flow_->Finish({.number = epoch, .clock = now_}, Eval());
      ASSERT_TRUE(finished.ok()) << finished;
      ASSERT_GT(flow_->Due(), now_);
      Compare();
      if (random_() % 6 == 0) Restart();
    }
  }

 private:
  EvalContext Eval() const { return {.now = now_, .timezone = zone_}; }

  void Make() {
    flow_ = std::make_unique<Dataflow>(&net_, Cores{.shards = random_() % 2 ? 3 : 1});
    const auto any = [](const std::string&) { return Properties{}; };
    const auto added = flow_->Add(standing_, any);
    ASSERT_TRUE(added.ok()) << added.status();
  }

  // To just before, at or after what is due, or anywhere.
  Micros NextClock() {
    const Micros due = flow_->Due() == INT64_MAX ? now_ : flow_->Due();
    const auto some = [&](Micros most) {
      return static_cast<Micros>(random_() % static_cast<uint64_t>(most));
    };
    switch (random_() % 7) {
      case 0:
        return now_ + some(2);
      case 1:
        return std::max(now_, due - 1);
      case 2:
      case 3:
        return std::max(now_, due);
      case 4:
        return std::max(now_, due + 1);
      case 5:
        return now_ + some(3 * kMicrosPerHour);
      default:
        return now_ + some(random_() % 4 == 0 ? 400 * kMicrosPerDay : 4 * kMicrosPerDay);
    }
  }

  TimedChanges SomeChanges(std::vector<TimedRow>* present) {
    TimedChanges changes;
    for (uint64_t n = random_() % 5; n > 0; --n) {
      if (!present->empty() && random_() % 3 == 0) {
        const size_t at = random_() % present->size();
        changes.push_back({(*present)[at], -1});
        present->erase(present->begin() + static_cast<ptrdiff_t>(at));
        continue;
      }
      constexpr Micros kSpans[] = {2, kMicrosPerHour, 3 * kMicrosPerDay, 70 * kMicrosPerDay};
      const auto span = static_cast<uint64_t>(kSpans[random_() % 4]);
      TimedRow row{.seq = ++seq_, .a = static_cast<int64_t>(random_() % 7)};
      row.at = now_ + static_cast<Micros>(random_() % (2 * span)) - static_cast<Micros>(span);
      if (random_() % 3 == 0) row.at -= row.at % kMicrosPerDay;
      row.null = random_() % 8 == 0;
      row.days = static_cast<int32_t>(random_() % 70);
      present->push_back(row);
      changes.push_back({row, 1});
    }
    return changes;
  }

  void Compare() {
    Net expected(plan_->schema);
    const auto scan = [&](const std::string& name, const BatchVisitor& visit) {
      TimedChanges rows;
      for (const TimedRow& row : name == "t" ? t_ : u_) rows.push_back({row, 1});
      return rows.empty() ? Status::OK() : visit(BatchOf(rows, name == "t"));
    };
    const Status status = RunOnce(plan_, scan, Eval(),
                                  [&](const Batch& batch) { return expected.OnDelta(0, batch); });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(net_.rows(), expected.rows()) << "at " << now_;
  }

  void Restart() {
    store_.Begin();
    std::map<std::string, std::unique_ptr<PrefixWriter>> writers;
    ASSERT_TRUE(flow_
                    ->Checkpoint([&](const std::string& name) -> Result<StateWriter*> {
                      writers[name] = std::make_unique<PrefixWriter>(name + "/", &store_);
                      return writers[name].get();
                    })
                    .ok());
    store_.Commit();
    Make();
    std::map<std::string, std::unique_ptr<PrefixReader>> readers;
    ASSERT_TRUE(flow_
                    ->Restore([&](const std::string& name) -> Result<StateReader*> {
                      readers[name] = std::make_unique<PrefixReader>(name + "/", &store_);
                      return readers[name].get();
                    })
                    .ok());
  }

  const LogicalPtr plan_, standing_;
  const std::string zone_;
  leat::Random& random_;
  Net net_;
  MemoryStore store_;
  std::unique_ptr<Dataflow> flow_;
  std::vector<TimedRow> t_, u_;
  Micros now_ = kBegin;
  int64_t seq_ = 0;
};

TEST(MoveWithClock, SaysAtEveryMomentWhatTheQueryWould) {
  int moving = 0;
  for (uint64_t seed = 1; seed <= 150 && !HasFailure(); ++seed) {
    leat::Random random(seed);
    Writer writer(&random);
    const std::string zone =
        writer.Pick({"UTC", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"});
    const std::string query = writer.Query();
    SCOPED_TRACE(fmt::format("seed {} in {}: {}", seed, zone, query));
    const auto plan = PlanOf(query, zone);
    if (!plan.ok()) continue;  // not all of the grammar has types that compare
    const auto standing = MoveWithClock(*plan);
    if (!standing.ok()) continue;
    ++moving;
    ClockPlay(*plan, *standing, zone, &random).Run();
  }
  EXPECT_GT(moving, 70) << "most of the grammar should stand";
}

std::string StandingOf(const std::string& query) {
  const auto moved = MoveWithClock(PlanOf(query, "UTC").ValueOrDie());
  return moved.ok() ? ToString(**moved) : moved.status().message();
}

TEST(MoveWithClock, RefusesWhatChangesAllTheTime) {
  for (const char* query :
       {"SELECT now() FROM t", "SELECT now() - tz FROM t", "SELECT a FROM t WHERE tz * 2 > now()",
        "SELECT a FROM t WHERE extract(epoch from now()) > a", "SELECT localtime FROM t",
        "SELECT count(*) FROM t GROUP BY now() - tz",
        "SELECT t.a FROM t LEFT JOIN u ON t.tz < u.at - (now() - t.tz)"}) {
    const auto plan = PlanOf(query, "UTC");
    if (!plan.ok()) continue;
    const auto moved = MoveWithClock(*plan);
    EXPECT_FALSE(moved.ok()) << query << "\n" << ToString(**moved);
    const SqlError* error = SqlErrorOf(moved.status());
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->sqlstate, "0A000");
    EXPECT_FALSE(error->hint.empty()) << query;
  }
}

TEST(MoveWithClock, LeavesAloneWhatDoesNotReadTheClock) {
  const auto plan =
      PlanOf("SELECT a, count(*) FROM t JOIN u ON a = k GROUP BY a", "UTC").ValueOrDie();
  EXPECT_EQ(MoveWithClock(plan).ValueOrDie()->kind, plan->kind);
  EXPECT_EQ(ToString(*MoveWithClock(plan).ValueOrDie()), ToString(*plan));
}

TEST(MoveWithClock, KeepsOfARowWhatIsShownOfIt) {
  EXPECT_EQ(
      StandingOf("SELECT sum(a) FROM t WHERE tz > now() - interval '1 day'"),
      "Aggregate sum(a) AS sum\n"
      "  Moving a WHERE (tz > (now() - '1 day'::interval))\n"
      "    Project a, tz\n"
      "      Scan t (a integer, d date, ts timestamp without time zone, tz timestamp with time "
      "zone, i interval)\n");
}

}  // namespace
}  // namespace leat
