#include "connect/http/position.h"

#include <charconv>
#include <iterator>

#include "connect/json.h"

namespace leat {
namespace {

bool DecodeSeen(JsonScanner* json, SeenRow* row) {
  return ReadJsonObject(json, 2, [&](std::string_view key) {
    if (key == "cursor") return ReadJson(json, &row->cursor);
    std::string digits;
    if (key != "xxh3" || !ReadJson(json, &digits)) return false;
    const char* const end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, row->hash, 16).ptr == end;
  });
}

}  // namespace

std::string EncodeHttpPosition(const HttpPosition& position) {
  std::string text = fmt::format(
      "{{\"answers\":{},\"round\":{},\"round_began\":{},\"each\":{},\"page\":{},\"next\":",
      position.answers, position.round, position.round_began, position.each, position.page);
  AppendJson(position.next, &text);
  text += ",\"since\":";
  AppendJson(position.since, &text);
  fmt::format_to(std::back_inserter(text), ",\"has_high\":{},\"high\":{},\"seen\":[",
                 position.has_high, position.high);
  for (const SeenRow& row : position.seen) {
    fmt::format_to(std::back_inserter(text), "{}{{\"xxh3\":\"{:016x}\",\"cursor\":{}}}",
                   text.ends_with('[') ? "" : ",", row.hash, row.cursor);
  }
  return text + "]}";
}

Result<HttpPosition> DecodeHttpPosition(std::string_view text) {
  HttpPosition position;
  if (text.empty()) return position;
  JsonScanner json(text);
  const bool read = ReadJsonObject(&json, 10, [&](std::string_view key) {
    if (key == "answers") return ReadJson(&json, &position.answers);
    if (key == "round") return ReadJson(&json, &position.round);
    if (key == "round_began") return ReadJson(&json, &position.round_began);
    if (key == "each") return ReadJson(&json, &position.each);
    if (key == "page") return ReadJson(&json, &position.page);
    if (key == "next") return ReadJson(&json, &position.next);
    if (key == "since") return ReadJson(&json, &position.since);
    if (key == "has_high") return ReadJson(&json, &position.has_high);
    if (key == "high") return ReadJson(&json, &position.high);
    return key == "seen" &&
           ReadJsonArray(&json, [&] { return DecodeSeen(&json, &position.seen.emplace_back()); });
  });
  if (!read || !json.AtEnd()) return Status::IOError("an http source's offset is damaged");
  return position;
}

}  // namespace leat
