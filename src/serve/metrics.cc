#include "serve/metrics.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "base/status.h"
#include "serve/health.h"

namespace leat {
namespace {

constexpr double kMicros = 1e6, kNanos = 1e9;

enum class Kind : uint8_t { kCounter, kGauge };

// What a metric is told of: one thing, in one machine.
template <typename T>
struct Metric {
  std::string_view name;
  Kind kind;
  std::string_view help;
  // Nothing: not known.
  std::optional<double> (*value)(const T& thing, const LiveStatus& status, Micros now);
};

using Machine = LiveStatus;
using Value = std::optional<double>;

template <auto kMember, typename T>
Value Plain(const T& thing, const LiveStatus&, Micros) {
  return static_cast<double>(thing.*kMember);
}

Value Age(Micros since, Micros now) {
  if (since == 0) return std::nullopt;
  return static_cast<double>(std::max<Micros>(0, now - since)) / kMicros;
}

constexpr Metric<Machine> kMachine[] = {
    {"leat_healthy", Kind::kGauge, "1 if /health answers 200, else 0.",
     [](const Machine& m, const LiveStatus&, Micros now) -> Value {
       return Diagnose(m, now).empty() ? 1 : 0;
     }},
    {"leat_start_time_seconds", Kind::kGauge, "When the process began, in seconds since 1970.",
     [](const Machine& m, const LiveStatus&, Micros) -> Value {
       return static_cast<double>(m.started) / kMicros;
     }},
    {"leat_epoch", Kind::kGauge, "The last epoch that was computed.",
     Plain<&Machine::epoch, Machine>},
    {"leat_committed_epoch", Kind::kGauge, "The last epoch that every sink holds.",
     Plain<&Machine::committed_epoch, Machine>},
    {"leat_checkpoint_epoch", Kind::kGauge, "The last epoch that a checkpoint holds.",
     Plain<&Machine::checkpoint_epoch, Machine>},
    {"leat_checkpoint_age_seconds", Kind::kGauge, "Time since the last checkpoint.",
     [](const Machine& m, const LiveStatus&, Micros now) { return Age(m.checkpointed_at, now); }},
    {"leat_status_age_seconds", Kind::kGauge, "Time since the engine last said anything.",
     [](const Machine& m, const LiveStatus&, Micros now) { return Age(m.now, now); }},
    {"leat_rejects", Kind::kGauge, "Rows that stand in leat.rejects.",
     Plain<&Machine::rejects, Machine>},
    {"leat_row_errors", Kind::kGauge, "Rows that a query could not compute and that still stand.",
     Plain<&Machine::row_errors, Machine>},
    {"leat_engine_restarts_total", Kind::kCounter,
     "How often the engine failed and started over from its last checkpoint.",
     Plain<&Machine::restarts, Machine>},
    {"leat_log_bytes", Kind::kGauge, "The epoch log since the last checkpoint.",
     Plain<&Machine::log_bytes, Machine>},
    {"leat_state_bytes", Kind::kGauge, "The state of all operators and stored views.",
     Plain<&Machine::state_bytes, Machine>},
    {"leat_memory_bytes", Kind::kGauge, "Memory of the process.",
     Plain<&Machine::memory_bytes, Machine>},
    {"leat_memory_limit_bytes", Kind::kGauge, "What --memory allows; absent without it.",
     [](const Machine& m, const LiveStatus&, Micros) -> Value {
       if (m.memory_limit == 0) return std::nullopt;
       return static_cast<double>(m.memory_limit);
     }},
};

constexpr Metric<SourceStatus> kSources[] = {
    {"leat_source_rows_read_total", Kind::kCounter, "Rows read: used and rejected.",
     Plain<&SourceStatus::rows_read, SourceStatus>},
    {"leat_source_rows_used_total", Kind::kCounter, "Rows that went into queries.",
     Plain<&SourceStatus::rows_used, SourceStatus>},
    {"leat_source_rows_rejected_total", Kind::kCounter, "Rows that went to the rejects.",
     Plain<&SourceStatus::rows_rejected, SourceStatus>},
    {"leat_source_read_bytes_total", Kind::kCounter, "Uncompressed bytes read.",
     Plain<&SourceStatus::bytes, SourceStatus>},
    {"leat_source_retries_total", Kind::kCounter, "Reads that failed and were tried again.",
     Plain<&SourceStatus::retries, SourceStatus>},
    {"leat_source_degraded", Kind::kGauge, "1 while reading fails and is tried again.",
     [](const SourceStatus& s, const LiveStatus&, Micros) -> Value {
       return s.state == WorkerState::kDegraded ? 1 : 0;
     }},
    {"leat_source_lag_bytes", Kind::kGauge,
     "Known to lie outside and not yet read; absent where the source cannot say.",
     [](const SourceStatus& s, const LiveStatus&, Micros) -> Value {
       if (s.lag_bytes < 0) return std::nullopt;
       return static_cast<double>(s.lag_bytes);
     }},
    {"leat_source_lag_seconds", Kind::kGauge,
     "How much older the last row read is than what lies outside; absent where "
     "the source cannot "
     "say.",
     [](const SourceStatus& s, const LiveStatus&, Micros) -> Value {
       if (s.lag_time < 0) return std::nullopt;
       return static_cast<double>(s.lag_time) / 1e6;
     }},
    {"leat_source_last_row_age_seconds", Kind::kGauge,
     "Time since a row came; absent before the first.",
     [](const SourceStatus& s, const LiveStatus&, Micros now) { return Age(s.last_row, now); }},
};

constexpr Metric<SinkStatus> kSinks[] = {
    {"leat_sink_rows_written_total", Kind::kCounter, "Rows added, inserted or updated.",
     Plain<&SinkStatus::rows_added, SinkStatus>},
    {"leat_sink_rows_deleted_total", Kind::kCounter, "Rows deleted.",
     Plain<&SinkStatus::rows_deleted, SinkStatus>},
    {"leat_sink_commits_total", Kind::kCounter, "Commits.",
     Plain<&SinkStatus::commits, SinkStatus>},
    {"leat_sink_retries_total", Kind::kCounter, "Writes that failed and were tried again.",
     Plain<&SinkStatus::retries, SinkStatus>},
    {"leat_sink_degraded", Kind::kGauge, "1 while writing fails and is tried again.",
     [](const SinkStatus& s, const LiveStatus&, Micros) -> Value {
       return s.state == WorkerState::kDegraded ? 1 : 0;
     }},
    {"leat_sink_epoch", Kind::kGauge, "The last epoch that the sink holds.",
     Plain<&SinkStatus::epoch, SinkStatus>},
    {"leat_sink_lag_epochs", Kind::kGauge, "Epochs computed that the sink does not hold yet.",
     [](const SinkStatus& s, const LiveStatus& m, Micros) -> Value {
       return static_cast<double>(std::max<int64_t>(0, m.epoch - s.epoch));
     }},
    {"leat_sink_lag_seconds", Kind::kGauge,
     "How late a commit is by the sink's flush rules; 0 when none is due.",
     [](const SinkStatus& s, const LiveStatus&, Micros now) -> Value {
       return s.commit_due == 0 ? Value(0) : Age(s.commit_due, now);
     }},
    {"leat_sink_outbox_bytes", Kind::kGauge, "Computed and not yet committed.",
     Plain<&SinkStatus::outbox_bytes, SinkStatus>},
};

constexpr Metric<OperatorStatus> kOperators[] = {
    {"leat_operator_rows_in_total", Kind::kCounter, "Rows that came into an operator.",
     Plain<&OperatorStatus::rows_in, OperatorStatus>},
    {"leat_operator_rows_out_total", Kind::kCounter, "Rows that it gave on.",
     Plain<&OperatorStatus::rows_out, OperatorStatus>},
    {"leat_operator_seconds_total", Kind::kCounter, "Time spent in it.",
     [](const OperatorStatus& s, const LiveStatus&, Micros) -> Value {
       return static_cast<double>(s.nanoseconds) / kNanos;
     }},
    {"leat_operator_state_rows", Kind::kGauge, "Rows that it keeps.",
     Plain<&OperatorStatus::state_rows, OperatorStatus>},
    {"leat_operator_state_bytes", Kind::kGauge, "Bytes of what it keeps.",
     Plain<&OperatorStatus::state_bytes, OperatorStatus>},
};

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string LabelsOf(const Machine&) { return ""; }
std::string LabelsOf(const SourceStatus& s) {
  return fmt::format("{{source=\"{}\"}}", Escaped(s.name));
}
std::string LabelsOf(const SinkStatus& s) {
  return fmt::format("{{sink=\"{}\"}}", Escaped(s.name));
}
std::string LabelsOf(const OperatorStatus& s) {
  return fmt::format("{{operator=\"{}\",node=\"{}\"}}", Escaped(s.label), Escaped(s.name));
}

std::string_view NameOf(Kind kind) { return kind == Kind::kCounter ? "counter" : "gauge"; }

// A family is told in one piece: all its samples behind its HELP and TYPE.
template <typename T>
void AppendFamilies(std::span<const Metric<T>> metrics, std::span<const T> things,
                    const LiveStatus& status, Micros now, std::string* out) {
  for (const Metric<T>& metric : metrics) {
    std::string samples;
    for (const T& thing : things) {
      const Value value = metric.value(thing, status, now);
      if (value) samples += fmt::format("{}{} {}\n", metric.name, LabelsOf(thing), *value);
    }
    if (samples.empty()) continue;
    *out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{3}", metric.name, metric.help,
                        NameOf(metric.kind), samples);
  }
}

template <typename T>
void AppendRows(std::span<const Metric<T>> metrics, std::string_view labels, std::string* out) {
  for (const Metric<T>& metric : metrics) {
    *out += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, NameOf(metric.kind), labels,
                        metric.help);
  }
}

}  // namespace

std::string MetricsText(const LiveStatus& status, Micros now) {
  std::string out;
  // Before the engine's first word it is only known not to be well: kMachine's first.
  const std::span<const Metric<Machine>> known(kMachine,
                                               status.started == 0 ? 1 : std::size(kMachine));
  AppendFamilies<Machine>(known, {&status, 1}, status, now, &out);
  AppendFamilies<SourceStatus>(kSources, status.sources, status, now, &out);
  AppendFamilies<SinkStatus>(kSinks, status.sinks, status, now, &out);
  AppendFamilies<OperatorStatus>(kOperators, status.operators, status, now, &out);
  return out;
}

std::string DescribeMetrics() {
  std::string out =
      "# Metrics\n\n"
      "What `leat run --follow --http :8080` serves at `/metrics`, in Prometheus' text format.\n"
      "Counters are of this run: they start at 0 with the process. `make docs` writes this "
      "page.\n\n"
      "| metric | type | labels | |\n|---|---|---|---|\n";
  AppendRows<Machine>(kMachine, "", &out);
  AppendRows<SourceStatus>(kSources, "source", &out);
  AppendRows<SinkStatus>(kSinks, "sink", &out);
  AppendRows<OperatorStatus>(kOperators, "operator, node", &out);
  out +=
      "\n# Health\n\n"
      "`/health` answers 200 when all is well, else 503 with the reasons. Each has a code:\n\n"
      "| code | what it means | what to do |\n|---|---|---|\n";
  for (const HealthCode& code : HealthCodes()) {
    out += fmt::format("| `{}` | {} | {} |\n", code.code, code.meaning, code.remedy);
  }
  return out;
}

}  // namespace leat
