#pragma once

#include <map>
#include <memory>
#include <string>

#include "format/format.h"

namespace leat {

// Writes CSV as PostgreSQL's COPY … (FORMAT csv, HEADER) does. Options: delimiter, quote, escape,
// header, null (one spelling). A path ending in .gz or .zst is compressed.
Result<std::unique_ptr<FileWriter>> CreateCsv(const std::string& path, const Schema& schema,
                                              const std::map<std::string, std::string>& options);

// Writes one JSON object a line, as PostgreSQL's row_to_json spells values: numbers and booleans
// bare (NaN and infinities quoted), json as it is, all else as strings; null keys are kept.
Result<std::unique_ptr<FileWriter>> CreateNdjson(const std::string& path, const Schema& schema,
                                                 const std::map<std::string, std::string>& options);

}  // namespace leat
