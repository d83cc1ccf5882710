// Upserts into a large table of PostgreSQL, an epoch at a time, beside a hand-written COPY and
// INSERT … ON CONFLICT of the same rows into a table like it, by turns on one server; and a first
// load beside a COPY of text.
//
//   connect_bench URL [ROWS = 10000000] [EPOCHS = 50] [ROWS OF AN EPOCH = 10000]
#include <arrow/builder.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>

#include "base/check.h"
#include "connect/connectors.h"
#include "connect/postgres/connection.h"
#include "data/text.h"

namespace leat {
namespace {

constexpr const char* kColumns =
    "id bigint PRIMARY KEY, n integer, amount numeric(12,2), name text, at timestamptz";

double Seconds(const std::function<Status()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const Status done = work();
  if (!done.ok()) fmt::print(stderr, "{}\n", done.ToString());
  LEAT_CHECK(done.ok());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

Schema TheSchema() {
  return {{{"id", TypeId::kInt8},
           {"n", TypeId::kInt4},
           {"amount", Type::Numeric(12, 2)},
           {"name", TypeId::kText},
           {"at", TypeId::kTimestamptz}}};
}

// Rows of one commit, and the same as COPY's text.
struct Rows {
  Batch batch;
  std::string text;
};
Result<Rows> MakeRows(const std::vector<int64_t>& ids, std::mt19937_64* random) {
  arrow::Int64Builder id;
  arrow::Int32Builder n;
  arrow::Decimal128Builder amount(arrow::decimal128(12, 2));
  arrow::StringBuilder name;
  arrow::TimestampBuilder at(ArrowType(TypeId::kTimestamptz), arrow::default_memory_pool());
  for (const int64_t value : ids) {
    LEAT_RETURN(id.Append(value));
    LEAT_RETURN(n.Append(static_cast<int32_t>((*random)() % 1000)));
    LEAT_RETURN(amount.Append(arrow::Decimal128(static_cast<int64_t>((*random)() % 100'000'000))));
    LEAT_RETURN(name.Append(fmt::format("customer {}", (*random)() % 100'000)));
    LEAT_RETURN(
        at.Append(1'700'000'000'000'000 + static_cast<int64_t>((*random)() % 1'000'000'000)));
  }
  Rows rows{.batch = {.rows = static_cast<int64_t>(ids.size())}};
  for (arrow::ArrayBuilder* builder :
       std::initializer_list<arrow::ArrayBuilder*>{&id, &n, &amount, &name, &at}) {
    LEAT_ASSIGN(auto column, builder->Finish());
    rows.batch.columns.push_back(std::move(column));
  }
  const Schema schema = TheSchema();
  for (int64_t row = 0; row < rows.batch.rows; ++row) {
    for (size_t i = 0; i < rows.batch.columns.size(); ++i) {
      if (i > 0) rows.text += '\t';
      AppendText(*rows.batch.columns[i], row, schema.columns[i].type, {}, &rows.text);
    }
    rows.text += '\n';
  }
  return rows;
}

class Bench {
 public:
  Bench(const std::string& url, int64_t rows) : rows_(rows) {
    server_ = {.name = "w", .kind = "database", .options = {{"url", url}}};
  }

  Status Prepare() {
    LEAT_ASSIGN(hand_, PostgresConnection::Open(server_));
    return hand_->Execute(
        fmt::format(
            "SET search_path = public, pg_catalog; DROP TABLE IF EXISTS leat_marks, ours, theirs, "
            "fresh_ours, fresh_theirs; CREATE TABLE ours ({0}); CREATE TABLE theirs ({0}); "
            "CREATE TABLE fresh_theirs ({0}); INSERT INTO ours SELECT i, 0, 1.50, 'nobody', now() "
            "FROM generate_series(1, {1}) i; INSERT INTO theirs TABLE ours; CHECKPOINT; CREATE "
            "TEMPORARY TABLE staged ON COMMIT DELETE ROWS AS TABLE theirs WITH NO DATA",
            kColumns, rows_),
        "prepare");
  }

  Result<std::unique_ptr<Sink>> Open(const std::string& table) {
    Relation relation{.name = table, .kind = RelationKind::kForeign, .options = {{"key", "id"}}};
    LEAT_ASSIGN(auto spec, MakeSinkSpec(server_, relation, TheSchema()));
    spec.state = std::string(32, 'b');
    spec.statement = table;
    LEAT_ASSIGN(auto sink, MakeSink(spec));
    LEAT_RETURN(sink->Open().status());
    return sink;
  }

  Status FirstLoad(int64_t count) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < count; ++i) ids.push_back(i);
    LEAT_ASSIGN(const Rows rows, MakeRows(ids, &random_));
    LEAT_ASSIGN(const auto sink, Open("fresh_ours"));
    const double cpu = CpuSeconds();
    const double ours = Seconds([&]() -> Status {
      LEAT_RETURN(sink->Write(rows.batch));
      return sink->Commit(1);
    });
    const double used = CpuSeconds() - cpu;
    const double theirs = Seconds([&]() -> Status {
      LEAT_RETURN(hand_->BeginCopyIn("COPY fresh_theirs FROM STDIN", "copy"));
      LEAT_RETURN(hand_->PutCopyIn(rows.text));
      return hand_->EndCopyIn().status();
    });
    fmt::print(
        "first load of {} rows: {:.0f} rows/s, {:.2f} s of our CPU; COPY of text {:.0f} rows/s: "
        "{:.2f}x\n",
        count, static_cast<double>(count) / ours, used, static_cast<double>(count) / theirs,
        theirs / ours);
    return Status::OK();
  }

  Status Upserts(int64_t epochs, int64_t each) {
    LEAT_ASSIGN(const auto sink, Open("ours"));
    double ours = 0, theirs = 0, used = 0;
    for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
      std::vector<int64_t> ids;
      // One in ten is new; sorted, as the rows of a commit come.
      while (static_cast<int64_t>(ids.size()) < each) {
        for (int64_t i = static_cast<int64_t>(ids.size()); i < each; ++i) {
          ids.push_back(1 +
                        static_cast<int64_t>(random_() % static_cast<uint64_t>(rows_ * 11 / 10)));
        }
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      }
      LEAT_ASSIGN(const Rows rows, MakeRows(ids, &random_));
      const double cpu = CpuSeconds();
      ours += Seconds([&]() -> Status {
        LEAT_RETURN(sink->Write(rows.batch));
        return sink->Commit(epoch);
      });
      used += CpuSeconds() - cpu;
      theirs += Seconds([&] { return ByHand(rows.text); });
    }
    const auto count = static_cast<double>(epochs * each);
    fmt::print(
        "upserts of {} rows into {}: {:.0f} rows/s, {:.2f} s of our CPU; by hand {:.0f} rows/s: "
        "{:.2f}x\n",
        each, rows_, count / ours, used, count / theirs, theirs / ours);
    return Status::OK();
  }

 private:
  Status ByHand(const std::string& text) {
    LEAT_RETURN(hand_->Execute("BEGIN", "begin"));
    LEAT_RETURN(hand_->BeginCopyIn("COPY staged FROM STDIN", "copy"));
    LEAT_RETURN(hand_->PutCopyIn(text));
    LEAT_RETURN(hand_->EndCopyIn().status());
    LEAT_RETURN(hand_->Execute(
        "INSERT INTO theirs SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET n = excluded.n, "
        "amount = excluded.amount, name = excluded.name, at = excluded.at",
        "insert"));
    return hand_->Execute("COMMIT", "commit");
  }

  const int64_t rows_;
  Server server_;
  std::unique_ptr<PostgresConnection> hand_;
  std::mt19937_64 random_{7};
};

int64_t Number(int count, char** words, int at, int64_t otherwise) {
  return at < count ? std::strtoll(words[at], nullptr, 10) : otherwise;
}

}  // namespace
}  // namespace leat

int main(int count, char** words) {
  if (count < 2) {
    std::fputs("usage: connect_bench URL [ROWS] [EPOCHS] [ROWS OF AN EPOCH]\n", stderr);
    return 2;
  }
  leat::Bench bench(words[1], leat::Number(count, words, 2, 10'000'000));
  LEAT_CHECK(bench.Prepare().ok());
  LEAT_CHECK(bench.FirstLoad(1'000'000).ok());
  LEAT_CHECK(
      bench.Upserts(leat::Number(count, words, 3, 50), leat::Number(count, words, 4, 10'000)).ok());
}
