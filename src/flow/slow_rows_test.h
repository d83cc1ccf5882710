// Rows one at a time, as the slow definitions see them: boxed, compared and printed value by value.
// Tests only. Independent of the fast code: no key encoding, no kernels.
#pragma once

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <compare>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "data/batch.h"
#include "data/numeric.h"
#include "data/type.h"

namespace leat::slow {

// One value. Numerics are their text, which shows the scale; dates and booleans are integers.
struct Cell {
  std::variant<std::monostate, int64_t, double, std::string> value;
  TypeId type = TypeId::kUnknown;

  bool null() const { return value.index() == 0; }
  int64_t integer() const { return std::get<int64_t>(value); }
  double real() const { return std::get<double>(value); }
  const std::string& text() const { return std::get<std::string>(value); }
  Numeric numeric() const { return Numeric::Parse(text()).ValueOrDie(); }
  double AsDouble() const {
    return type == TypeId::kFloat8 ? real() : static_cast<double>(integer());
  }
  Numeric AsNumeric() const { return type == TypeId::kNumeric ? numeric() : Numeric(integer()); }

  static Cell Null(TypeId type) { return {.value = {}, .type = type}; }
  static Cell Of(int64_t v, TypeId type = TypeId::kInt8) { return {.value = v, .type = type}; }
  static Cell Of(double v) { return {.value = v, .type = TypeId::kFloat8}; }
  static Cell Of(const Numeric& v) { return {.value = v.ToString(), .type = TypeId::kNumeric}; }
  static Cell Of(std::string v) { return {.value = std::move(v), .type = TypeId::kText}; }
};

// What tells two values apart bit by bit; all NaNs print alike.
inline std::string Identity(const Cell& cell) {
  if (cell.null()) return "NULL";
  if (const auto* i = std::get_if<int64_t>(&cell.value)) return std::to_string(*i);
  if (const auto* s = std::get_if<std::string>(&cell.value)) return "'" + *s + "'";
  if (std::isnan(cell.real())) return "NaN";
  return fmt::format("{}({:x})", cell.real(), std::bit_cast<uint64_t>(cell.real()));
}

// PostgreSQL's order of two values that are not null; equal is not identical.
inline std::weak_ordering Compare(const Cell& a, const Cell& b) {
  if (a.type == TypeId::kFloat8) {
    const bool an = std::isnan(a.real()), bn = std::isnan(b.real());
    if (an || bn) return an <=> bn;
    return a.real() < b.real()   ? std::weak_ordering::less
           : a.real() > b.real() ? std::weak_ordering::greater
                                 : std::weak_ordering::equivalent;
  }
  if (a.type == TypeId::kNumeric) return a.numeric() <=> b.numeric();
  if (a.type == TypeId::kText) return a.text() <=> b.text();
  return a.integer() <=> b.integer();
}

// As GROUP BY and DISTINCT see it: nulls are equal to each other.
inline bool NotDistinct(const Cell& a, const Cell& b) {
  if (a.null() || b.null()) return a.null() && b.null();
  return Compare(a, b) == 0;
}

struct Row {
  std::vector<Cell> cells;
  std::optional<int64_t> seq;
};
using Rows = std::vector<Row>;

inline std::string Identity(const Row& row) {
  std::string out;
  for (const Cell& cell : row.cells) out += Identity(cell) + " | ";
  return row.seq ? out + fmt::format("_seq {}", *row.seq) : out;
}

inline Cell CellAt(const arrow::Array& column, int64_t at, const Type& type) {
  if (column.IsNull(at)) return Cell::Null(type.id);
  switch (type.id) {
    case TypeId::kBool:
      return Cell::Of(
          static_cast<int64_t>(static_cast<const arrow::BooleanArray&>(column).Value(at)), type.id);
    case TypeId::kInt4:
      return Cell::Of(static_cast<int64_t>(static_cast<const arrow::Int32Array&>(column).Value(at)),
                      type.id);
    case TypeId::kDate:
      return Cell::Of(
          static_cast<int64_t>(static_cast<const arrow::Date32Array&>(column).Value(at)), type.id);
    case TypeId::kInt8:
      return Cell::Of(static_cast<const arrow::Int64Array&>(column).Value(at), type.id);
    case TypeId::kFloat8:
      return Cell::Of(static_cast<const arrow::DoubleArray&>(column).Value(at));
    case TypeId::kNumeric:
      return Cell::Of(NumericAt(column, at));
    default:
      return Cell::Of(static_cast<const arrow::StringArray&>(column).GetString(at));
  }
}

inline Rows RowsOf(const Batch& batch, const Schema& schema) {
  Rows rows(static_cast<size_t>(batch.rows));
  EXPECT_EQ(batch.columns.size(), schema.columns.size());
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    const auto column = Plain(batch.columns[c]);
    EXPECT_EQ(column->length(), batch.rows);
    for (int64_t i = 0; i < batch.rows; ++i) {
      rows[static_cast<size_t>(i)].cells.push_back(CellAt(*column, i, schema.columns[c].type));
    }
  }
  for (int64_t i = 0; batch.seq && i < batch.rows; ++i) {
    rows[static_cast<size_t>(i)].seq = batch.seq->Value(i);
  }
  return rows;
}

namespace internal {

template <typename Builder, typename Get>
std::shared_ptr<arrow::Array> BuildColumn(Builder&& builder, const Rows& rows, size_t c, Get get) {
  for (const Row& row : rows) {
    const Cell& cell = row.cells[c];
    EXPECT_TRUE((cell.null() ? builder.AppendNull() : builder.Append(get(cell))).ok());
  }
  return builder.Finish().ValueOrDie();
}

inline std::shared_ptr<arrow::Array> BuildNumeric(const Rows& rows, size_t c, const Type& type) {
  NumericBuilder builder(type);
  for (const Row& row : rows) {
    if (row.cells[c].null()) {
      builder.AppendNull();
    } else {
      builder.Append(row.cells[c].numeric());
    }
  }
  return builder.Finish().ValueOrDie();
}

}  // namespace internal

inline std::shared_ptr<arrow::Array> ColumnOf(const Rows& rows, size_t c, const Type& type) {
  using internal::BuildColumn;
  const auto integer = [](const Cell& cell) { return cell.integer(); };
  const auto integer32 = [](const Cell& cell) { return static_cast<int32_t>(cell.integer()); };
  switch (type.id) {
    case TypeId::kBool:
      return BuildColumn(arrow::BooleanBuilder(), rows, c,
                         [](const Cell& cell) { return cell.integer() != 0; });
    case TypeId::kInt4:
      return BuildColumn(arrow::Int32Builder(), rows, c, integer32);
    case TypeId::kDate:
      return BuildColumn(arrow::Date32Builder(), rows, c, integer32);
    case TypeId::kInt8:
      return BuildColumn(arrow::Int64Builder(), rows, c, integer);
    case TypeId::kFloat8:
      return BuildColumn(arrow::DoubleBuilder(), rows, c,
                         [](const Cell& cell) { return cell.real(); });
    case TypeId::kNumeric:
      return internal::BuildNumeric(rows, c, type);
    default:
      return BuildColumn(arrow::StringBuilder(), rows, c,
                         [](const Cell& cell) { return cell.text(); });
  }
}

// All +1 when `weights` is empty; with `_seq` if the rows have it.
inline Batch BatchOf(const Rows& rows, const Schema& schema,
                     const std::vector<int64_t>& weights = {}) {
  Batch batch;
  batch.rows = static_cast<int64_t>(rows.size());
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    batch.columns.push_back(ColumnOf(rows, c, schema.columns[c].type));
  }
  const auto integers = [](const std::vector<int64_t>& values) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues(values).ok());
    return std::static_pointer_cast<arrow::Int64Array>(builder.Finish().ValueOrDie());
  };
  if (!weights.empty()) batch.weights = integers(weights);
  if (!rows.empty() && rows[0].seq) {
    std::vector<int64_t> seqs;
    for (const Row& row : rows) seqs.push_back(*row.seq);
    batch.seq = integers(seqs);
  }
  return batch;
}

// ---- random data ------------------------------------------------------------------------------

using Random = std::mt19937_64;

inline int64_t Pick(Random* random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(*random);
}

// Few distinct values, so that keys meet; a fifth are nulls. Doubles are multiples of 1/8 (their
// sums are exact in any order), -0 or NaN; numerics come as 1.0 and as 1.00.
inline Cell RandomCell(Random* random, const Type& type) {
  if (Pick(random, 0, 4) == 0) return Cell::Null(type.id);
  const int64_t n = Pick(random, -4, 4);
  switch (type.id) {
    case TypeId::kBool:
      return Cell::Of(int64_t{n > 0}, type.id);
    case TypeId::kFloat8:
      if (Pick(random, 0, 30) == 0) return Cell::Of(std::nan(""));
      return Cell::Of(n == 0 && Pick(random, 0, 1) == 0 ? -0.0 : static_cast<double>(n) / 8);
    case TypeId::kNumeric: {
      const int32_t scale =
          type.precision >= 0 ? type.scale : static_cast<int32_t>(Pick(random, 0, 2));
      static constexpr int kPowers[] = {1, 10, 100, 1000, 10000};
      if (type.precision < 0 && Pick(random, 0, 40) == 0) return Cell::Of(Numeric::NaN());
      return Cell::Of(Numeric::FromInt128(__int128{n} * kPowers[scale], scale));
    }
    case TypeId::kText:
      return Cell::Of(std::string(static_cast<size_t>(n + 4) / 2, 'a' + n % 2));
    default:
      return Cell::Of(n, type.id);
  }
}

inline Row RandomRow(Random* random, const Schema& schema) {
  Row row;
  for (const Column& column : schema.columns) row.cells.push_back(RandomCell(random, column.type));
  return row;
}

// A schema of these types, columns named c0, c1, …
inline Schema SchemaOf(const std::vector<Type>& types) {
  Schema schema;
  for (const Type& type : types) {
    schema.columns.push_back({.name = fmt::format("c{}", schema.columns.size()), .type = type});
  }
  return schema;
}

inline Type RandomType(Random* random) {
  switch (Pick(random, 0, 6)) {
    case 0:
      return TypeId::kBool;
    case 1:
      return TypeId::kInt4;
    case 2:
      return TypeId::kInt8;
    case 3:
      return TypeId::kFloat8;
    case 4:
      return TypeId::kNumeric;
    case 5:
      return Type::Numeric(12, 2);
    default:
      return TypeId::kText;
  }
}

// A schema beginning with `first`, then up to `more` columns of any type.
inline Schema RandomSchema(Random* random, std::vector<Type> first, int more = 3) {
  for (int64_t n = Pick(random, 0, more); n > 0; --n) first.push_back(RandomType(random));
  return SchemaOf(first);
}

}  // namespace leat::slow
