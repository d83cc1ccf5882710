// leat test: plays sqllogictest files in every way that must not change the answer.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "base/file_system.h"
#include "cli/command.h"
#include "plan/rules.h"
#include "run/slt_run.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

struct TestFlags {
  std::vector<std::string> files;
  std::vector<std::string> ways = {"all"};
  std::optional<uint64_t> seed;
  int jobs = 0;
  bool update = false;
  std::string env;
  std::string without_rule;
};

// Directories stand for the .slt files in them.
std::vector<std::string> FilesOf(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const size_t before = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.path().extension() == ".slt") files.push_back(entry.path().string());
    }
    std::sort(files.begin() + static_cast<int64_t>(before), files.end());
  }
  return files;
}

Result<std::vector<Way::Cut>> WaysOf(const std::vector<std::string>& names) {
  const auto all = IncrementalWays();
  std::vector<Way::Cut> ways;
  for (const std::string& name : names) {
    if (name == "all") return all;
    if (name == NameOf(Way::Cut::kPlain)) continue;
    const auto way =
        std::find_if(all.begin(), all.end(), [&](Way::Cut cut) { return name == NameOf(cut); });
    if (way == all.end()) {
      return SqlStatus(
          fmt::format("unknown way \"{}\"", name),
          {.hint =
               "There are plain, whole, rows, random, retract, restart, threads, once-threads and "
               "all."});
    }
    ways.push_back(*way);
  }
  return ways;
}

void Indent(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) fmt::print("    {}\n", line);
}

void Print(const SltReport& report, uint64_t seed) {
  for (const SltFailure& failure : report.failures) {
    const char* way = NameOf(failure.way.cut);
    const bool plain = failure.way.cut == Way::Cut::kPlain;
    const std::string in = plain ? "" : fmt::format(" in way {}, seed {}", way, seed);
    fmt::print("{}:{}: {}{}\n", report.path, failure.line, failure.what, in);
    Indent(failure.sql);
    Indent(failure.details);
    if (!plain) fmt::print("    again: leat test --ways {} --seed {} {}\n", way, seed, report.path);
  }
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return out ? Status::OK() : IOErrorF("could not write \"{}\"", path);
}

int Test(const TestFlags& flags) {
  const auto ways = WaysOf(flags.ways);
  if (!ways.ok()) return ReportError(ways.status(), "", "");
  auto environment = LoadEnvironment(".", flags.env);
  if (!environment.ok()) return ReportError(environment.status(), "", "");
  SltOptions options{.files = PosixFileSystem(),
                     .environment = *environment,
                     .ways = *ways,
                     .update = flags.update,
                     .without_rule = flags.without_rule};
  options.seed = flags.seed ? *flags.seed : std::random_device{}();
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const auto files = FilesOf(flags.files);

  fmt::print("seed {}\n", options.seed);
  int64_t passed = 0, failed = 0;
  Status written;
  PlaySltFiles(files, options, flags.jobs > 0 ? flags.jobs : cores, [&](const SltReport& report) {
    Print(report, options.seed);
    passed += report.passed;
    failed += report.failed;
    if (!report.updated.empty()) written &= WriteFile(report.path, report.updated);
  });
  if (!written.ok()) return ReportError(written, "", "");
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? kExitDone : kExitFailed;
}

}  // namespace

void AddTest(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<TestFlags>();
  CLI::App* test =
      app->add_subcommand("test", "play sqllogictest files, in every way of cutting their input");
  test->add_option("files", flags->files, ".slt files, or directories of them")
      ->required()
      ->check(CLI::ExistingPath);
  test->add_option(
          "--ways", flags->ways,
          "plain, whole, rows, random, retract, restart, threads, once-threads or all; several "
          "by commas")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->delimiter(',');
  test->add_option("--seed", flags->seed, "of the random ways (default: a new one, printed)");
  test->add_option("--jobs", flags->jobs, "files played at once (default: the number of cores)");
  test->add_flag("--update", flags->update, "write the answers that came into the files");
  std::vector<std::string> rules;
  for (const Rule& rule : AllRules()) rules.emplace_back(rule.name);
  test->add_option("--without", flags->without_rule,
                   "leave this rule of the planner out: answers must be the same")
      ->check(CLI::IsMember(rules));
  test->add_option("--env", flags->env, "read .env.NAME instead of .env");
  test->callback([flags, exit_code] { *exit_code = Test(*flags); });
}

}  // namespace leat
