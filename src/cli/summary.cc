#include "cli/summary.h"

#include <unistd.h>

#include <cstdio>

namespace leat {

// "27,648,741"
std::string Grouped(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t sign = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > 3 + sign;) digits.insert(at -= 3, ",");
  return digits;
}

void PrintSummary(const PipelineFlags& flags, const RunReport& report, const std::string& state) {
  int64_t rejected = 0;
  for (const auto& source : report.sources) {
    rejected += source.rows_rejected;
    std::string line = fmt::format("{}: {} rows read = {} used + {} rejected", source.name,
                                   Grouped(source.rows_read), Grouped(source.rows_used),
                                   Grouped(source.rows_rejected));
    if (source.rows_kept_with_null > 0) {
      line += fmt::format(" ({} values replaced by NULL)", Grouped(source.rows_kept_with_null));
    }
    fmt::print("{}\n", line);
  }
  for (const auto& sink : report.sinks) {
    fmt::print("{}: {} row{} written", sink.name, Grouped(sink.rows_added),
               sink.rows_added == 1 ? "" : "s");
    if (sink.rows_deleted > 0) fmt::print(", {} deleted", Grouped(sink.rows_deleted));
    fmt::print("\n");
  }
  if (report.row_errors > 0)
    fmt::print("{} rows could not be computed\n", Grouped(report.row_errors));
  const int64_t epochs = report.last_epoch - report.first_epoch + 1;
  if (epochs <= 0)
    fmt::print("nothing new");
  else
    fmt::print("{} epoch{} ({} to {})", epochs, epochs == 1 ? "" : "s", report.first_epoch,
               report.last_epoch);
  if (report.epochs_replayed > 0)
    fmt::print(", {} of them replayed after a crash", report.epochs_replayed);
  fmt::print(", {:.2f} s; state in {}\n", report.seconds, state);
  if (rejected > 0 || report.row_errors > 0) {
    fmt::print("look at the rejects: leat rejects {}{}{}{}{}\n", flags.pipeline,
               flags.state.empty() ? "" : " --state ", flags.state,
               flags.env.empty() ? "" : " --env ", flags.env);
  }
}

Status AskForLeave(const std::string& what, const std::string& question) {
  if (!isatty(STDIN_FILENO)) {
    return SqlStatus(what, {.hint = "Add --yes to say that you mean it."});
  }
  fmt::print(stderr, "{} [y/N] ", question);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y' ? Status::OK()
                                        : SqlStatus("not confirmed: nothing was done");
}

}  // namespace leat
