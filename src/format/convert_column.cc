#include "format/convert_column.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include "data/batch.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

Result<ArrayPtr> Cast(const ArrayPtr& column, const std::shared_ptr<arrow::DataType>& type) {
  auto options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;  // nanoseconds: microseconds are what we keep
  return arrow::compute::Cast(*column, type, options);
}

bool IsText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING ||
         type.id() == arrow::Type::STRING_VIEW;
}

const arrow::DataType& ValueType(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return type;
  return *static_cast<const arrow::DictionaryType&>(type).value_type();
}

// Conversions that Arrow does as PostgreSQL would and that never lose anything.
bool Widens(const Type& from, const Type& to) {
  if (from.is_integer() && to.is_integer()) return from.id <= to.id;
  if (from.is_integer() && to.id == TypeId::kFloat8) return from.id != TypeId::kInt8;
  return from.id == TypeId::kFloat4 && to.id == TypeId::kFloat8;
}

}  // namespace

Status CanConvert(const arrow::DataType& from, const Type& type) {
  LEAT_ASSIGN(const Type stored, TypeFromArrow(ValueType(from)));
  const bool list = stored.id == TypeId::kArray, wants_list = type.id == TypeId::kArray;
  const bool bytes = stored.id == TypeId::kBytea && !type.is_string() &&
                     type.id != TypeId::kBytea && type.id != TypeId::kUuid;
  if ((list || wants_list) && !from.Equals(*ArrowType(type)) && !(list && type.is_string())) {
    return SqlStatus(
        fmt::format("a stored {} cannot be read as type {}", from.ToString(), TypeName(type)),
        {.sqlstate = kDatatypeMismatch});
  }
  if (bytes && type.id != TypeId::kNumeric) {
    return SqlStatus(
        fmt::format("a stored {} cannot be read as type {}", from.ToString(), TypeName(type)),
        {.sqlstate = kDatatypeMismatch});
  }
  return Status::OK();
}

Result<ArrayPtr> ConvertColumn(const ArrayPtr& column, const Type& type,
                               const TextSettings& settings, std::vector<BadValue>* bad) {
  const auto wanted = ArrowType(type);
  const bool dictionary = column->type_id() == arrow::Type::DICTIONARY;
  const bool text = IsText(ValueType(*column->type()));
  const bool any_text = type.is_string() && type.length < 0;
  if (dictionary && text && any_text) {
    // The batch promises dictionary<int32, utf8>.
    return Cast(column, arrow::dictionary(arrow::int32(), arrow::utf8()));
  }
  ArrayPtr plain = Plain(column);
  if (plain->type()->Equals(*wanted) && type.length < 0 && type.id != TypeId::kJson &&
      type.id != TypeId::kJsonb) {
    return plain;
  }
  if (text && any_text) return Cast(plain, wanted);
  if (!text) {
    LEAT_ASSIGN(const Type stored, TypeFromArrow(*plain->type()));
    LEAT_ASSIGN(plain, Cast(plain, ArrowType(stored)));
    if (stored == type) return plain;
    if (Widens(stored, type)) return Cast(plain, wanted);
    LEAT_ASSIGN(plain, ToTextColumn(*plain, stored, settings));
    if (any_text) return plain;
  } else {
    LEAT_ASSIGN(plain, Cast(plain, arrow::utf8()));
  }
  return FromTextColumn(*plain, type, settings, [bad](int64_t row, const Status& status) {
    bad->push_back({row, status.message()});
  });
}

}  // namespace leat
