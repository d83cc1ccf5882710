// leat sql: a shell with psql's flags and habits.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/command.h"
#include "cli/shell.h"
#include "serve/control.h"

namespace leat {
namespace {

struct SqlFlags {
  std::string pipeline, state, env;
  std::vector<std::pair<char, std::string>> actions;  // -c and -f, in the order given
  std::vector<std::string> variables;
  bool unaligned = false, tuples_only = false, quiet = false, csv = false, expanded = false;
  std::string separator = "|";
  int threads = 0;
};

Session* running = nullptr;

extern "C" void OnInterrupt(int) {
  if (running != nullptr) running->Cancel();
}

ShellOptions OptionsOf(const SqlFlags& flags) {
  ShellOptions options;
  options.format = {.aligned = !flags.unaligned,
                    .tuples_only = flags.tuples_only,
                    .csv = flags.csv,
                    .expanded = flags.expanded,
                    .separator = flags.separator};
  options.quiet = flags.quiet;
  for (const std::string& pair : flags.variables) {
    const size_t equals = pair.find('=');
    options.variables[pair.substr(0, equals)] = equals == pair.npos ? "" : pair.substr(equals + 1);
  }
  return options;
}

// psql's codes: a -c that fails ends with 1; a script that fails ends with 3 under ON_ERROR_STOP,
// and with 0 otherwise. Ours are 0 and 1: an error is never silent.
bool RunActions(const SqlFlags& flags, Shell* shell) {
  for (const auto& [kind, text] : flags.actions) {
    if (shell->quit()) break;
    if (kind == 'c') {
      if (!shell->RunText(text, "")) return false;
      continue;
    }
    if (!shell->RunFile(text)) return false;
  }
  return true;
}

int Sql(const SqlFlags& flags) {
  namespace fs = std::filesystem;
  const fs::path path(flags.pipeline);
  const std::string home = flags.pipeline.empty() || fs::is_directory(path)
                               ? path.string()
                               : path.parent_path().string();
  auto environment = LoadEnvironment(home.empty() ? "." : home, flags.env);
  if (!environment.ok()) return ReportError(environment.status(), "", "");
  const SystemClock clock;
  SessionOptions options{.files = PosixFileSystem(), .clock = &clock, .environment = *environment};
  options.threads = flags.threads > 0
                        ? flags.threads
                        : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (!flags.pipeline.empty())
    options.committed = [state = StateDirectoryOf(flags.pipeline, flags.state, flags.env)] {
      return OpenView(PosixFileSystem(), state);
    };
  Session session(options);
  if (!flags.pipeline.empty()) {
    std::string where = flags.pipeline;
    if (const Status status = session.OpenPipeline(flags.pipeline, &where); !status.ok()) {
      return ReportErrorIn(status, where);
    }
  }
  running = &session;
  std::signal(SIGINT, OnInterrupt);
  Shell shell(&session, OptionsOf(flags), *environment);
  bool good = true;
  if (!flags.actions.empty())
    good = RunActions(flags, &shell);
  else if (isatty(STDIN_FILENO))
    good = shell.RunInteractive();
  else
    good = shell.RunFile("-");
  running = nullptr;
  return good ? kExitDone : kExitFailed;
}

}  // namespace

void AddSql(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<SqlFlags>();
  CLI::App* sql = app->add_subcommand(
      "sql", "a shell with psql's flags and habits, over a pipeline or on its own");
  sql->add_option("pipeline", flags->pipeline,
                  "query this pipeline's relations, as of its last commit")
      ->check(CLI::ExistingPath);
  const auto action = [&](const char* names, char kind, const char* help) {
    sql->add_option_function<std::vector<std::string>>(
           names,
           [flags, kind](const std::vector<std::string>& texts) {
             for (const auto& text : texts) flags->actions.emplace_back(kind, text);
           },
           help)
        ->trigger_on_parse()
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  action("-c,--command", 'c', "run this text, then leave; -c and -f may be repeated, in order");
  action("-f,--file", 'f', "run this file (- is standard input), then leave");
  sql->add_option("-v,--set,--variable", flags->variables,
                  "NAME=VALUE: a variable, e.g. ON_ERROR_STOP=1")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sql->add_flag("-A,--no-align", flags->unaligned, "unaligned output");
  sql->add_flag("-t,--tuples-only", flags->tuples_only, "rows only");
  sql->add_flag("-q,--quiet", flags->quiet, "no messages, only query output");
  sql->add_flag("-x,--expanded", flags->expanded, "a line a column");
  sql->add_flag("--csv", flags->csv, "CSV output");
  sql->add_option("-F,--field-separator", flags->separator, "between fields when unaligned (|)");
  sql->add_option("--state", flags->state, "the pipeline's state directory");
  sql->add_option("--threads", flags->threads, "that compute (default: the number of cores)")
      ->check(CLI::Range(1, 1024));
  sql->add_option("--env", flags->env, "read .env.NAME instead of .env");
  sql->callback([flags, exit_code] { *exit_code = Sql(*flags); });
}

}  // namespace leat
