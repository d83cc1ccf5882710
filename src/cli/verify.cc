// leat verify, leat repair: the differences between a sink and its query.
#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/command.h"
#include "cli/pipeline_flags.h"
#include "run/row_text.h"
#include "run/state_dir.h"
#include "run/verify.h"
#include "serve/control.h"

namespace leat {
namespace {

struct VerifyFlags : PipelineFlags {
  std::vector<std::string> sinks;
  VerifyOptions options;
  int64_t shown_max = 20;
  bool repair = false;
};

Session* running = nullptr;

extern "C" void CancelVerify(int) {
  if (running != nullptr) running->Cancel();
}

std::string Counted(int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// "  different  (2024-01-03, 2, 25.5), and not (2024-01-03, 2, 20)"
void PrintDifference(const Schema& schema, const SinkDifference& difference) {
  const auto texts = [&](const Strings& rows) {
    std::string text;
    for (int64_t i = 0; i < rows.size(); ++i)
      text += (i > 0 ? ", " : "") + RowText(schema, rows[i]);
    return text;
  };
  if (difference.differs()) {
    fmt::print("  different  {}, and not {}\n", texts(difference.missing), texts(difference.extra));
  } else if (difference.missing.size() > 0) {
    fmt::print("  missing    {}\n", texts(difference.missing));
  } else {
    fmt::print("  extra      {}\n", texts(difference.extra));
  }
}

void PrintCounts(const VerifyFlags& flags, const StandingSink& sink,
                 const ComparisonCounts& counts) {
  const int64_t all = counts.missing + counts.extra + counts.different;
  if (all > flags.shown_max) fmt::print("  … and {} more\n", all - flags.shown_max);
  if (all == 0) {
    fmt::print("{}: {}, as the query answers\n", sink.name, Counted(counts.found, "row", "rows"));
  } else {
    fmt::print("{}: {} missing, {} extra, {} different; {} found, {} expected{}\n", sink.name,
               counts.missing, counts.extra, counts.different, Counted(counts.found, "row", "rows"),
               counts.expected, flags.repair ? ": repaired" : "");
  }
}

// True where the sink is as it should be, by now.
Result<bool> VerifyOne(const VerifyFlags& flags, const StandingSink& sink, Session* session) {
  int64_t shown = 0;
  const auto show = [&](const SinkDifference& difference) {
    if (shown++ < flags.shown_max) PrintDifference(sink.spec.schema, difference);
    return Status::OK();
  };
  LEAT_ASSIGN(const auto counts,
              (flags.repair ? RepairSink : VerifySink)(session, sink, flags.options, show));
  PrintCounts(flags, sink, counts);
  return flags.repair || counts.equal();
}

Result<std::vector<const StandingSink*>> ChosenSinks(const VerifyFlags& flags,
                                                     const Pipeline& pipeline) {
  std::vector<const StandingSink*> chosen;
  for (const StandingSink& sink : pipeline.sinks) {
    if (flags.sinks.empty()) chosen.push_back(&sink);
  }
  for (const std::string& name : flags.sinks) {
    const auto it = std::find_if(pipeline.sinks.begin(), pipeline.sinks.end(),
                                 [&](const StandingSink& sink) { return sink.name == name; });
    if (it == pipeline.sinks.end()) {
      return SqlStatus(fmt::format("the pipeline has no sink \"{}\"", name),
                       {.sqlstate = kUndefinedTable});
    }
    chosen.push_back(&*it);
  }
  return chosen;
}

Result<bool> VerifyAll(const VerifyFlags& flags, Session* session) {
  LEAT_ASSIGN(const auto sinks, ChosenSinks(flags, *session->pipeline()));
  bool good = true;
  for (const StandingSink* sink : sinks) {
    LEAT_ASSIGN(const bool equal, VerifyOne(flags, *sink, session));
    good = good && equal;
  }
  return good;
}

// To repair, the state must be ours: a process that works on it steps aside as long as this lives.
struct Alone {
  std::shared_ptr<void> aside;
  std::unique_ptr<StateDirectory> lock;
};

Result<Alone> TakeState(const VerifyFlags& flags) {
  Alone alone;
  LEAT_ASSIGN(alone.aside, AskAside(flags.StatePath(), "`leat repair`"));
  LEAT_ASSIGN(alone.lock, StateDirectory::Open(PosixFileSystem(), flags.StatePath()));
  return alone;
}

int Verify(const VerifyFlags& flags) {
  const SystemClock clock;
  std::string where;
  Alone alone;
  if (flags.repair) {
    auto taken = TakeState(flags);
    if (!taken.ok()) return ReportError(taken.status(), "", "");
    alone = *std::move(taken);
  }
  const auto session = (flags.repair ? OpenSessionAlone : OpenSession)(flags, &clock, &where);
  if (!session.ok()) return ReportErrorIn(session.status(), where);
  running = session->get();
  std::signal(SIGINT, CancelVerify);
  const auto good = VerifyAll(flags, session->get());
  running = nullptr;
  if (!good.ok()) return ReportError(good.status(), "", "");
  return *good ? kExitDone : kExitFailed;
}

void AddOne(CLI::App* app, const char* name, const char* help, bool repair, int* exit_code) {
  auto flags = std::make_shared<VerifyFlags>();
  flags->repair = repair;
  CLI::App* command = app->add_subcommand(name, help);
  AddPipelineFlags(command, flags.get());
  CLI::Option* sinks = command->add_option("sink", flags->sinks, "which sinks (default: all)");
  if (repair) sinks->description("which sinks")->required();
  command->add_option("--where", flags->options.where,
                      "only differences for which this condition over the sink's columns holds");
  command->add_option("--show", flags->shown_max, "how many differences to list (20)");
  command->callback([flags, exit_code] { *exit_code = Verify(*flags); });
}

}  // namespace

void AddVerify(CLI::App* app, int* exit_code) {
  AddOne(app, "verify", "list where sinks differ from their queries; exit code 1 if they do", false,
         exit_code);
}

void AddRepair(CLI::App* app, int* exit_code) {
  AddOne(app, "repair", "rewrite the rows of sinks that differ from their queries, and only those",
         true, exit_code);
}

}  // namespace leat
