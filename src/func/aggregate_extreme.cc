// min and max, where rows only come.
#include <cmath>
#include <optional>
#include <type_traits>

#include "data/numeric.h"
#include "func/aggregate_state.h"
#include "func/interval.h"

namespace leat {
namespace {

using enum TypeId;

// PostgreSQL's order: NaN is the greatest float.
template <typename T>
bool Less(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a < b || (std::isnan(b) && !std::isnan(a));
  } else {
    return a < b;
  }
}
bool Less(const Interval& a, const Interval& b) { return SpanOf(a) < SpanOf(b); }

template <typename T>
struct FixedState {
  T value{};
  bool set = false;
  void Save(std::string* out) const {
    SaveWord(set, out);
    if (set) SaveWord(value, out);
  }
  Status Load(std::string_view* bytes) {
    LEAT_RETURN(LoadWord(bytes, &set));
    return set ? LoadWord(bytes, &value) : Status::OK();
  }
};

template <typename T, bool max>
class FixedExtreme final : public StateColumn<FixedState<T>> {
 public:
  explicit FixedExtreme(Type type) : type_(std::move(type)) {}

  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const Values<T> values(args[0]);
    ForEachUpdate({groups, weights, mask, rows}, nulls, [&](int64_t row, uint32_t group, int64_t) {
      FixedState<T>& state = this->states_[group];
      const T value = values[row];
      if (state.set && !(max ? Less(state.value, value) : Less(value, state.value))) {
        return;
      }
      state.value = value;
      state.set = true;
    });
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    return FinishFixed<T>(this->states_, groups, type_,
                          [](const FixedState<T>& state, int64_t, T* out) {
                            *out = state.value;
                            return state.set;
                          });
  }

 private:
  Type type_;
};

struct TextState {
  std::optional<std::string> value;
  void Save(std::string* out) const {
    SaveWord(value.has_value(), out);
    if (value) *out += *value;
  }
  Status Load(std::string_view* bytes) {
    bool set = false;
    LEAT_RETURN(LoadWord(bytes, &set));
    if (set) value = std::string(*bytes);
    *bytes = {};
    return Status::OK();
  }
};

std::string_view WithoutBlanks(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

template <bool max>
class TextExtreme final : public StateColumn<TextState> {
 public:
  explicit TextExtreme(Type type) : type_(std::move(type)) {}

  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    const Texts texts(args[0]);
    const bool padded = type_.id == kChar;
    ForEachUpdate({groups, weights, mask, rows}, nulls, [&](int64_t row, uint32_t group, int64_t) {
      auto& held = states_[group].value;
      const std::string_view text = texts[row];
      if (held) {
        const int order =
            padded ? WithoutBlanks(text).compare(WithoutBlanks(*held)) : text.compare(*held);
        if (max ? order <= 0 : order >= 0) return;
        heap_ -= static_cast<int64_t>(held->capacity());
      }
      held = text;
      heap_ += static_cast<int64_t>(held->capacity());
    });
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    const auto rows = static_cast<int64_t>(groups.size());
    LEAT_ASSIGN(TextWriter writer, TextWriter::Make(rows));
    LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(rows));
    for (int64_t i = 0; i < rows; ++i) {
      const auto& held = states_[groups[static_cast<size_t>(i)]].value;
      if (held) {
        writer.bytes() += *held;
        arrow::bit_util::SetBit(valid->mutable_data(), i);
      }
      writer.End();
    }
    return writer.Finish(type_, {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
  }

  int64_t memory() const override { return states_.memory() + heap_; }

 private:
  Type type_;
  int64_t heap_ = 0;
};

struct NumericExtremeState {
  std::optional<Numeric> value;
  void Save(std::string* out) const {
    SaveWord(value.has_value(), out);
    if (value) value->Encode(out);
  }
  Status Load(std::string_view* bytes) {
    bool set = false;
    LEAT_RETURN(LoadWord(bytes, &set));
    if (set && bytes->empty()) return Status::Invalid("an aggregate's state is cut off");
    if (set) value = Numeric::Decode(*bytes);
    *bytes = {};
    return Status::OK();
  }
};

template <bool max>
class NumericExtreme final : public StateColumn<NumericExtremeState> {
 public:
  explicit NumericExtreme(Type type) : type_(std::move(type)) {}

  Status Update(std::span<const Argument> args, const uint32_t* groups, const int64_t* weights,
                const uint8_t* mask, int64_t rows, ErrorMask*) override {
    LEAT_ASSIGN(const Nulls nulls, NullsOf(args, rows));
    ForEachUpdate({groups, weights, mask, rows}, nulls, [&](int64_t row, uint32_t group, int64_t) {
      auto& held = states_[group].value;
      Numeric value = NumericAt(*args[0].array, args[0].at(row));
      if (held && !(max ? *held < value : value < *held)) return;
      held = std::move(value);
    });
    return Status::OK();
  }

  Result<ArrayPtr> Finish(std::span<const uint32_t> groups, ErrorMask*) const override {
    NumericBuilder builder(type_);
    for (const uint32_t group : groups) {
      const auto& held = states_[group].value;
      if (held) {
        builder.Append(*held);
      } else {
        builder.AppendNull();
      }
    }
    return builder.Finish();
  }

 private:
  Type type_;
};

template <bool max>
std::unique_ptr<Accumulators> MakeExtreme(const Type& type) {
  switch (type.id) {
    case kInt2:
      return std::make_unique<FixedExtreme<int16_t, max>>(type);
    case kInt4:
    case kEnum:
    case kDate:
      return std::make_unique<FixedExtreme<int32_t, max>>(type);
    case kInt8:
    case kTime:
    case kTimestamp:
    case kTimestamptz:
      return std::make_unique<FixedExtreme<int64_t, max>>(type);
    case kFloat4:
      return std::make_unique<FixedExtreme<float, max>>(type);
    case kFloat8:
      return std::make_unique<FixedExtreme<double, max>>(type);
    case kInterval:
      return std::make_unique<FixedExtreme<Interval, max>>(type);
    case kNumeric:
      return std::make_unique<NumericExtreme<max>>(type);
    case kText:
    case kVarchar:
    case kChar:
      return std::make_unique<TextExtreme<max>>(type);
    default:
      return nullptr;
  }
}

}  // namespace

std::unique_ptr<Accumulators> MakeMin(std::span<const Type> args) {
  return MakeExtreme<false>(args[0]);
}
std::unique_ptr<Accumulators> MakeMax(std::span<const Type> args) {
  return MakeExtreme<true>(args[0]);
}

}  // namespace leat
