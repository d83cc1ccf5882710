#include "run/row_text.h"

#include <arrow/array.h>

#include "data/key.h"
#include "data/text.h"

namespace leat {
namespace {

void AppendValue(const std::shared_ptr<arrow::Array>& column, int64_t row, const Type& type,
                 std::string* text) {
  if (column->IsNull(row))
    *text += "null";
  else
    AppendText(*Plain(column), row, type, {}, text);
}

}  // namespace

std::vector<Type> TypesOf(const Schema& schema) {
  std::vector<Type> types;
  for (const Column& column : schema.columns) types.push_back(column.type);
  return types;
}

Status EncodeKeyColumns(const Schema& schema, const std::vector<int>& key, const Batch& batch,
                        Strings* keys) {
  std::vector<KeyColumn> columns;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (int column : key) {
    columns.push_back({schema.columns[static_cast<size_t>(column)].type});
    arrays.push_back(batch.columns[static_cast<size_t>(column)]);
  }
  return KeyEncoder(std::move(columns)).Encode(arrays, batch.rows, keys);
}

std::string RowValues(const Schema& schema, const Batch& batch, int64_t i) {
  std::string text = "(";
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    if (c > 0) text += ", ";
    AppendValue(batch.columns[c], i, schema.columns[c].type, &text);
  }
  return text + ")";
}

std::string RowText(const Schema& schema, std::string_view row) {
  RowDecoder decoder(TypesOf(schema));
  Batch batch{.rows = 1};
  if (!decoder.Append(row).ok()) return "(?)";
  auto columns = decoder.Finish();
  if (!columns.ok()) return "(?)";
  batch.columns = *std::move(columns);
  return RowValues(schema, batch, 0);
}

std::string NamedRowText(const Schema& schema, const Batch& batch, int64_t i) {
  std::string text;
  for (size_t c = 0; c < schema.columns.size() && c < batch.columns.size(); ++c) {
    if (c > 0) text += ", ";
    text += schema.columns[c].name + "=";
    AppendValue(batch.columns[c], i, schema.columns[c].type, &text);
  }
  return text;
}

Status TwoRowsForKey(const std::string& sink, const Schema& schema, const std::vector<int>& key,
                     std::string_view a, std::string_view b) {
  std::string names;
  for (int column : key) {
    names += (names.empty() ? "" : ", ") + schema.columns[static_cast<size_t>(column)].name;
  }
  return SqlStatus(
      fmt::format("the query of sink \"{}\" gives two rows for one key ({})", sink, names),
      {.sqlstate = "23505",
       .detail = fmt::format("The rows are {} and {}.", RowText(schema, a), RowText(schema, b)),
       .hint = "Group by the key, or choose another one."});
}

}  // namespace leat
