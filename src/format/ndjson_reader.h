#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/bytes.h"
#include "format/format.h"

namespace leat {

// Reads one JSON object a line. A comma may end the line, '[' and ']' may open and close the file,
// and blank lines are no rows. A column is the key of its name, dots and all, else the nested value
// at that path; numbers keep every digit; an object or array in a text column is its JSON text.
Result<std::unique_ptr<FileReader>> OpenNdjson(const std::string& path, const Coding& coding,
                                               const ReadOptions& options, const ReadRange& range);

}  // namespace leat
