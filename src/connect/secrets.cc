#include "connect/secrets.h"

#include "base/whole_file.h"

namespace leat {
namespace {

constexpr std::string_view kOpen = "${file:";

Result<std::string> Opened(const std::string& option, std::string_view text) {
  std::string out;
  while (true) {
    const size_t open = text.find(kOpen);
    const size_t close = open == text.npos ? text.npos : text.find('}', open);
    if (close == text.npos) return out.append(text);
    out.append(text.substr(0, open));
    const std::string path(text.substr(open + kOpen.size(), close - open - kOpen.size()));
    auto secret = ReadWholeFile(path);
    if (!secret.ok()) {
      return SqlStatus(
          fmt::format("option \"{}\" of the user mapping: {}", option, secret.status().message()),
          {.sqlstate = "58030"});
    }
    while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
    out.append(*secret);
    text.remove_prefix(close + 1);
  }
}

}  // namespace

Result<Options> OpenSecrets(const Options& credentials) {
  Options opened;
  for (const auto& [name, value] : credentials) {
    LEAT_ASSIGN(opened[name], Opened(name, value));
  }
  return opened;
}

}  // namespace leat
