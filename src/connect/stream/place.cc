#include "connect/stream/place.h"

#include <fmt/ranges.h>

#include "connect/json.h"

namespace leat {
namespace {

std::string Encode(const TopicPlace& place) {
  return fmt::format("{{\"segment\":{},\"byte\":{},\"offsets\":[{}]}}", place.segment, place.byte,
                     fmt::join(place.offsets, ","));
}

bool Decode(JsonScanner* json, TopicPlace* place) {
  return ReadJsonObject(json, 3, [&](std::string_view key) {
    if (key == "segment") return ReadJson(json, &place->segment);
    if (key == "byte") return ReadJson(json, &place->byte);
    return key == "offsets" &&
           ReadJsonArray(json, [&] { return ReadJson(json, &place->offsets.emplace_back()); });
  });
}

}  // namespace

std::string EncodeStreamOffset(const StreamOffset& offset) {
  std::string text = "{\"topic\":";
  AppendJson(offset.topic, &text);
  return text + ",\"from\":" + Encode(offset.from) + ",\"at\":" + Encode(offset.at) + "}";
}

Result<StreamOffset> DecodeStreamOffset(std::string_view text) {
  StreamOffset offset;
  JsonScanner json(text);
  const bool read = ReadJsonObject(&json, 3, [&](std::string_view key) {
    if (key == "topic") return ReadJson(&json, &offset.topic);
    if (key == "from") return Decode(&json, &offset.from);
    return key == "at" && Decode(&json, &offset.at);
  });
  if (!read || !json.AtEnd()) return Status::IOError("a stream source's offset is damaged");
  return offset;
}

}  // namespace leat
