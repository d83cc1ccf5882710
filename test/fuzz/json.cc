// JSON however broken: a value passed over and the same value walked through are right or wrong
// together.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "format/json_scan.h"

namespace leat {
namespace {

constexpr int kDepthMax = 200;

bool Walk(JsonScanner* json, int depth) {
  std::string_view token;
  std::string text;
  switch (json->Peek()) {
    case JsonKind::kObject:
      if (depth == kDepthMax) return json->Skip(&token);
      json->Enter();
      for (bool first = true; json->NextKey(first, &token); first = false) {
        if (!Walk(json, depth + 1)) return false;
      }
      return json->ok();
    case JsonKind::kArray:
      if (depth == kDepthMax) return json->Skip(&token);
      json->Enter();
      for (bool first = true; json->NextElement(first); first = false) {
        if (!Walk(json, depth + 1)) return false;
      }
      return json->ok();
    case JsonKind::kString:
      if (!json->String(&token)) return false;
      (void)UnescapeJson(token, &text);
      LEAT_CHECK(text.size() <= token.size());
      return true;
    case JsonKind::kNumber:
    case JsonKind::kBool:
    case JsonKind::kNull:
      return json->Scalar(&token);
    case JsonKind::kWrong:
      return json->Skip(&token);  // for its error
  }
  return false;
}

}  // namespace
}  // namespace leat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  leat::JsonScanner skipping(text), walking(text);
  std::string_view all;
  const bool skipped = skipping.Skip(&all) && skipping.AtEnd();
  const bool walked = leat::Walk(&walking, 0) && walking.AtEnd();
  // Deeper than Skip goes, walking in pieces goes on.
  const bool too_deep = text.size() > 1000 && !skipped && walked;
  LEAT_CHECK(skipped == walked || too_deep, "skipped: {}, walked: {}", skipping.error(),
             walking.error());
  LEAT_CHECK(skipped == skipping.ok());
  return 0;
}
