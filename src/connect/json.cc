#include "connect/json.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace leat {

void AppendJson(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", c);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

bool ReadJson(JsonScanner* json, std::string* text) {
  std::string_view inside;
  text->clear();
  return json->Peek() == JsonKind::kString && json->String(&inside) && UnescapeJson(inside, text);
}

bool ReadJson(JsonScanner* json, int64_t* number) {
  std::string_view token;
  if (json->Peek() != JsonKind::kNumber || !json->Scalar(&token)) return false;
  const char* const end = token.data() + token.size();
  const auto [at, error] = std::from_chars(token.data(), end, *number);
  return error == std::errc() && at == end;
}

bool ReadJson(JsonScanner* json, bool* value) {
  std::string_view token;
  if (json->Peek() != JsonKind::kBool || !json->Scalar(&token)) return false;
  *value = token == "true";
  return true;
}

}  // namespace leat
