// topic.json: what of a topic is committed.
#include <fmt/ranges.h>

#include <iterator>

#include "base/file_system.h"
#include "connect/json.h"
#include "connect/options.h"
#include "connect/root_folder.h"
#include "connect/stream/file_topic.h"

namespace leat {
namespace {

void AppendNumbers(const std::vector<int64_t>& numbers, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "[{}]", fmt::join(numbers, ","));
}

bool ReadNumbers(JsonScanner* json, std::vector<int64_t>* numbers) {
  return ReadJsonArray(json, [&] { return ReadJson(json, &numbers->emplace_back()); });
}

bool DecodeSegment(JsonScanner* json, TopicState::Segment* segment) {
  return ReadJsonObject(json, 3, [&](std::string_view key) {
    if (key == "number") return ReadJson(json, &segment->number);
    if (key == "bytes") return ReadJson(json, &segment->bytes);
    return key == "first" && ReadNumbers(json, &segment->first);
  });
}

bool DecodeMark(JsonScanner* json, TopicState::WriterMark* mark) {
  return ReadJsonObject(json, 4, [&](std::string_view key) {
    if (key == "writer") return ReadJson(json, &mark->writer);
    if (key == "state") return ReadJson(json, &mark->mark.state);
    if (key == "statement") return ReadJson(json, &mark->mark.statement);
    return key == "epoch" && ReadJson(json, &mark->mark.epoch);
  });
}

bool Decode(std::string_view text, TopicState* state) {
  JsonScanner json(text);
  const bool read = ReadJsonObject(&json, 4, [&](std::string_view key) {
    if (key == "id") return ReadJson(&json, &state->id);
    if (key == "ends") return ReadNumbers(&json, &state->ends);
    if (key == "segments") {
      return ReadJsonArray(&json,
                           [&] { return DecodeSegment(&json, &state->segments.emplace_back()); });
    }
    return key == "marks" &&
           ReadJsonArray(&json, [&] { return DecodeMark(&json, &state->marks.emplace_back()); });
  });
  return read && json.AtEnd() && !state->ends.empty() && !state->segments.empty();
}

}  // namespace

std::string EncodeTopicState(const TopicState& state) {
  std::string text = "{\"id\":";
  AppendJson(state.id, &text);
  text += ",\"ends\":";
  AppendNumbers(state.ends, &text);
  text += ",\"segments\":[";
  for (const TopicState::Segment& segment : state.segments) {
    fmt::format_to(std::back_inserter(text),
                   "{}{{\"number\":{},\"bytes\":{},\"first\":", text.ends_with('[') ? "" : ",",
                   segment.number, segment.bytes);
    AppendNumbers(segment.first, &text);
    text += '}';
  }
  text += "],\"marks\":[";
  for (const auto& [writer, mark] : state.marks) {
    text += text.ends_with('[') ? "{\"writer\":" : ",{\"writer\":";
    AppendJson(writer, &text);
    text += ",\"state\":";
    AppendJson(mark.state, &text);
    text += ",\"statement\":";
    AppendJson(mark.statement, &text);
    text += fmt::format(",\"epoch\":{}}}", mark.epoch);
  }
  text += "]}\n";
  return text;
}

Result<std::optional<TopicState>> ReadTopicState(const std::string& folder) {
  FileSystem& files = *PosixFileSystem();
  const std::string path = folder + "/topic.json";
  if (!files.Exists(path)) return std::nullopt;
  LEAT_ASSIGN(const auto bytes, files.Read(path));
  TopicState state;
  if (!Decode(bytes->bytes(), &state)) return IOErrorF("\"{}\" is damaged", path);
  return state;
}

Result<std::string> TopicFolder(const Server& server, const Options& options,
                                const std::string& table) {
  const std::string topic = OptionOr(options, "topic", table);
  if (topic.empty() || topic.find('/') != topic.npos || topic.starts_with('.')) {
    return InvalidValue("topic", topic,
                        "A topic's name has no \"/\" and does not begin with \".\".");
  }
  return fmt::format("{}/{}", RootFolder(server), topic);
}

std::string SegmentPath(const std::string& folder, int64_t number) {
  return fmt::format("{}/segment-{:012d}.ndjson", folder, number);
}

}  // namespace leat
