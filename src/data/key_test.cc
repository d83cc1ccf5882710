#include "data/key.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <gtest/gtest.h>

#include <cmath>
#include <compare>
#include <cstring>
#include <map>
#include <random>

#include "data/batch.h"
#include "data/date.h"
#include "data/numeric.h"
#include "data/text.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Random = std::mt19937_64;

template <typename T>
const T& Pick(Random* random, const std::vector<T>& from) {
  return from[(*random)() % from.size()];
}

int64_t Below(Random* random, int64_t end) {
  return static_cast<int64_t>((*random)() % static_cast<uint64_t>(end));
}

// Mostly small, now and then close to the greatest.
std::string RandomInteger(int64_t greatest, Random* random) {
  const std::string sign = Below(random, 2) == 0 ? "-" : "";
  return sign +
         std::to_string(Below(random, 5) == 0 ? greatest - Below(random, 3) : Below(random, 300));
}

std::string RandomNumeric(const Type& type, Random* random) {
  const std::string sign = Below(random, 2) == 0 ? "-" : "";
  if (type.precision >= 0) {
    return sign + std::to_string(Below(random, 2000)) + "." + std::to_string(Below(random, 100));
  }
  return Pick<std::string>(random, {"0",
                                    "0.000",
                                    "-0.0",
                                    "NaN",
                                    "inf",
                                    "-inf",
                                    "1",
                                    "1.0",
                                    "1.00",
                                    "-1",
                                    "-1.000",
                                    "10",
                                    "100",
                                    "0.1",
                                    "0.01",
                                    "1e200",
                                    "-1e200",
                                    "1e-200",
                                    "-1e-200",
                                    "9.9",
                                    "99",
                                    "9.99",
                                    sign + std::to_string(Below(random, 200)) + ".50",
                                    sign + std::to_string(Below(random, 20)),
                                    sign + "0.00" + std::to_string(Below(random, 30)),
                                    "123456789012345678901234567890123456789012"});
}

// Texts of the types of which few values show all there is.
const std::vector<std::string>* SomeTexts(TypeId id) {
  static const std::map<TypeId, std::vector<std::string>> kTexts = {
      {TypeId::kBool, {"t", "f"}},
      {TypeId::kFloat4,
       {"0", "-0", "NaN", "inf", "-inf", "1", "-1", "1.5", "-1.5", "1e-30", "-1e-30", "3e38",
        "-3e38", "7"}},
      {TypeId::kFloat8,
       {"0", "-0", "NaN", "inf", "-inf", "1", "-1", "1.5", "-1.5", "1e-300", "-1e-300", "3e307",
        "-3e307", "7"}},
      {TypeId::kChar, {"", "a", "a ", "ab", "b", "aa", "é"}},
      {TypeId::kBytea, {"\\x", "\\x00", "\\x0000", "\\x00ff", "\\x01", "\\xff", "\\xff00"}},
      {TypeId::kDate, {"2024-01-05", "1969-12-31", "infinity", "-infinity", "0044-03-15 BC"}},
      {TypeId::kTime, {"00:00:00", "05:00", "23:59:59.999999"}},
      {TypeId::kTimestamp,
       {"2024-01-05 10:00", "1969-12-31 23:59:59.999999", "infinity", "-infinity",
        "2024-01-05 10:00:00.000001"}},
      {TypeId::kTimestamptz,
       {"2024-01-05 10:00+02", "1969-12-31 23:59:59.999999", "infinity", "-infinity"}},
      {TypeId::kInterval,
       {"1 mon", "30 days", "720:00", "-1 mon", "1 mon -1 day", "29 days", "0", "178000000 years",
        "-178000000 years", "1 us", "-1 us"}},
      {TypeId::kUuid,
       {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
        "f0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}};
  const auto found = kTexts.find(id);
  return found == kTexts.end() ? nullptr : &found->second;
}

// Text of a value of the type; few enough that equal ones meet.
std::string RandomText(const Type& type, Random* random) {
  if (const auto* texts = SomeTexts(type.id)) return Pick(random, *texts);
  std::string text;
  switch (type.id) {
    case TypeId::kInt2:
      return RandomInteger(INT16_MAX, random);
    case TypeId::kInt4:
      return RandomInteger(INT32_MAX, random);
    case TypeId::kInt8:
      return RandomInteger(INT64_MAX, random);
    case TypeId::kNumeric:
      return RandomNumeric(type, random);
    case TypeId::kArray:
      for (int64_t i = Below(random, 4); i > 0; --i) {
        if (!text.empty()) text += ",";
        text += Below(random, 5) == 0 ? "NULL" : "\"" + RandomText(*type.element, random) + "\"";
      }
      return "{" + text + "}";
    default:
      for (int64_t i = Below(random, 4); i > 0; --i) {
        text += Pick<std::string>(random, {"a", "b", " ", "é", "\x01", "\x7F"});
      }
      return text;
  }
}

ArrayPtr RandomColumn(const Type& type, int64_t rows, Random* random) {
  arrow::StringBuilder texts;
  for (int64_t i = 0; i < rows; ++i) {
    const bool null = (*random)() % 8 == 0;
    EXPECT_TRUE((null ? texts.AppendNull() : texts.Append(RandomText(type, random))).ok());
  }
  const ArrayPtr plain = *texts.Finish();
  auto column = FromTextColumn(
      *plain, type, {}, [](int64_t, const Status& status) { ADD_FAILURE() << status.ToString(); });
  EXPECT_TRUE(column.ok()) << column.status().ToString();
  // An offset, which nothing may trip over.
  return (*column)->Slice(1);
}

template <typename ArrayType>
auto Get(const arrow::Array& array, int64_t row) {
  return static_cast<const ArrayType&>(array).GetView(row);
}

std::strong_ordering Sign(int compared) { return compared <=> 0; }

template <typename Float>
std::strong_ordering CompareFloats(Float a, Float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return a < b   ? std::strong_ordering::less
         : a > b ? std::strong_ordering::greater
                 : std::strong_ordering::equal;
}

// The slow definition of PostgreSQL's order, nulls greatest.
std::strong_ordering Compare(const Type& type, const arrow::Array& array, int64_t a, int64_t b);

std::strong_ordering CompareLists(const Type& type, const arrow::ListArray& lists, int64_t a,
                                  int64_t b) {
  const int64_t length = std::min(lists.value_length(a), lists.value_length(b));
  for (int64_t i = 0; i < length; ++i) {
    const auto order = Compare(*type.element, *lists.values(), lists.value_offset(a) + i,
                               lists.value_offset(b) + i);
    if (order != 0) return order;
  }
  return lists.value_length(a) <=> lists.value_length(b);
}

__int128 Length(const Interval& interval) {
  return (static_cast<__int128>(interval.months) * 30 + interval.days) * 86400000000LL +
         interval.nanoseconds / 1000;
}

std::strong_ordering Compare(const Type& type, const arrow::Array& array, int64_t a, int64_t b) {
  if (array.IsNull(a) || array.IsNull(b)) return array.IsNull(a) <=> array.IsNull(b);
  switch (type.id) {
    case TypeId::kBool:
      return Get<arrow::BooleanArray>(array, a) <=> Get<arrow::BooleanArray>(array, b);
    case TypeId::kInt2:
      return Get<arrow::Int16Array>(array, a) <=> Get<arrow::Int16Array>(array, b);
    case TypeId::kInt4:
      return Get<arrow::Int32Array>(array, a) <=> Get<arrow::Int32Array>(array, b);
    case TypeId::kInt8:
      return Get<arrow::Int64Array>(array, a) <=> Get<arrow::Int64Array>(array, b);
    case TypeId::kFloat4:
      return CompareFloats(Get<arrow::FloatArray>(array, a), Get<arrow::FloatArray>(array, b));
    case TypeId::kFloat8:
      return CompareFloats(Get<arrow::DoubleArray>(array, a), Get<arrow::DoubleArray>(array, b));
    case TypeId::kNumeric:
      return NumericAt(array, a) <=> NumericAt(array, b);
    case TypeId::kDate:
      return Get<arrow::Date32Array>(array, a) <=> Get<arrow::Date32Array>(array, b);
    case TypeId::kTime:
      return Get<arrow::Time64Array>(array, a) <=> Get<arrow::Time64Array>(array, b);
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return Get<arrow::TimestampArray>(array, a) <=> Get<arrow::TimestampArray>(array, b);
    case TypeId::kInterval: {
      const auto& intervals = static_cast<const arrow::MonthDayNanoIntervalArray&>(array);
      return Length(intervals.GetValue(a)) <=> Length(intervals.GetValue(b));
    }
    case TypeId::kUuid:
      return Sign(Get<arrow::FixedSizeBinaryArray>(array, a).compare(
          Get<arrow::FixedSizeBinaryArray>(array, b)));
    case TypeId::kArray:
      return CompareLists(type, static_cast<const arrow::ListArray&>(array), a, b);
    case TypeId::kChar: {
      std::string left(Get<arrow::BinaryArray>(array, a)), right(Get<arrow::BinaryArray>(array, b));
      while (left.ends_with(' ')) left.pop_back();
      while (right.ends_with(' ')) right.pop_back();
      return Sign(left.compare(right));
    }
    default:
      return Sign(Get<arrow::BinaryArray>(array, a).compare(Get<arrow::BinaryArray>(array, b)));
  }
}

const std::vector<Type>& Types() {
  static const std::vector<Type> kTypes = {TypeId::kBool,
                                           TypeId::kInt2,
                                           TypeId::kInt4,
                                           TypeId::kInt8,
                                           TypeId::kFloat4,
                                           TypeId::kFloat8,
                                           TypeId::kNumeric,
                                           Type::Numeric(10, 2),
                                           TypeId::kText,
                                           Type::Varchar(9),
                                           Type::Char(4),
                                           TypeId::kBytea,
                                           TypeId::kDate,
                                           TypeId::kTime,
                                           TypeId::kTimestamp,
                                           TypeId::kTimestamptz,
                                           TypeId::kInterval,
                                           TypeId::kUuid,
                                           Type::Array(TypeId::kInt4),
                                           Type::Array(TypeId::kText),
                                           Type::Array(TypeId::kNumeric)};
  return kTypes;
}

TEST(KeyTest, MemcmpOrdersAsPostgres) {
  Random random(1);
  constexpr int64_t kRows = 120;
  for (int round = 0; round < 200; ++round) {
    std::vector<KeyColumn> key;
    std::vector<ArrayPtr> columns;
    for (uint64_t i = 0; i < 1 + random() % 3; ++i) {
      const Type& type = round < static_cast<int>(Types().size()) && i == 0
                             ? Types()[static_cast<size_t>(round)]
                             : Pick(&random, Types());
      key.push_back({type, random() % 2 == 0, random() % 2 == 0});
      columns.push_back(RandomColumn(type, kRows + 1, &random));
    }
    Strings keys;
    ASSERT_TRUE(KeyEncoder(key).Encode(columns, kRows, &keys).ok());
    ASSERT_EQ(keys.size(), kRows);
    for (int64_t a = 0; a < kRows; ++a) {
      for (int64_t b = 0; b < kRows; ++b) {
        std::strong_ordering expected = std::strong_ordering::equal;
        for (size_t i = 0; i < key.size() && expected == 0; ++i) {
          const bool nulls = columns[i]->IsNull(a) || columns[i]->IsNull(b);
          expected = Compare(key[i].type, *columns[i], a, b);
          if (nulls ? key[i].nulls_first : key[i].descending) expected = 0 <=> expected;
        }
        ASSERT_EQ(Sign(keys[a].compare(keys[b])), expected)
            << TypeName(key[0].type) << " of " << key.size() << ", rows " << a << " and " << b;
      }
    }
  }
}

TEST(KeyTest, FormsOfAValueAreEqual) {
  Random random(2);
  // Dictionary and plain text; both forms of numeric.
  for (const Type& type : {Type(TypeId::kText), Type::Char(4)}) {
    const ArrayPtr plain = RandomColumn(type, 500, &random);
    const ArrayPtr coded = arrow::compute::DictionaryEncode(plain)->make_array();
    for (const ArrayPtr& array : {coded, coded->Slice(3, 20)}) {
      const ArrayPtr same = array == coded ? plain : plain->Slice(3, 20);
      Strings from_plain, from_coded;
      for (const bool descending : {false, true}) {
        KeyEncoder encoder({{type, descending}});
        ASSERT_TRUE(encoder.Encode({same}, same->length(), &from_plain).ok());
        ASSERT_TRUE(encoder.Encode({array}, array->length(), &from_coded).ok());
      }
      EXPECT_EQ(from_plain.bytes, from_coded.bytes);
      EXPECT_EQ(from_plain.offsets, from_coded.offsets);
    }
  }
  Strings keys;
  for (const Type& type : {Type::Numeric(10, 2), Type(TypeId::kNumeric), Type::Numeric(38, 20)}) {
    NumericBuilder builder(type);
    builder.Append(*Numeric::Parse("12.50"));
    ASSERT_TRUE(KeyEncoder({{type}}).Encode({*builder.Finish()}, 1, &keys).ok());
  }
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_EQ(keys[0], keys[2]);
}

TEST(KeyTest, ZeroBytesInTextKeepOrder) {
  arrow::StringBuilder builder;
  const std::vector<std::string> ordered = {
      "",  std::string(1, '\0'),  std::string(2, '\0'),   std::string("\0a", 2),
      "a", std::string("a\0", 2), std::string("a\0b", 3), "a\x01",
      "ab"};
  ASSERT_TRUE(builder.AppendValues(ordered).ok());
  const ArrayPtr texts = *builder.Finish();
  for (const bool descending : {false, true}) {
    Strings keys;
    ASSERT_TRUE(
        KeyEncoder({{TypeId::kText, descending}}).Encode({texts}, texts->length(), &keys).ok());
    for (int64_t i = 1; i < keys.size(); ++i) EXPECT_EQ(keys[i - 1] < keys[i], !descending) << i;
  }
}

TEST(RowTest, GivesBackEveryBit) {
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<Type> types;
    std::vector<ArrayPtr> columns;
    const int64_t rows = static_cast<int64_t>(random() % 2500);
    for (uint64_t i = 0; i < 1 + random() % 20; ++i) {
      types.push_back(Pick(&random, Types()));
      columns.push_back(RandomColumn(types.back(), rows + 1, &random));
    }
    std::vector<ArrayPtr> given = columns;
    for (ArrayPtr& column : given) {
      if (column->type_id() == arrow::Type::STRING && random() % 2 == 0)
        column = arrow::compute::DictionaryEncode(column)->make_array();
    }
    Strings encoded;
    ASSERT_TRUE(EncodeRows(given, types, rows, &encoded).ok());
    ASSERT_EQ(encoded.size(), rows);
    RowDecoder decoder(types);
    for (int again = 0; again < 2; ++again) {
      for (int64_t i = 0; i < rows; ++i) ASSERT_TRUE(decoder.Append(encoded[i]).ok());
      decoder.AppendNull();
      ASSERT_EQ(decoder.rows(), rows + 1);
      const auto decoded = decoder.Finish();
      ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
      for (size_t i = 0; i < types.size(); ++i) {
        const ArrayPtr& column = (*decoded)[i];
        ASSERT_TRUE(column->ValidateFull().ok());
        ASSERT_TRUE(column->type()->Equals(*ArrowType(types[i])));
        EXPECT_TRUE(column->IsNull(rows));
        EXPECT_TRUE(column->Slice(0, rows)->Equals(
            *columns[i], arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false)))
            << TypeName(types[i]);
      }
    }
    // The bytes say the same once more: nothing was normalised on the way.
    for (int64_t i = 0; i < rows; ++i) ASSERT_TRUE(decoder.Append(encoded[i]).ok());
    Strings once_more;
    ASSERT_TRUE(EncodeRows(*decoder.Finish(), types, rows, &once_more).ok());
    EXPECT_EQ(once_more.bytes, encoded.bytes);
  }
}

TEST(RowTest, DamagedBytesAreAnError) {
  Random random(4);
  int64_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::vector<Type> types = {Pick(&random, Types()), Pick(&random, Types())};
    const std::vector<ArrayPtr> columns = {RandomColumn(types[0], 2, &random),
                                           RandomColumn(types[1], 2, &random)};
    Strings encoded;
    ASSERT_TRUE(EncodeRows(columns, types, 1, &encoded).ok());
    // Its own allocation, so that a sanitizer sees a step beyond it.
    std::string damaged(encoded[0]);
    damaged.resize(random() % (damaged.size() + 3));
    if (!damaged.empty())
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    RowDecoder decoder(types);
    if (!decoder.Append(damaged).ok() || !decoder.Finish().ok()) ++refused;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace leat
