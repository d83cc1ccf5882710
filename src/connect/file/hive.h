// Folders as columns, named as Hive and Spark name them: dt=2024-05-01/state=NM/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/type.h"

namespace leat {

inline constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";

// Escapes what a folder's name cannot hold as %XX, exactly as Spark does; and back.
std::string HiveEscape(std::string_view text);
std::string HiveUnescape(std::string_view text);

// Column to value of the folders in a path; nothing for null.
std::map<std::string, std::optional<std::string>> HiveValues(std::string_view path);

// The rows of a batch that go to one folder, in their order.
struct HivePart {
  std::string folder;  // "dt=2024-05-01/state=NM"
  std::vector<int32_t> rows;
};

// Splits rows by the values of `columns`; folders in the order in which they first appear.
Result<std::vector<HivePart>> SplitByFolder(const Batch& batch, const Schema& schema,
                                            const std::vector<int>& columns);

}  // namespace leat
