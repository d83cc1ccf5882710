// All values of a batch as text: what the writers of CSV and JSON share.
#pragma once

#include <arrow/array.h>

#include <memory>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/type.h"

namespace leat {

// A column as text, a dictionary still as a dictionary.
class TextColumn {
 public:
  static Result<TextColumn> Make(const std::shared_ptr<arrow::Array>& column, const Type& type);

  bool IsNull(int64_t row) const {
    return numbers_ != nullptr ? numbers_->IsNull(row) : texts_->IsNull(row);
  }
  std::string_view operator[](int64_t row) const {
    return texts_->GetView(numbers_ != nullptr ? numbers_->Value(row) : row);
  }

 private:
  std::shared_ptr<arrow::Int32Array> numbers_;
  std::shared_ptr<arrow::StringArray> texts_;
};

Result<std::vector<TextColumn>> TextColumns(const Batch& batch, const Schema& schema);

}  // namespace leat
