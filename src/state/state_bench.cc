// What a trace costs that is larger than its memory: filling it, steps of a hundred rows, the
// process's memory, a checkpoint's two halves, opening it again.
// `state_bench DIRECTORY [million entries] [limit in MB] [bytes of a value]`
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>

#include "base/check.h"
#include "state/index.h"
#include "state/memory.h"
#include "state/store.h"

namespace leat {
namespace {

template <typename T>
T Must(Result<T> result) {
  LEAT_CHECK(result.ok(), "{}", result.status().ToString());
  return *std::move(result);
}
void Must(const Status& status) { LEAT_CHECK(status.ok(), "{}", status.ToString()); }

struct Times {
  double wall = 0, cpu = 0;  // seconds
};

template <typename F>
Times Measure(const F& work) {
  const auto now = [] {
    timespec cpu = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    const auto wall = std::chrono::steady_clock::now().time_since_epoch();
    return Times{std::chrono::duration<double>(wall).count(),
                 static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9};
  };
  const Times begin = now();
  work();
  const Times end = now();
  return {end.wall - begin.wall, end.cpu - begin.cpu};
}

struct Delta {
  Strings keys, values;
  std::vector<int64_t> weights;
};

Delta RandomRows(std::mt19937_64* random, uint64_t keys, int64_t rows, size_t value_bytes) {
  Delta delta;
  std::string value(value_bytes, 'v');
  for (int64_t i = 0; i < rows; ++i) {
    const uint64_t number = (*random)() % keys;
    const uint64_t key = __builtin_bswap64(number);
    delta.keys.Append({reinterpret_cast<const char*>(&key), sizeof(key)});
    const uint64_t tail = (*random)();
    value.replace(0, sizeof(tail), reinterpret_cast<const char*>(&tail), sizeof(tail));
    delta.values.Append(value);
    delta.weights.push_back(1);
  }
  return delta;
}

void Report(std::string_view what, std::vector<Times> steps) {
  for (const bool wall : {true, false}) {
    std::vector<double> sorted;
    for (const Times& step : steps) sorted.push_back(wall ? step.wall : step.cpu);
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double share) {
      return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))] * 1e3;
    };
    fmt::print("{:<44} {:<4} median {:7.3f} ms  p99 {:7.3f} ms  worst {:7.3f} ms\n", what,
               wall ? "wall" : "cpu", at(0.5), at(0.99), at(1));
  }
  std::fflush(stdout);
}

struct Setting {
  std::string directory;
  int64_t entries, limit;
  size_t value_bytes;
  uint64_t keys() const { return static_cast<uint64_t>(entries / 4); }
};

class Bench {
 public:
  explicit Bench(Setting setting)
      : set_(std::move(setting)),
        store_(Must(StateStore::Open(PosixFileSystem(), set_.directory))),
        memory_({.limit = set_.limit, .files = store_->files(), .resident = ResidentBytes}),
        scope_(&memory_),
        index_(MakeIndex()) {}

  void Fill() {
    constexpr int64_t kEpoch = 65536;
    double cpu = 0, wall = 0;
    int64_t most = 0;
    for (int64_t done = 0; done < set_.entries; done += kEpoch) {
      const Delta delta = RandomRows(&random_, set_.keys(), kEpoch, set_.value_bytes);
      const Times times =
          Measure([&] { Must(index_->Apply(delta.keys, delta.values, delta.weights)); });
      cpu += times.cpu;
      wall += times.wall;
      most = std::max(most, ResidentBytes());
    }
    const IndexStats stats = index_->stats();
    fmt::print(
        "fill: {} entries, {:.1f} s wall, {:.1f} s cpu; {} MB in memory, {} MB in files, {} runs\n",
        stats.entries, wall, cpu, stats.bytes >> 20, stats.file_bytes >> 20, stats.runs);
    fmt::print("resident at most {} MB of {}\n", most >> 20,
               set_.limit == INT64_MAX ? "any" : std::to_string(set_.limit >> 20));
    std::fflush(stdout);
  }

  void Steps() {
    std::vector<Times> steps;
    int64_t found = 0, most = 0;
    for (int step = 0; step < 5000; ++step) {
      const Delta delta = RandomRows(&random_, set_.keys(), 100, set_.value_bytes);
      const Delta probe = RandomRows(&random_, 2 * set_.keys(), 100, 8);  // half are not there
      steps.push_back(Measure([&] {
        Must(index_->Apply(delta.keys, delta.values, delta.weights));
        Must(index_->Probe(probe.keys, [&](int64_t, std::string_view, int64_t) {
          ++found;
          return Status::OK();
        }));
      }));
      most = std::max(most, ResidentBytes());
    }
    Report("apply 100 rows, probe 100 keys", std::move(steps));
    fmt::print("resident at most {} MB; {} rows found\n", most >> 20, found);
  }

  void Checkpoint(std::string_view what) {
    store_->Begin();
    const auto writer = store_->Writer("trace");
    std::unique_ptr<PendingCheckpoint> pending;
    const Times prepare = Measure([&] {
      Must(index_->Checkpoint(writer.get()));
      pending = store_->Prepare("");
    });
    const Times write = Measure([&] { Must(pending->Commit()); });
    fmt::print("{}: {:.2f} ms to hand over, {:.2f} s ({:.2f} s cpu) to write\n", what,
               prepare.wall * 1e3, write.wall, write.cpu);
  }

  void Reopen() {
    index_ = nullptr;
    const Delta probe = RandomRows(&random_, set_.keys(), 100, 8);
    const Times times = Measure([&] {
      store_ = Must(StateStore::Open(PosixFileSystem(), set_.directory));
      memory_.UseFiles(store_->files());
      index_ = MakeIndex();
      Must(index_->Restore(store_->Reader("trace").get()));
      Must(index_->Probe(probe.keys,
                         [](int64_t, std::string_view, int64_t) { return Status::OK(); }));
    });
    fmt::print("open {} MB of files and probe 100 keys: {:.3f} s\n",
               index_->stats().file_bytes >> 20, times.wall);
  }

 private:
  const Setting set_;
  std::unique_ptr<StateStore> store_;
  StateMemory memory_;
  MemoryScope scope_;
  std::unique_ptr<Index> index_;
  std::mt19937_64 random_{7};
};

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: state_bench DIRECTORY [million entries] [limit in MB] [bytes of a value]\n");
    return 2;
  }
  const int64_t limit = argc > 3 ? std::atoll(argv[3]) : 0;
  leat::Bench bench({.directory = argv[1],
                     .entries = (argc > 2 ? std::atoll(argv[2]) : 10) * 1'000'000,
                     .limit = limit > 0 ? limit << 20 : INT64_MAX,
                     .value_bytes = argc > 4 ? static_cast<size_t>(std::atoll(argv[4])) : 60});
  bench.Fill();
  bench.Steps();
  bench.Checkpoint("the first checkpoint");
  bench.Steps();
  bench.Checkpoint("one after 5,000 steps");
  bench.Reopen();
  bench.Steps();
  return 0;
}
