// Numerics in columns, in both of their forms.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <bit>

#include "base/check.h"
#include "data/numeric.h"

namespace leat {
namespace {

__int128 ToInt128Words(const arrow::Decimal128& value) {
  return (static_cast<__int128>(value.high_bits()) << 64) | static_cast<__int128>(value.low_bits());
}

}  // namespace

Numeric NumericAt(const arrow::Array& column, int64_t row) {
  if (column.type_id() == arrow::Type::DECIMAL128) {
    const auto& decimals = static_cast<const arrow::Decimal128Array&>(column);
    const auto& type = static_cast<const arrow::Decimal128Type&>(*column.type());
    return Numeric::FromInt128(ToInt128Words(arrow::Decimal128(decimals.GetValue(row))),
                               type.scale());
  }
  return Numeric::Decode(static_cast<const arrow::BinaryArray&>(column).GetView(row));
}

struct NumericBuilder::State {
  Type type;
  std::shared_ptr<arrow::DataType> arrow_type;
  std::unique_ptr<arrow::Decimal128Builder> decimals;  // one of the two
  std::unique_ptr<arrow::BinaryBuilder> binaries;
  std::string scratch;
  Status status;
};

NumericBuilder::NumericBuilder(const Type& type) : state_(std::make_unique<State>()) {
  state_->type = type;
  state_->arrow_type = ArrowType(type);
  if (state_->arrow_type->id() == arrow::Type::DECIMAL128) {
    state_->decimals = std::make_unique<arrow::Decimal128Builder>(state_->arrow_type);
  } else {
    state_->binaries = std::make_unique<arrow::BinaryBuilder>();
  }
}

NumericBuilder::~NumericBuilder() = default;

void NumericBuilder::Append(const Numeric& value) {
  if (state_->decimals) {
    __int128 unscaled = 0;
    LEAT_CHECK(value.ToInt128(state_->type.scale, &unscaled), "numeric does not fit its column");
    state_->status &= state_->decimals->Append(
        arrow::Decimal128(static_cast<int64_t>(unscaled >> 64), static_cast<uint64_t>(unscaled)));
    return;
  }
  state_->scratch.clear();
  value.Encode(&state_->scratch);
  state_->status &= state_->binaries->Append(state_->scratch);
}

void NumericBuilder::AppendNull() {
  state_->status &=
      state_->decimals ? state_->decimals->AppendNull() : state_->binaries->AppendNull();
}

Result<std::shared_ptr<arrow::Array>> NumericBuilder::Finish() {
  LEAT_RETURN(state_->status);
  if (state_->decimals) return state_->decimals->Finish();
  return state_->binaries->Finish();
}

}  // namespace leat
