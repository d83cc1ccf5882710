#include "serve/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/json.h"
#include "serve/live_json.h"

namespace leat {
namespace {

constexpr std::string_view kStarting = "starting", kStopped = "stopped", kSilent = "engine_silent",
                           kEngineDegraded = "engine_degraded", kSourceDegraded = "source_degraded",
                           kSinkDegraded = "sink_degraded", kSourceStalled = "source_stalled",
                           kCommitStalled = "commit_stalled";

constexpr std::array kCodes = {
    HealthCode{kStarting, "It opens its state, replays the log, or opens a source or a sink.",
               "Wait: it ends with the first epoch."},
    HealthCode{kStopped, "It is leaving.", "Start it again if it should not."},
    HealthCode{kSilent,
               "The engine has said nothing for 30 s: one epoch, one checkpoint or the disk takes "
               "that long, or it hangs.",
               "Look at the load and the disk; `leat status` says at which epoch it stands."},
    HealthCode{
        kEngineDegraded,
        "The whole engine failed (the log's disk is full, say) and starts over from its last "
        "checkpoint, ever more slowly.",
        "The text has the system's own words. Nothing is lost or doubled."},
    HealthCode{kSourceDegraded, "Reading a source fails and is tried again, ever more slowly.",
               "The text has the system's own words. Nothing is lost: reading goes on where it "
               "stopped."},
    HealthCode{kSinkDegraded, "Writing to a sink fails and is tried again, ever more slowly.",
               "The text has the system's own words. Other sinks go on until the outbox is full."},
    HealthCode{kSourceStalled,
               "A source has bytes that are known and were not read for 60 s, without an error.",
               "Look at the sinks first, a full outbox makes the sources wait; then at the "
               "source: an unfinished last line, a network disk that hangs."},
    HealthCode{kCommitStalled,
               "A sink should have committed by its flush rules and has not for 30 s, without an "
               "error.",
               "The target is slow or locked: look at who else writes to it."},
};

Micros MicrosOf(std::chrono::seconds time) { return std::chrono::microseconds(time).count(); }

class Doctor {
 public:
  Doctor(const LiveStatus& status, Micros now, const HealthLimits& limits)
      : status_(status), now_(now), limits_(limits) {}

  std::vector<HealthReason> Diagnose() {
    if (status_.started == 0) {
      Say(kStarting, "", 0, "it opens its state");
      return std::move(reasons_);
    }
    if (now_ - status_.now > MicrosOf(limits_.silence_max)) {
      Say(kSilent, "", status_.now,
          fmt::format("the engine has said nothing for {} s, at epoch {}", Seconds(status_.now),
                      status_.epoch));
    }
    if (!status_.reason.empty()) {
      Say(kEngineDegraded, "", status_.degraded_since, status_.reason);
    }
    for (const SourceStatus& source : status_.sources) Look(source);
    for (const SinkStatus& sink : status_.sinks) Look(sink);
    return std::move(reasons_);
  }

 private:
  void Look(const SourceStatus& source) {
    if (source.state == WorkerState::kDegraded) {
      Say(kSourceDegraded, source.name, source.degraded_since, source.reason);
    } else if (!LookAtState(source.name, source.state) && source.lag_bytes > 0) {
      const Micros since = std::max(source.last_row, status_.started);
      if (now_ - since <= MicrosOf(limits_.source_max)) return;
      Say(kSourceStalled, source.name, since,
          fmt::format("{} bytes wait and none was read for {} s", source.lag_bytes,
                      Seconds(since)));
    }
  }

  void Look(const SinkStatus& sink) {
    if (sink.state == WorkerState::kDegraded) {
      Say(kSinkDegraded, sink.name, sink.degraded_since, sink.reason);
    } else if (!LookAtState(sink.name, sink.state) && sink.commit_due != 0) {
      const Micros due = sink.commit_due;
      if (now_ - due <= MicrosOf(limits_.commit_max)) return;
      Say(kCommitStalled, sink.name, due,
          fmt::format("{} bytes wait, and the commit is late by {} s (at epoch {} of {})",
                      sink.outbox_bytes, Seconds(due), sink.epoch, status_.epoch));
    }
  }

  bool LookAtState(const std::string& name, WorkerState state) {
    if (state == WorkerState::kStarting) Say(kStarting, name, 0, "it is being opened");
    if (state == WorkerState::kStopped) Say(kStopped, name, 0, "it was stopped");
    return state == WorkerState::kStarting || state == WorkerState::kStopped;
  }

  void Say(std::string_view code, const std::string& of, Micros since, std::string text) {
    reasons_.push_back({code, of, since, std::move(text)});
  }
  int64_t Seconds(Micros since) const { return (now_ - since) / 1'000'000; }

  const LiveStatus& status_;
  const Micros now_;
  const HealthLimits& limits_;
  std::vector<HealthReason> reasons_;
};

}  // namespace

std::vector<HealthReason> Diagnose(const LiveStatus& status, Micros now,
                                   const HealthLimits& limits) {
  return Doctor(status, now, limits).Diagnose();
}

std::string HealthJson(const LiveStatus& status, const std::vector<HealthReason>& reasons) {
  std::string out = fmt::format(R"({{"healthy":{},"epoch":{},"committed_epoch":{},"reasons":[)",
                                reasons.empty(), status.epoch, status.committed_epoch);
  for (const HealthReason& reason : reasons) {
    if (out.back() != '[') out += ',';
    out += R"({"code":)";
    AppendJson(reason.code, &out);
    out += R"(,"of":)";
    AppendJson(reason.of, &out);
    out += R"(,"since":)";
    if (reason.since == 0)
      out += "null";
    else
      AppendJson(IsoTime(reason.since), &out);
    out += R"(,"text":)";
    AppendJson(reason.text, &out);
    out += '}';
  }
  return out + "]}\n";
}

std::span<const HealthCode> HealthCodes() { return kCodes; }

}  // namespace leat
