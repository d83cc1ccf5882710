// JSON that we write ourselves and read again: offsets and manifests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/json_scan.h"

namespace leat {

// Appends `text` as a JSON string with its quotes.
void AppendJson(std::string_view text, std::string* out);

// Each reads the next value, or is false where there is another.
bool ReadJson(JsonScanner* json, std::string* text);
bool ReadJson(JsonScanner* json, int64_t* number);
bool ReadJson(JsonScanner* json, bool* value);

// Reads an object of exactly `members` members, or up to `optional` more: `read(key)` reads the
// value of one, or is false.
template <typename Read>
bool ReadJsonObject(JsonScanner* json, int members, Read read, int optional = 0) {
  if (json->Peek() != JsonKind::kObject) return false;
  json->Enter();
  std::string_view key;
  int found = 0;
  for (; json->NextKey(found == 0, &key); ++found) {
    if (!read(key)) return false;
  }
  return json->ok() && found >= members && found <= members + optional;
}

// Reads an array: `read()` reads one element, or is false.
template <typename Read>
bool ReadJsonArray(JsonScanner* json, Read read) {
  if (json->Peek() != JsonKind::kArray) return false;
  json->Enter();
  for (bool first = true; json->NextElement(first); first = false) {
    if (!read()) return false;
  }
  return json->ok();
}

}  // namespace leat
