#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/bytes.h"
#include "format/format.h"

namespace leat {

// The keys of the option `root`, 'a.b' or '$.a.b', outermost first; none without it.
std::vector<std::string> JsonRoot(const std::map<std::string, std::string>& options);

// Reads the objects of JSON documents, whatever stands between them and however many lines they
// take (json_split.h). Columns find their values as in ndjson_reader.h.
Result<std::unique_ptr<FileReader>> OpenJson(const std::string& path, const Coding& coding,
                                             const ReadOptions& options, const ReadRange& range);

}  // namespace leat
