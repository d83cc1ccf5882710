#include "connect/root_folder.h"

#include <filesystem>

#include "connect/options.h"

namespace leat {

std::string RootFolder(const Server& server) {
  std::string url = OptionOr(server.options, "url", "");
  if (url.starts_with("file://")) {
    url.erase(0, 7);
  } else if (url.starts_with("file:")) {
    url.erase(0, 5);
  }
  if (url.empty()) url = ".";
  if (!url.starts_with('/')) {
    url = (std::filesystem::path(OptionOr(server.options, "base", "")) / url).string();
  }
  const std::string folder = std::filesystem::path(url).lexically_normal().string();
  return folder.size() > 1 && folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder;
}

}  // namespace leat
