#include "connect/json.h"

#include <fmt/format.h>

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

}  // namespace leat
