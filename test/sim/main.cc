// leat_sim: plays pipelines from seeds, with crashes and failures everywhere, and tells of the
// first promise that was broken.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "test/sim/play.h"

namespace {

struct Flags {
  uint64_t seed = 1;
  int64_t seeds = 1000;
  int64_t lives = 6;
  int64_t trace_lines = 60;
  bool verbose = false, keep_going = false;
};

void Tell(const Flags& flags, uint64_t seed, const leat::sim::Outcome& outcome) {
  fmt::print("seed {}: {}\n", seed, outcome.complaint);
  leat::sim::PlayOptions again{.trace = true, .lives_max = flags.lives};
  const auto told = leat::sim::Play(seed, again);
  if (told.complaint != outcome.complaint) {
    fmt::print("  played again: {}\n  the play is not what its seed says\n", told.complaint);
  }
  const auto lines = static_cast<int64_t>(told.trace.size());
  fmt::print("  {}\n", outcome.sql);
  for (int64_t i = flags.verbose ? 0 : std::max<int64_t>(0, lines - flags.trace_lines); i < lines;
       ++i) {
    fmt::print("  {}\n", told.trace[static_cast<size_t>(i)]);
  }
  fmt::print("again: leat_sim --seed {} --seeds 1 --lives {} --verbose\n", seed, flags.lives);
}

int Run(const Flags& flags) {
  const auto start = std::chrono::steady_clock::now();
  leat::sim::Outcome sum;
  int64_t failed = 0;
  const leat::sim::PlayOptions options{.lives_max = flags.lives};
  for (int64_t i = 0; i < flags.seeds; ++i) {
    const uint64_t seed = flags.seed + static_cast<uint64_t>(i);
    const auto outcome = leat::sim::Play(seed, options);
    sum.lives += outcome.lives;
    sum.kills += outcome.kills;
    sum.crashes += outcome.crashes;
    sum.failures += outcome.failures;
    sum.rows += outcome.rows;
    sum.commits += outcome.commits;
    sum.checks += outcome.checks;
    if (outcome.complaint.empty()) continue;
    if (flags.keep_going)
      fmt::print("seed {}: {}\n", seed, outcome.complaint);
    else
      Tell(flags, seed, outcome);
    std::fflush(stdout);
    ++failed;
    if (!flags.keep_going) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print(
      "{} seeds from {}: {} lives, {} kills, {} power cuts, {} failures, {} rows, {} commits, {} "
      "checks, "
      "{:.1f} s\n",
      flags.seeds, flags.seed, sum.lives, sum.kills, sum.crashes, sum.failures, sum.rows,
      sum.commits, sum.checks, took.count());
  if (failed > 0) fmt::print("{} seeds failed\n", failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("plays the engine from seeds, with crashes and failures everywhere");
  Flags flags;
  app.add_option("--seed", flags.seed, "the first seed (1)");
  app.add_option("--seeds", flags.seeds, "how many (1000)");
  app.add_option("--lives", flags.lives, "how often a process may die, per seed (6)");
  app.add_flag("--keep-going", flags.keep_going, "name all seeds that fail");
  app.add_flag("--verbose", flags.verbose, "show the whole play of a seed that fails");
  CLI11_PARSE(app, argc, argv);
  return Run(flags);
}
