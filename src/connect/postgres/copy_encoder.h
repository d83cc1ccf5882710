// Rows as PostgreSQL's binary COPY takes them: its own formats of values, row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"

namespace leat {

// What a column there takes: the binary formats of its types' receive functions. Enums, json and
// whatever else reads a text from a client take kText.
enum class Wire : uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,
  kJsonb,
  kBytea,
  kDate,
  kTime,
  kTimestamp,
  kInterval,
  kUuid,
};

// A column of ours on its way into one there.
struct CopyColumn {
  std::string name;
  Type from;
  Wire to = Wire::kText;     // of an array: what its elements take
  uint32_t element_oid = 0;  // arrays: the elements' type there
  int32_t length_max = -1;   // code points that the column there holds; -1: any number
};

// Whether values of `type` can be sent as `wire` without a change: itself, or a wider number.
bool CanSend(const Type& type, Wire wire);

// The first and the last bytes of a binary COPY.
std::string_view CopyHeader();
std::string_view CopyTrailer();

class CopyEncoder {
 public:
  // `table`: the target, for errors. `infinite_numerics`: the server (14 or later) has them.
  CopyEncoder(std::string table, std::vector<CopyColumn> columns, bool infinite_numerics = true);
  ~CopyEncoder();

  // Appends the rows. A value that PostgreSQL cannot hold (a NUL in a text, a text that is too
  // long, an array that is no box) is a SqlStatus with the column and the row; `out` then ends in
  // no particular way.
  Status Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows,
                std::string* out) const;

 private:
  const std::string table_;
  const std::vector<CopyColumn> columns_;
  const bool infinite_numerics_;
};

}  // namespace leat
