// Reading and writing columns of arrays; private to func.
#pragma once

#include <cstdint>
#include <vector>

#include "func/kernel.h"

namespace leat {

// The arrays of an argument: row r has elements [begin(r), end(r)) of values().
struct Lists {
  explicit Lists(const Argument& arg)
      : list(static_cast<const arrow::ListArray&>(*arg.array)), argument(arg) {}
  bool null(int64_t row) const { return list.IsNull(argument.at(row)); }
  int64_t begin(int64_t row) const { return list.value_offset(argument.at(row)); }
  int64_t end(int64_t row) const { return begin(row) + list.value_length(argument.at(row)); }
  int64_t size(int64_t row) const { return null(row) ? 0 : end(row) - begin(row); }
  const std::shared_ptr<arrow::Array> values() const { return list.values(); }
  const arrow::ListArray& list;
  const Argument& argument;
};

// A column of arrays put together from the elements of others.
class ListWriter {
 public:
  // `sources`: what elements come from.
  explicit ListWriter(std::vector<ArrayPtr> sources);
  void Add(size_t source, int64_t element) { picked_.push_back(begins_[source] + element); }
  void AddNull() { picked_.push_back(-1); }
  void End() { offsets_.push_back(static_cast<int32_t>(picked_.size())); }
  void EndNull() {
    nulls_.push_back(static_cast<int64_t>(offsets_.size()) - 1);
    End();
  }
  Result<ArrayPtr> Finish(const Type& type);

 private:
  std::vector<ArrayPtr> sources_;
  std::vector<int64_t> begins_;
  std::vector<int64_t> picked_;
  std::vector<int32_t> offsets_ = {0};
  std::vector<int64_t> nulls_;
};

// The elements of `column` at `rows`; a negative one gives null.
Result<ArrayPtr> TakeRows(const ArrayPtr& column, const std::vector<int64_t>& rows);
// A column of arrays: row i has the elements [offsets[i], offsets[i + 1]) and is null if listed.
Result<ArrayPtr> ListColumn(const Type& type, const ArrayPtr& elements,
                            const std::vector<int32_t>& offsets, const std::vector<int64_t>& nulls);

}  // namespace leat
