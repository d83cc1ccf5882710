#include "format/text_rows.h"

#include "data/text.h"

namespace leat {

Result<TextColumn> TextColumn::Make(const std::shared_ptr<arrow::Array>& column, const Type& type) {
  TextColumn out;
  std::shared_ptr<arrow::Array> values = column;
  if (column->type_id() == arrow::Type::DICTIONARY) {
    const auto& encoded = static_cast<const arrow::DictionaryArray&>(*column);
    out.numbers_ = std::static_pointer_cast<arrow::Int32Array>(encoded.indices());
    values = encoded.dictionary();
  }
  if (values->type_id() != arrow::Type::STRING) {
    LEAT_ASSIGN(values, ToTextColumn(*values, type, {}));
  }
  out.texts_ = std::static_pointer_cast<arrow::StringArray>(values);
  return out;
}

Result<std::vector<TextColumn>> TextColumns(const Batch& batch, const Schema& schema) {
  std::vector<TextColumn> out;
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    LEAT_ASSIGN(auto column, TextColumn::Make(batch.columns[i], schema.columns[i].type));
    out.push_back(std::move(column));
  }
  return out;
}

}  // namespace leat
