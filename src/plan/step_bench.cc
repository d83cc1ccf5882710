// What a step costs end to end: SQL to a dataflow, ten million rows of state below a join and an
// aggregate with a maximum, then epochs of a hundred rows, merges of the state included. Both the
// wall's time and the thread's processor time, since a busy machine distorts the first.
// `plan_bench [rows]`
#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>

#include "base/check.h"
#include "plan/dataflow.h"
#include "plan/expand.h"
#include "plan/rules.h"
#include "sql/sql.h"

namespace leat {
namespace {

constexpr int64_t kFillRows = 1 << 20;  // of an epoch while filling
constexpr int64_t kStepRows = 100;
constexpr int64_t kSteps = 2000;
constexpr int64_t kRowsPerClient = 10;

constexpr std::string_view kSql = R"(
  CREATE TABLE clients (client bigint, region int);
  CREATE TABLE loans (client bigint, amount double precision);
  SELECT c.client, c.region, count(*) AS loans, sum(l.amount) AS total, max(l.amount) AS largest
  FROM loans l JOIN clients c ON l.client = c.client GROUP BY c.client, c.region;
)";

template <typename T>
T Must(Result<T> result) {
  LEAT_CHECK(result.ok(), "{}", result.status().ToString());
  return *std::move(result);
}
void Must(const Status& status) { LEAT_CHECK(status.ok(), "{}", status.ToString()); }

struct Times {
  double wall = 0, cpu = 0;  // seconds
};

Times Now() {
  timespec cpu = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(wall).count(),
          static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9};
}

template <typename F>
Times Measure(const F& work) {
  const Times begin = Now();
  work();
  const Times end = Now();
  return {end.wall - begin.wall, end.cpu - begin.cpu};
}

void Report(std::string_view what, const std::vector<Times>& steps) {
  for (const bool wall : {true, false}) {
    std::vector<double> sorted;
    for (const Times& step : steps) sorted.push_back(wall ? step.wall : step.cpu);
    const auto worst = std::max_element(sorted.begin(), sorted.end()) - sorted.begin();
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double share) {
      return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))] * 1e3;
    };
    fmt::print("{:<34} {:<5} median {:7.3f} ms   p99 {:7.3f} ms   worst {:7.3f} ms (step {})\n",
               what, wall ? "wall" : "cpu", at(0.5), at(0.99), at(1), worst);
  }
  std::fflush(stdout);
}

class Counter : public DataflowListener {
 public:
  Status OnDelta(int, const Batch& batch) override {
    rows_ += batch.rows;
    return Status::OK();
  }
  Status OnRowError(int, const Schema&, const RowError& error) override {
    return Status::Invalid(error.reason);
  }
  int64_t rows() const { return rows_; }

 private:
  int64_t rows_ = 0;
};

LogicalPtr PlanOf(std::string_view sql) {
  Catalog catalog;
  for (const auto& statement : Must(ParseSql(sql, {}))) {
    const BoundStatement bound = Must(Bind(*statement, catalog));
    if (const auto* select = std::get_if<Select>(&bound)) {
      return ApplyRules(VisibleColumns(select->query));
    }
    Must(catalog.AddRelation(std::get<CreateRelation>(bound).relation));
  }
  LEAT_CHECK(false, "no SELECT in the text");
}

class Bench {
 public:
  explicit Bench(int64_t rows) : rows_(rows), clients_(rows / kRowsPerClient), flow_(&counter_) {
    Must(flow_.Add(PlanOf(kSql), [](const std::string&) { return Properties(); }));
  }

  void Fill() {
    const Times taken = Measure([&] {
      for (int64_t first = 0; first < clients_; first += kFillRows) {
        Push("clients", Clients(first, std::min(kFillRows, clients_ - first)));
        Finish();
      }
      for (int64_t first = 0; first < rows_; first += kFillRows) {
        Push("loans", Loans(std::min(kFillRows, rows_ - first)));
        Finish();
      }
    });
    int64_t bytes = 0;
    for (const auto& node : flow_.Report()) bytes += node.stats.state_bytes;
    fmt::print("{:<34} wall {:.1f} s, cpu {:.1f} s, {} MB of state\n", "fill", taken.wall,
               taken.cpu, bytes >> 20);
  }

  void Inserts() {
    Steps("insert 100 rows", [this] { return Loans(kStepRows); });
  }

  // The rows of a step go in the next one, half of which are the largest of their group.
  void Updates() {
    Batch last = Loans(kStepRows, 1e9);
    Push("loans", last);
    Finish();
    Steps("take 50 rows back, insert 50", [&] {
      Batch next = Loans(kStepRows / 2, 1e9);
      const Batch gone = Must(Negate(Slice(last, 0, kStepRows / 2)));
      last = next;
      return Must(Concatenate(LoansSchema(), {gone, next}));
    });
  }

 private:
  template <typename F>
  void Steps(std::string_view what, const F& make) {
    std::vector<Times> times;
    for (int64_t step = 0; step < kSteps; ++step) {
      const Batch batch = make();
      times.push_back(Measure([&] {
        Push("loans", batch);
        Finish();
      }));
    }
    Report(what, times);
  }

  void Push(const std::string& relation, const Batch& batch) {
    Must(flow_.Push(relation, batch, context_));
  }
  void Finish() { Must(flow_.Finish({.number = ++epoch_}, context_)); }

  static Schema LoansSchema() {
    return {.columns = {{.name = "client", .type = TypeId::kInt8},
                        {.name = "amount", .type = TypeId::kFloat8}}};
  }

  Batch Clients(int64_t first, int64_t rows) {
    arrow::Int64Builder client;
    arrow::Int32Builder region;
    for (int64_t i = first; i < first + rows; ++i) {
      Must(client.Append(i));
      Must(region.Append(static_cast<int32_t>(i % 100)));
    }
    return WithSeq({.rows = rows, .columns = {Must(client.Finish()), Must(region.Finish())}});
  }

  Batch Loans(int64_t rows, double more = 0) {
    arrow::Int64Builder client;
    arrow::DoubleBuilder amount;
    for (int64_t i = 0; i < rows; ++i) {
      Must(client.Append(static_cast<int64_t>(random_() % static_cast<uint64_t>(clients_))));
      Must(amount.Append(more + static_cast<double>(random_() % 100000) / 8));
    }
    return WithSeq({.rows = rows, .columns = {Must(client.Finish()), Must(amount.Finish())}});
  }

  Batch WithSeq(Batch batch) {
    arrow::Int64Builder seq;
    for (int64_t i = 0; i < batch.rows; ++i) Must(seq.Append(seq_++));
    batch.seq = std::static_pointer_cast<arrow::Int64Array>(Must(seq.Finish()));
    return batch;
  }

  const int64_t rows_, clients_;
  Counter counter_;
  Dataflow flow_;
  const EvalContext context_;
  std::mt19937_64 random_{1};
  int64_t epoch_ = 0, seq_ = 0;
};

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
  leat::Bench bench(argc > 1 ? std::atoll(argv[1]) : 10'000'000);
  bench.Fill();
  bench.Inserts();
  bench.Updates();
  return 0;
}
