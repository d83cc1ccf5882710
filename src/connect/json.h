// JSON that we write ourselves: offsets and manifests.
#pragma once

#include <string>
#include <string_view>

namespace leat {

// Appends `text` as a JSON string with its quotes.
void AppendJson(std::string_view text, std::string* out);

}  // namespace leat
