// Which files a glob names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace leat {

struct FoundFile {
  std::string name;  // below the root, with '/'
  std::string path;  // to open it by
  int64_t size = 0;
  int64_t modified = 0;  // nanoseconds since 1970
};

// The regular files below `root` that `pattern` names, by name. `*`, `?` and `[a-z]` stay within
// one folder, `**` is any number of folders; a pattern that ends in '/' or names a folder means all
// files below it. Wildcards pass over names that begin with '_' or '.'. A name without wildcards
// must be there; a root that is not there is an IOError.
Result<std::vector<FoundFile>> FindFiles(const std::string& root, const std::string& pattern);

// Whether FindFiles would find a file of this name, if it is there.
bool NamesFile(const std::string& root, const std::string& pattern, const std::string& name);

// Size and modification time of one file; nothing if there is no such file.
Result<std::optional<FoundFile>> StatFile(const std::string& root, const std::string& name);

}  // namespace leat
