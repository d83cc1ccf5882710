// Typed rows to byte strings and back. Keys: memcmp order is PostgreSQL's order of the values, and
// equal values (1.0 and 1.00, -0 and 0, 'a' and 'a  ' as char) give equal bytes. Rows: exact, with
// every bit of the values, so that a row is taken back by the bytes with which it came.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/strings.h"
#include "data/type.h"

namespace leat {

struct KeyColumn {
  Type type;
  bool descending = false;
  bool nulls_first = false;
};

// Encodes rows of the given columns as keys, one after another in `out` (appended). Works column by
// column: nothing virtual per value. Text is plain or dictionary encoded.
class KeyEncoder {
 public:
  explicit KeyEncoder(std::vector<KeyColumn> columns);
  ~KeyEncoder();
  Status Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t rows,
                Strings* out) const;

 private:
  std::vector<KeyColumn> columns_;
};

// Appends `rows` rows of `columns` as exact byte strings.
Status EncodeRows(const std::vector<std::shared_ptr<arrow::Array>>& columns,
                  const std::vector<Type>& types, int64_t rows, Strings* out);

// Collects encoded rows and gives them back as columns.
class RowDecoder {
 public:
  explicit RowDecoder(std::vector<Type> types);
  ~RowDecoder();
  Status Append(std::string_view row);
  void AppendNull();  // a row of nulls: the other side of an outer join
  int64_t rows() const;
  // The rows since the last Finish, as columns of ArrowType(type), text plain. Bytes that no
  // EncodeRows wrote are an error, never a read beyond the row.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat
