#include "serve/live_json.h"

#include <fmt/chrono.h>

#include <array>
#include <variant>

#include "connect/json.h"

namespace leat {
namespace {

constexpr std::array<std::string_view, 5> kStateNames = {"starting", "running", "drained",
                                                         "degraded", "stopped"};

template <typename T>
struct Field {
  std::string_view name;
  std::variant<std::string T::*, int64_t T::*, bool T::*, WorkerState T::*> member;
};

template <typename T>
struct Fields;

template <>
struct Fields<SourceStatus> {
  using S = SourceStatus;
  static constexpr std::array kList = {
      Field<S>{"name", &S::name},           Field<S>{"state", &S::state},
      Field<S>{"reason", &S::reason},       Field<S>{"degraded_since", &S::degraded_since},
      Field<S>{"retries", &S::retries},     Field<S>{"rows_read", &S::rows_read},
      Field<S>{"rows_used", &S::rows_used}, Field<S>{"rows_rejected", &S::rows_rejected},
      Field<S>{"bytes", &S::bytes},         Field<S>{"lag_bytes", &S::lag_bytes},
      Field<S>{"lag_time", &S::lag_time},   Field<S>{"last_row", &S::last_row},
  };
};

template <>
struct Fields<SinkStatus> {
  using S = SinkStatus;
  static constexpr std::array kList = {
      Field<S>{"name", &S::name},
      Field<S>{"state", &S::state},
      Field<S>{"reason", &S::reason},
      Field<S>{"degraded_since", &S::degraded_since},
      Field<S>{"retries", &S::retries},
      Field<S>{"rows_added", &S::rows_added},
      Field<S>{"rows_deleted", &S::rows_deleted},
      Field<S>{"commits", &S::commits},
      Field<S>{"epoch", &S::epoch},
      Field<S>{"committed_at", &S::committed_at},
      Field<S>{"commit_due", &S::commit_due},
      Field<S>{"outbox_bytes", &S::outbox_bytes},
  };
};

template <>
struct Fields<OperatorStatus> {
  using S = OperatorStatus;
  static constexpr std::array kList = {
      Field<S>{"name", &S::name},
      Field<S>{"label", &S::label},
      Field<S>{"rows_in", &S::rows_in},
      Field<S>{"rows_out", &S::rows_out},
      Field<S>{"state_rows", &S::state_rows},
      Field<S>{"state_bytes", &S::state_bytes},
      Field<S>{"nanoseconds", &S::nanoseconds},
  };
};

template <>
struct Fields<LiveStatus> {
  using S = LiveStatus;
  static constexpr std::array kList = {
      Field<S>{"state", &S::state},
      Field<S>{"pid", &S::pid},
      Field<S>{"started", &S::started},
      Field<S>{"now", &S::now},
      Field<S>{"reason", &S::reason},
      Field<S>{"degraded_since", &S::degraded_since},
      Field<S>{"restarts", &S::restarts},
      Field<S>{"epoch", &S::epoch},
      Field<S>{"epoch_clock", &S::epoch_clock},
      Field<S>{"committed_epoch", &S::committed_epoch},
      Field<S>{"checkpoint_epoch", &S::checkpoint_epoch},
      Field<S>{"checkpointed_at", &S::checkpointed_at},
      Field<S>{"row_errors", &S::row_errors},
      Field<S>{"rejects", &S::rejects},
      Field<S>{"log_bytes", &S::log_bytes},
      Field<S>{"state_bytes", &S::state_bytes},
      Field<S>{"memory_bytes", &S::memory_bytes},
      Field<S>{"memory_limit", &S::memory_limit},
      Field<S>{"following", &S::following},
  };
};

// --- Writing ------------------------------------------------------------------------------------

void Append(const std::string& value, std::string* out) { AppendJson(value, out); }
void Append(int64_t value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}", value);
}
void Append(bool value, std::string* out) { out->append(value ? "true" : "false"); }
void Append(WorkerState value, std::string* out) { AppendJson(NameOf(value), out); }

template <typename T>
void AppendMembers(const T& value, std::string* out) {
  for (const auto& field : Fields<T>::kList) {
    if (out->back() != '{') out->push_back(',');
    AppendJson(field.name, out);
    out->push_back(':');
    std::visit([&](auto member) { Append(value.*member, out); }, field.member);
  }
}

template <typename T>
void AppendList(std::string_view name, const std::vector<T>& values, std::string* out) {
  out->push_back(',');
  AppendJson(name, out);
  out->append(":[");
  for (const T& value : values) {
    if (out->back() != '[') out->push_back(',');
    out->push_back('{');
    AppendMembers(value, out);
    out->push_back('}');
  }
  out->push_back(']');
}

// --- Reading ------------------------------------------------------------------------------------

bool Read(JsonScanner* json, std::string* value) { return ReadJson(json, value); }
bool Read(JsonScanner* json, int64_t* value) { return ReadJson(json, value); }
bool Read(JsonScanner* json, bool* value) { return ReadJson(json, value); }
bool Read(JsonScanner* json, WorkerState* value) {
  std::string name;
  if (!ReadJson(json, &name)) return false;
  for (size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return *value = static_cast<WorkerState>(i), true;
  }
  return false;
}

template <typename T>
bool ReadMember(JsonScanner* json, std::string_view key, T* value) {
  for (const auto& field : Fields<T>::kList) {
    if (field.name != key) continue;
    return std::visit([&](auto member) { return Read(json, &(value->*member)); }, field.member);
  }
  std::string_view skipped;
  return json->Skip(&skipped);
}

template <typename Member>
bool ReadObject(JsonScanner* json, Member member) {
  if (json->Peek() != JsonKind::kObject) return false;
  json->Enter();
  std::string_view key;
  for (bool first = true; json->NextKey(first, &key); first = false) {
    if (!member(key)) return false;
  }
  return json->ok();
}

template <typename T>
bool ReadList(JsonScanner* json, std::vector<T>* values) {
  return ReadJsonArray(json, [&] {
    T value;
    if (!ReadObject(json, [&](std::string_view key) { return ReadMember(json, key, &value); }))
      return false;
    values->push_back(std::move(value));
    return true;
  });
}

}  // namespace

std::string ToJson(const LiveStatus& status) {
  std::string out = "{";
  AppendMembers(status, &out);
  AppendList("sources", status.sources, &out);
  AppendList("sinks", status.sinks, &out);
  AppendList("operators", status.operators, &out);
  return out + "}";
}

bool FromJson(std::string_view text, LiveStatus* status) {
  JsonScanner json(text);
  return ReadObject(&json, [&](std::string_view key) {
    if (key == "sources") return ReadList(&json, &status->sources);
    if (key == "sinks") return ReadList(&json, &status->sinks);
    if (key == "operators") return ReadList(&json, &status->operators);
    return ReadMember(&json, key, status);
  });
}

std::string_view NameOf(WorkerState state) { return kStateNames[static_cast<size_t>(state)]; }

std::string IsoTime(Micros time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(time / 1'000'000)));
}

}  // namespace leat
