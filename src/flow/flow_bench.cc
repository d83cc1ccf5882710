// What a step costs over a large state, and the day job's aggregate: processor time of the one
// thread that does it, which a busy machine distorts least. `flow_bench [rows]`, ten million by
// default.
#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>

#include "base/check.h"
#include "flow/operators.h"

namespace leat {
namespace {

double ThreadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Sink : public Output {
 public:
  Status Emit(Batch batch) override {
    rows_ += batch.rows;
    return Status::OK();
  }
  Status Reject(RowError error) override { return Status::Invalid(error.reason); }
  int64_t rows_ = 0;
};

template <typename T>
T Must(Result<T> result) {
  LEAT_CHECK(result.ok(), "{}", result.status().ToString());
  return *std::move(result);
}
void Must(const Status& status) { LEAT_CHECK(status.ok(), "{}", status.ToString()); }

template <typename F>
double Time(const F& work) {
  const double begin = ThreadSeconds();
  work();
  return ThreadSeconds() - begin;
}

template <typename Builder, typename F>
std::shared_ptr<arrow::Array> Column(Builder&& builder, int64_t rows, const F& value) {
  for (int64_t i = 0; i < rows; ++i) Must(builder.Append(value(i)));
  return Must(builder.Finish());
}

Schema SchemaOf(const std::vector<Type>& types) {
  Schema schema;
  for (const Type& type : types) schema.columns.push_back({.name = "c", .type = type});
  return schema;
}

AggregateCall CallOf(const char* name, int column, const Type& type) {
  std::vector<ExprPtr> args;
  std::vector<Type> types;
  if (column >= 0) {
    args.push_back(ColumnExpr(column, type));
    types.push_back(type);
  }
  const ResolvedAggregate resolved = Must(ResolveAggregate(name, types, -1));
  AggregateCall call;
  call.aggregate = resolved.aggregate;
  call.args = std::move(args);
  call.result = resolved.result;
  return call;
}

// Rows of a key below `keys` and a value.
Batch KeyedRows(std::mt19937_64* random, int64_t first, int64_t rows, int64_t keys) {
  Batch batch;
  batch.rows = rows;
  batch.columns.push_back(Column(arrow::Int64Builder(), rows, [&](int64_t i) {
    return first >= 0 ? first + i : static_cast<int64_t>((*random)() % static_cast<uint64_t>(keys));
  }));
  batch.columns.push_back(Column(arrow::DoubleBuilder(), rows, [&](int64_t) {
    return static_cast<double>((*random)() % 100000) / 8;
  }));
  return batch;
}

void Report(const char* what, std::vector<double> steps) {
  const auto worst = std::max_element(steps.begin(), steps.end()) - steps.begin();
  std::sort(steps.begin(), steps.end());
  const auto at = [&](double share) {
    return steps[static_cast<size_t>(share * static_cast<double>(steps.size() - 1))] * 1e3;
  };
  fmt::print("{:<46} median {:7.3f} ms   p99 {:7.3f} ms   worst {:7.3f} ms (step {})\n", what,
             at(0.5), at(0.99), at(1), worst);
  std::fflush(stdout);
}

// Fills port `port` with rows 0, 1, 2, … in one epoch.
void Fill(Operator* op, int port, int64_t rows, Sink* sink) {
  constexpr int64_t kBatch = 65536;
  std::mt19937_64 random(1);
  for (int64_t first = 0; first < rows; first += kBatch) {
    Must(op->Push(port, KeyedRows(&random, first, std::min(kBatch, rows - first), rows), {}, sink));
  }
}

void Steps(const char* what, Operator* op, int port, int64_t keys, int64_t steps, int64_t rows) {
  std::mt19937_64 random(2);
  std::vector<double> times;
  Sink sink;
  for (int64_t step = 0; step < steps; ++step) {
    const Batch batch = KeyedRows(&random, -1, rows, keys);
    times.push_back(Time([&] {
      Must(op->Push(port, batch, {}, &sink));
      Must(op->Finish({.number = step + 2}, {}, &sink));
    }));
  }
  Report(what, std::move(times));
}

void BenchIndex(int64_t rows) {
  const auto index = MakeIndex();
  std::mt19937_64 random(3);
  const auto fill = [&](Strings* keys, Strings* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t key = __builtin_bswap64(random() % static_cast<uint64_t>(rows));
      keys->Append(std::string("\x01") + std::string(reinterpret_cast<const char*>(&key), 8));
      values->Append(std::string(reinterpret_cast<const char*>(&key), 8));
    }
  };
  {
    Strings keys, values;
    fill(&keys, &values, rows);
    const std::vector<int64_t> ones(static_cast<size_t>(rows), 1);
    fmt::print("{:<46} {:.2f} s", "index: bulk load",
               Time([&] { Must(index->Apply(keys, values, ones)); }));
    fmt::print(", {} MB\n", index->stats().bytes >> 20);
  }
  std::vector<double> times, scans;
  const std::vector<int64_t> ones(100, 1);
  for (int step = 0; step < 20000; ++step) {
    Strings keys, values, probed, none;
    fill(&keys, &values, 100);
    fill(&probed, &none, 100);
    times.push_back(Time([&] {
      Must(index->Apply(keys, values, ones));
      Must(index->Probe(probed, [](int64_t, std::string_view, int64_t) { return Status::OK(); }));
    }));
    if (step % 10 != 0) continue;
    scans.push_back(Time([&] {
      for (int64_t i = 0; i < 100; ++i) {
        Must(index->Scan(probed[i], "", false, [](std::string_view, std::string_view, int64_t) {
          return Result<bool>(false);
        }));
      }
    }));
  }
  Report("index: apply 100 rows, probe 100 keys", std::move(times));
  Report("index: 100 scans to their first entry", std::move(scans));
  fmt::print("{:<46} {} runs, {} MB\n", "", index->stats().runs, index->stats().bytes >> 20);
}

AggregateSpec KeyedAggregate(bool append_only) {
  AggregateSpec spec;
  spec.input = SchemaOf({TypeId::kInt8, TypeId::kFloat8});
  spec.keys = {ColumnExpr(0, TypeId::kInt8)};
  spec.calls = {CallOf("count", -1, {}), CallOf("sum", 1, TypeId::kFloat8)};
  if (!append_only) spec.calls.push_back(CallOf("max", 1, TypeId::kFloat8));
  spec.output = SchemaOf({TypeId::kInt8, TypeId::kInt8, TypeId::kFloat8, TypeId::kFloat8});
  if (append_only) spec.output.columns.pop_back();
  spec.properties.append_only = append_only;
  return spec;
}

void BenchAggregate(int64_t rows, bool append_only) {
  const auto op = Must(MakeAggregate(KeyedAggregate(append_only)));
  Sink sink;
  const double filled = Time([&] {
    Fill(op.get(), 0, rows, &sink);
    Must(op->Finish({.number = 1}, {}, &sink));
  });
  fmt::print("{:<46} {:.2f} s, {} MB\n", "aggregate: fill, a group per row", filled,
             op->stats().state_bytes >> 20);
  Steps(append_only ? "aggregate: count, sum; 100 rows"
                    : "aggregate: count, sum, max under retraction; 100 rows",
        op.get(), 0, rows, 5000, 100);
}

void BenchJoin(int64_t rows) {
  JoinSpec spec;
  spec.left = spec.right = SchemaOf({TypeId::kInt8, TypeId::kFloat8});
  spec.left_keys = spec.right_keys = {ColumnExpr(0, TypeId::kInt8)};
  const auto op = Must(MakeJoin(std::move(spec)));
  Sink sink;
  const double filled = Time([&] {
    Fill(op.get(), 1, rows, &sink);
    Must(op->Finish({.number = 1}, {}, &sink));
  });
  fmt::print("{:<46} {:.2f} s, {} MB\n", "join: fill the right side", filled,
             op->stats().state_bytes >> 20);
  Steps("join: 100 rows on the left", op.get(), 0, rows, 5000, 100);
  Steps("join: 100 rows on the right", op.get(), 1, rows, 5000, 100);
}

// SELECT date, state, count(*), avg(a), min(a), max(a), avg(b) … GROUP BY date, state
void BenchDay(int64_t rows, bool dictionary) {
  AggregateSpec spec;
  spec.input = SchemaOf({TypeId::kDate, Type::Char(2), TypeId::kFloat8, TypeId::kFloat8});
  spec.keys = {ColumnExpr(0, TypeId::kDate), ColumnExpr(1, Type::Char(2))};
  spec.calls = {CallOf("count", -1, {}), CallOf("avg", 2, TypeId::kFloat8),
                CallOf("min", 2, TypeId::kFloat8), CallOf("max", 2, TypeId::kFloat8),
                CallOf("avg", 3, TypeId::kFloat8)};
  spec.output = SchemaOf({TypeId::kDate, Type::Char(2), TypeId::kInt8, TypeId::kFloat8,
                          TypeId::kFloat8, TypeId::kFloat8, TypeId::kFloat8});
  spec.properties.append_only = spec.properties.in_order = true;
  const auto op = Must(MakeAggregate(spec));
  std::mt19937_64 random(4);
  std::vector<Batch> batches;
  constexpr int64_t kBatch = 65536;
  for (int64_t first = 0; first < rows; first += kBatch) {
    Batch batch;
    batch.rows = std::min(kBatch, rows - first);
    batch.columns.push_back(Column(arrow::Date32Builder(), batch.rows, [&](int64_t i) {
      return static_cast<int32_t>(14000 + (first + i) * 3000 / rows);
    }));
    const auto state = [&](int64_t) {
      const auto n = random() % 51;
      return std::string{static_cast<char>('A' + n / 8), static_cast<char>('A' + n % 8)};
    };
    batch.columns.push_back(dictionary
                                ? Column(arrow::StringDictionary32Builder(), batch.rows, state)
                                : Column(arrow::StringBuilder(), batch.rows, state));
    for (int i = 0; i < 2; ++i) {
      batch.columns.push_back(Column(arrow::DoubleBuilder(), batch.rows, [&](int64_t) {
        return static_cast<double>(random() % 4000000) / 100;
      }));
    }
    batches.push_back(std::move(batch));
  }
  Sink sink;
  const double taken = Time([&] {
    for (const Batch& batch : batches) Must(op->Push(0, batch, {}, &sink));
    Must(op->Finish({.number = 1}, {}, &sink));
  });
  fmt::print("{:<46} {:.3f} s, {} groups\n",
             dictionary ? "day: 3M rows, text as a dictionary" : "day: 3M rows, plain text", taken,
             sink.rows_);
}

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 10'000'000;
  leat::BenchDay(3'000'000, true);
  leat::BenchDay(3'000'000, false);
  leat::BenchIndex(rows);
  leat::BenchAggregate(rows, true);
  leat::BenchAggregate(rows, false);
  leat::BenchJoin(rows);
  return 0;
}
