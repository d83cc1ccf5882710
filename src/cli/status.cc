// leat status, leat rejects: what a pipeline's state holds, as of its last commit, and what the
// process at work on it says of itself.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file_system.h"
#include "cli/command.h"
#include "cli/pipeline_flags.h"
#include "connect/json.h"
#include "run/failed_rejects.h"
#include "run/rejects.h"
#include "serve/control.h"
#include "serve/health.h"
#include "serve/live_json.h"

namespace leat {
namespace {

struct Flags : PipelineFlags {
  std::string relation;
  int64_t samples = 5;
  bool json = false;
};

// What is committed, or an error for the user when nothing ran yet.
Result<ReadViewPtr> OpenState(const Flags& flags) {
  LEAT_ASSIGN(auto view, OpenView(PosixFileSystem(), flags.StatePath()));
  if (view) return view;
  return SqlStatus(fmt::format("there is no state in \"{}\"", flags.StatePath()),
                   {.hint = fmt::format("Run it first: leat run {}", flags.pipeline)});
}

// --- Nobody at work ------------------------------------------------------------------------------

void PrintCommitted(const Flags& flags, const Manifest& manifest, Micros now) {
  fmt::print("state     {}\nepoch     {}, committed {:.0f} s ago\n", flags.StatePath(),
             manifest.epoch.number, static_cast<double>(now - manifest.epoch.clock) / 1e6);
  for (const auto& source : manifest.sources) {
    fmt::print("source    {}: {} rows read = {} used + {} rejected\n", source.name,
               source.rows_read, source.rows_read - source.rows_rejected, source.rows_rejected);
  }
  for (const auto& [name, hash] : manifest.definitions)
    fmt::print("holds     {} ({})\n", name, hash);
}

void PrintCommittedJson(const Manifest& manifest) {
  std::string out = R"({"running":false,"state":)";
  AppendJson(manifest.state, &out);
  out += fmt::format(R"(,"committed_epoch":{},"epoch_clock":{},"sources":[)", manifest.epoch.number,
                     manifest.epoch.clock);
  for (const auto& source : manifest.sources) {
    if (out.back() != '[') out += ',';
    out += R"({"name":)";
    AppendJson(source.name, &out);
    out += fmt::format(R"(,"rows_read":{},"rows_used":{},"rows_rejected":{}}})", source.rows_read,
                       source.rows_read - source.rows_rejected, source.rows_rejected);
  }
  fmt::print("{}]}}\n", out);
}

// --- A process at work ---------------------------------------------------------------------------

std::string Age(Micros since, Micros now) {
  if (since == 0) return "never";
  const auto seconds = static_cast<double>(now - since) / 1e6;
  if (seconds < 120) return fmt::format("{:.1f} s ago", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min ago", seconds / 60);
  return fmt::format("{:.1f} h ago", seconds / 3600);
}

// As `leat status` shows a source or a sink: " (database is locked, since …; 17 retries)".
template <typename Worker>
std::string Trouble(const Worker& worker, Micros now) {
  if (worker.state != WorkerState::kDegraded) return "";
  return fmt::format("\n          {} ({}, tried again {} times)", worker.reason,
                     Age(worker.degraded_since, now), worker.retries);
}

// "12.3 MB"
std::string Size(int64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes < 100'000) return fmt::format("{} bytes", bytes);
  return bytes < 1'000'000'000 ? fmt::format("{:.1f} MB", size / 1e6)
                               : fmt::format("{:.2f} GB", size / 1e9);
}

// The operators that worked longest or keep most; the others hardly matter, and are in --json.
void PrintOperators(const LiveStatus& status) {
  constexpr size_t kShown = 8;
  auto operators = status.operators;
  std::stable_sort(operators.begin(), operators.end(), [](const auto& a, const auto& b) {
    return std::pair(a.nanoseconds, a.state_bytes) > std::pair(b.nanoseconds, b.state_bytes);
  });
  for (size_t i = 0; i < std::min(kShown, operators.size()); ++i) {
    const OperatorStatus& one = operators[i];
    fmt::print("operator  {:.1f} s, {} rows in, {} out", static_cast<double>(one.nanoseconds) / 1e9,
               one.rows_in, one.rows_out);
    if (one.state_rows > 0)
      fmt::print(", keeps {} rows in {}", one.state_rows, Size(one.state_bytes));
    fmt::print(": {}\n", one.label);
  }
  if (operators.size() > kShown) fmt::print("… and {} more\n", operators.size() - kShown);
}

void PrintLive(const Flags& flags, const LiveStatus& status, Micros now) {
  const auto reasons = Diagnose(status, now);
  fmt::print("state     {}\nprocess   {}, {}, since {}\n", flags.StatePath(), status.pid,
             reasons.empty() ? "all well" : "NOT WELL", IsoTime(status.started));
  fmt::print("epoch     {} computed, {} in every sink, {} in the checkpoint ({})\n", status.epoch,
             status.committed_epoch, status.checkpoint_epoch, Age(status.checkpointed_at, now));
  fmt::print("memory    {}{}; state {}, log {}\n", Size(status.memory_bytes),
             status.memory_limit > 0 ? " of " + Size(status.memory_limit) : "",
             Size(status.state_bytes), Size(status.log_bytes));
  for (const SourceStatus& source : status.sources) {
    fmt::print("source    {}: {}; {} rows read = {} used + {} rejected", source.name,
               NameOf(source.state), source.rows_read, source.rows_used, source.rows_rejected);
    if (source.lag_bytes > 0) fmt::print("; {} wait", Size(source.lag_bytes));
    if (source.lag_time > 0) {
      fmt::print(", {:.1f} s behind", static_cast<double>(source.lag_time) / 1e6);
    }
    fmt::print("; the last {}{}\n", Age(source.last_row, now), Trouble(source, now));
  }
  for (const SinkStatus& sink : status.sinks) {
    fmt::print("sink      {}: {}; epoch {}, committed {}; {} rows written, {} deleted", sink.name,
               NameOf(sink.state), sink.epoch, Age(sink.committed_at, now), sink.rows_added,
               sink.rows_deleted);
    if (sink.outbox_bytes > 0) fmt::print("; {} wait", Size(sink.outbox_bytes));
    fmt::print("{}\n", Trouble(sink, now));
  }
  PrintOperators(status);
  for (const HealthReason& reason : reasons) {
    fmt::print("not well  {}{}{}: {}\n", reason.code, reason.of.empty() ? "" : " ", reason.of,
               reason.text);
  }
}

void PrintLiveJson(const LiveStatus& status, Micros now) {
  const std::string health = HealthJson(status, Diagnose(status, now));
  const std::string live = ToJson(status);
  // {"running":true,"health":{…}, and then the members of the status.
  fmt::print("{{\"running\":true,\"health\":{},{}\n", health.substr(0, health.size() - 1),
             live.substr(1));
}

// Exit code 1: a process is at work and not well.
Result<int> PrintStatus(const Flags& flags) {
  const SystemClock clock;
  LEAT_ASSIGN(const auto live, AskStatus(flags.StatePath()));
  if (live) {
    if (flags.json)
      PrintLiveJson(*live, clock.Now());
    else
      PrintLive(flags, *live, clock.Now());
    return Diagnose(*live, clock.Now()).empty() ? kExitDone : kExitFailed;
  }
  LEAT_ASSIGN(const auto view, OpenState(flags));
  if (flags.json)
    PrintCommittedJson(view->manifest);
  else
    PrintCommitted(flags, view->manifest, clock.Now());
  return kExitDone;
}

Result<bool> PrintGroups(const Flags& flags, const RowsScan& rows) {
  LEAT_ASSIGN(const auto groups, SummarizeRejects(rows, flags.relation, flags.samples));
  for (const RejectGroup& group : groups) {
    fmt::print("{} × {}{}: {}\n", group.count, group.relation,
               group.column.empty() ? "" : "." + group.column, group.reason);
    for (const RejectSample& sample : group.samples) {
      fmt::print("    {}:{} (byte {}): {}\n", sample.file, sample.line, sample.offset, sample.raw);
    }
  }
  return !groups.empty();
}

// What a run rejected that committed nothing, and then what is committed.
Status PrintRejects(const Flags& flags) {
  LEAT_ASSIGN(const auto failed, LoadFailedRejects(PosixFileSystem(), flags.StatePath()));
  bool any = false;
  if (failed) {
    fmt::print("of a run at {} that committed nothing: {}\n", IsoTime(failed->at), failed->message);
    LEAT_RETURN(PrintGroups(flags, failed->rows).status());
    if (failed->left_out > 0) fmt::print("… and {} more\n", failed->left_out);
    LEAT_ASSIGN(const auto view, OpenView(PosixFileSystem(), flags.StatePath()));
    if (!view) return Status::OK();
    fmt::print("of what is committed:\n");
    LEAT_ASSIGN(any, PrintGroups(flags, view->rows.at("rejects")));
  } else {
    LEAT_ASSIGN(const auto view, OpenState(flags));
    LEAT_ASSIGN(any, PrintGroups(flags, view->rows.at("rejects")));
  }
  if (!any) fmt::print("no rejects\n");
  return Status::OK();
}

}  // namespace

void AddStatus(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app->add_subcommand(
      "status", "what the last commit holds, and how a running process fares (exit 1: not well)");
  AddPipelineFlags(command, flags.get());
  command->add_flag("--json", flags->json, "as JSON, for programs");
  command->callback([flags, exit_code] {
    const auto code = PrintStatus(*flags);
    *exit_code = code.ok() ? *code : ReportError(code.status(), "", "");
  });
}

void AddRejects(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app->add_subcommand("rejects", "rows that were not used, by reason, with samples");
  AddPipelineFlags(command, flags.get());
  command->add_option("relation", flags->relation, "only those of this relation");
  command->add_option("--samples", flags->samples, "samples of each reason (5)");
  command->callback([flags, exit_code] {
    const Status status = PrintRejects(*flags);
    *exit_code = status.ok() ? kExitDone : ReportError(status, "", "");
  });
}

}  // namespace leat
