#include "format/column_parser.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "base/check.h"
#include "format/fast_parse.h"
#include "format/text_column.h"
#include "format/time_spelling.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

// A fixed-width type: its C type, its scalar and its common spellings (see fast_parse.h).
template <typename V, typename S, bool (*kParse)(const char*, size_t, V*)>
struct Fixed {
  using Value = V;
  using Scalar = S;
  static bool Fast(RawField raw, V* out) { return kParse(raw.data, raw.size, out); }
};

bool LocalTime(const char* p, size_t size, int64_t* out) {
  return fast::Timestamp(p, size, false, out);
}
// Only with a zone in the text: without one the session's matters.
bool ZonedTime(const char* p, size_t size, int64_t* out) {
  const bool zone = size > 19 && (p[size - 1] == 'Z' || p[size - 3] == '+' || p[size - 6] == '+');
  return zone && fast::Timestamp(p, size, true, out);
}

using Int2 = Fixed<int16_t, arrow::Int16Scalar, fast::Integer<int16_t>>;
using Int4 = Fixed<int32_t, arrow::Int32Scalar, fast::Integer<int32_t>>;
using Int8 = Fixed<int64_t, arrow::Int64Scalar, fast::Integer<int64_t>>;
using Float8 = Fixed<double, arrow::DoubleScalar, fast::Float8>;
using Date = Fixed<int32_t, arrow::Date32Scalar, fast::Date>;
using Timestamp = Fixed<int64_t, arrow::TimestampScalar, LocalTime>;
using Timestamptz = Fixed<int64_t, arrow::TimestampScalar, ZonedTime>;
using Bool = Fixed<uint8_t, arrow::BooleanScalar, fast::Bool>;

template <typename V>
bool NeverFast(const char*, size_t, V*) {
  return false;
}
using DateByPattern = Fixed<int32_t, arrow::Date32Scalar, NeverFast<int32_t>>;
using TimeByPattern = Fixed<int64_t, arrow::TimestampScalar, NeverFast<int64_t>>;

template <typename Kind, typename Fields>
class FixedParser : public ColumnParser {
 public:
  using Value = typename Kind::Value;

  FixedParser(const ColumnTask& task, const Fields& fields)
      : task_(task), fields_(fields), valid_(static_cast<size_t>(task.rows) + 32) {
    scratch_.reserve(64);
    auto buffer = arrow::AllocateBuffer(task.rows * static_cast<int64_t>(sizeof(Value)));
    if (buffer.ok()) values_ = *std::move(buffer);
  }

  void Parse(int64_t begin, int64_t end) override {
    if (values_ == nullptr) return;
    auto* const values = reinterpret_cast<Value*>(values_->mutable_data());
    for (int64_t row = begin; row < end; ++row) {
      const RawField raw = fields_.Raw(row);
      values[row] = Value{};
      bool valid = false;
      if (!fields_.IsNull(raw)) {
        valid = Kind::Fast(raw, &values[row]);
        if (!valid) [[unlikely]]
          valid = Slow(row, raw, &values[row]);
      }
      valid_[static_cast<size_t>(row)] = valid;
    }
  }

  Result<ArrayPtr> Finish() override {
    if (values_ == nullptr) return Status::OutOfMemory("no memory for a column");
    int64_t nulls = 0;
    LEAT_ASSIGN(auto validity, BitsOf(valid_, task_.rows, &nulls));
    if (nulls == 0) validity = nullptr;
    if constexpr (std::is_same_v<Kind, Bool>) {
      std::vector<uint8_t> bytes(values_->data(), values_->data() + task_.rows);
      bytes.resize(valid_.size());
      int64_t zeros;
      LEAT_ASSIGN(values_, BitsOf(bytes, task_.rows, &zeros));
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(ArrowType(task_.type), task_.rows, {validity, values_}, nulls));
  }

 private:
  // Out of the loop: quotes, rare spellings, wrong values.
  [[gnu::noinline]] bool Slow(int64_t row, RawField raw, Value* out) {
    std::string_view text(raw.data, raw.size);
    if (fields_.IsQuoted(raw)) {
      text = fields_.Unquote(raw, &scratch_);
      if (Kind::Fast({text.data(), text.size()}, out)) return true;
    }
    const Status read = Read(text, out);
    if (read.ok()) return true;
    *out = Value{};
    bad.push_back({row, read.message()});
    return false;
  }

  Status Read(std::string_view text, Value* out) const {
    if (task_.pattern != nullptr) {
      LEAT_ASSIGN(const int64_t value,
                  ReadTime(*task_.pattern, text, task_.type, task_.settings->timezone));
      *out = static_cast<Value>(value);
      return Status::OK();
    }
    LEAT_ASSIGN(const auto parsed, ParseValue(text, task_.type, *task_.settings));
    *out = static_cast<const typename Kind::Scalar&>(*parsed).value;
    return Status::OK();
  }

  ColumnTask task_;
  Fields fields_;
  std::vector<uint8_t> valid_;  // a byte each
  std::shared_ptr<arrow::Buffer> values_;
  std::string scratch_;
};

// All other types: the texts, then their input function over the whole column.
template <typename Fields>
class GeneralParser : public ColumnParser {
 public:
  GeneralParser(const ColumnTask& task, const Fields& fields) : task_(task), fields_(fields) {}

  void Parse(int64_t begin, int64_t end) override {
    for (int64_t row = begin; row < end && status_.ok(); ++row) {
      const RawField raw = fields_.Raw(row);
      if (fields_.IsNull(raw)) {
        status_ = texts_.AppendNull();
        continue;
      }
      std::string_view text(raw.data, raw.size);
      if (fields_.IsQuoted(raw)) text = fields_.Unquote(raw, &scratch_);
      if (task_.numbers != nullptr && !task_.numbers->Rewrite(text, &number_)) {
        bad.push_back({row, fmt::format("invalid input syntax for type {}: \"{}\"",
                                        TypeName(task_.type), text)});
        status_ = texts_.AppendNull();
        continue;
      }
      status_ = texts_.Append(task_.numbers != nullptr ? number_ : text);
    }
  }

  Result<ArrayPtr> Finish() override {
    LEAT_RETURN(status_);
    LEAT_ASSIGN(ArrayPtr texts, texts_.Finish());
    return FromTextColumn(*texts, task_.type, *task_.settings,
                          [this](int64_t row, const Status& status) {
                            bad.push_back({row, status.message()});
                          });
  }

 private:
  ColumnTask task_;
  Fields fields_;
  arrow::StringBuilder texts_;
  std::string scratch_, number_;
  Status status_;
};

template <typename Fields>
std::unique_ptr<ColumnParser> Make(const ColumnTask& task, const Fields& fields) {
  if (task.numbers != nullptr) return std::make_unique<GeneralParser<Fields>>(task, fields);
  if (task.pattern != nullptr) {
    if (task.type.id == TypeId::kDate) {
      return std::make_unique<FixedParser<DateByPattern, Fields>>(task, fields);
    }
    return std::make_unique<FixedParser<TimeByPattern, Fields>>(task, fields);
  }
  switch (task.type.id) {
    case TypeId::kBool:
      return std::make_unique<FixedParser<Bool, Fields>>(task, fields);
    case TypeId::kInt2:
      return std::make_unique<FixedParser<Int2, Fields>>(task, fields);
    case TypeId::kInt4:
      return std::make_unique<FixedParser<Int4, Fields>>(task, fields);
    case TypeId::kInt8:
      return std::make_unique<FixedParser<Int8, Fields>>(task, fields);
    case TypeId::kFloat8:
      return std::make_unique<FixedParser<Float8, Fields>>(task, fields);
    case TypeId::kDate:
      return std::make_unique<FixedParser<Date, Fields>>(task, fields);
    case TypeId::kTimestamp:
      return std::make_unique<FixedParser<Timestamp, Fields>>(task, fields);
    case TypeId::kTimestamptz:
      return std::make_unique<FixedParser<Timestamptz, Fields>>(task, fields);
    case TypeId::kUnknown:
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
      return std::make_unique<TextParser<Fields>>(task, fields);
    default:
      return std::make_unique<GeneralParser<Fields>>(task, fields);
  }
}

}  // namespace

bool NumberSpelling::Rewrite(std::string_view text, std::string* out) const {
  out->clear();
  size_t group = 0;  // digits since the last separator
  bool grouped = false, fraction = false;
  for (const char c : text) {
    if (c == decimal && !fraction) {
      if (grouped && group != 3) return false;
      fraction = true;
      *out += '.';
    } else if (c == thousands && thousands != 0) {
      if (fraction || group == 0 || group > 3 || (grouped && group != 3)) return false;
      grouped = true;
      group = 0;
    } else if (c == '.' || c == ',') {
      return false;
    } else {
      group += c >= '0' && c <= '9' && !fraction;
      *out += c;
    }
  }
  return !grouped || fraction || group == 3;
}

bool CsvFields::IsNullSpelling(RawField raw) const {
  const std::string_view text(raw.data, raw.size);
  return std::find(dialect_->nulls.begin(), dialect_->nulls.end(), text) != dialect_->nulls.end();
}

std::string_view CsvFields::Unquote(RawField raw, std::string* scratch) const {
  const std::string_view inner(raw.data + 1, raw.size - 2);
  if (inner.find(dialect_->escape) == inner.npos) return inner;
  scratch->clear();
  for (size_t i = 0; i < inner.size(); ++i) {
    const bool escapes = inner[i] == dialect_->escape && i + 1 < inner.size() &&
                         (inner[i + 1] == quote_ || inner[i + 1] == dialect_->escape);
    scratch->push_back(inner[escapes ? ++i : i]);
  }
  return *scratch;
}

std::unique_ptr<ColumnParser> MakeColumnParser(const ColumnTask& task, const CsvFields& fields) {
  return Make(task, fields);
}

std::unique_ptr<ColumnParser> MakeColumnParser(const ColumnTask& task, const TextFields& fields) {
  return Make(task, fields);
}

}  // namespace leat
