// Columns made each by its own rule.
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "connect/datagen/maker.h"
#include "connect/options.h"
#include "data/date.h"
#include "data/text.h"

namespace leat {
namespace {

constexpr uint64_t kNullStream = 1 << 16;  // beside the column's own
constexpr uint64_t kLateStream = 1 << 17;  // of the row

// "zipf(100, 1.2)": a name and its arguments, trimmed.
struct Rule {
  std::string text, name;
  std::vector<std::string> args;
};

std::string Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

Result<Rule> ParseRule(const std::string& text) {
  const size_t open = text.find('(');
  Rule rule{.text = text, .name = Trimmed(text.substr(0, open))};
  if (open == text.npos) return rule;
  const size_t close = text.rfind(')');
  if (close == text.npos || close < open || close + 1 != text.size()) {
    return InvalidValue("make", text, "A rule reads like uniform(1, 100).");
  }
  const std::string inside = text.substr(open + 1, close - open - 1);
  for (size_t at = 0; !inside.empty() && at <= inside.size();) {
    const size_t end = std::min(inside.find(',', at), inside.size());
    rule.args.push_back(Trimmed(inside.substr(at, end - at)));
    at = end + 1;
  }
  return rule;
}

Result<double> NumberAt(const Rule& rule, size_t at, double fallback) {
  if (at >= rule.args.size()) return fallback;
  double value = 0;
  const std::string& text = rule.args[at];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value))
    return value;
  return InvalidValue("make", rule.text, fmt::format("\"{}\" is not a number.", text));
}

// A standard normal value (Box, Muller 1958).
double Normal(Random* random) {
  const double u = 1 - random->Unit(), v = random->Unit();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
}

// A rank from 1 to `count` that follows a power law: the inverse of the continuous distribution,
// which needs no table (as good as the exact one but for the first few ranks).
double Zipf(Random* random, double count, double exponent) {
  const double u = random->Unit();
  const double top = count + 1;
  if (std::abs(exponent - 1) < 1e-9) return std::floor(std::exp(u * std::log(top)));
  const double power = 1 - exponent;
  return std::floor(std::pow(u * (std::pow(top, power) - 1) + 1, 1 / power));
}

std::string Letters(Random* random, int64_t count) {
  std::string text(static_cast<size_t>(count), ' ');
  for (char& c : text) c = static_cast<char>('a' + random->Below(26));
  return text;
}

std::string Filled(Random* random, std::string pattern) {
  for (char& c : pattern) {
    if (c == '#') c = static_cast<char>('0' + random->Below(10));
    if (c == '@') c = static_cast<char>('A' + random->Below(26));
  }
  return pattern;
}

// Makes the values of one column as text or as a number; the column's type takes them.
class ColumnRule {
 public:
  static Result<ColumnRule> Make(const ColumnSpec& column);

  // A number, for those rules that make numbers.
  double Number(Random* random, int64_t row) const {
    if (name_ == "sequence") return first_ + static_cast<double>(row) * second_;
    if (name_ == "uniform") return first_ + random->Unit() * (second_ - first_);
    if (name_ == "normal") return first_ + Normal(random) * second_;
    return Zipf(random, first_, second_);
  }
  int64_t Whole(Random* random, int64_t row) const {
    if (name_ == "sequence") {
      return static_cast<int64_t>(first_) + row * static_cast<int64_t>(second_);
    }
    if (name_ == "uniform") {
      const auto span = static_cast<uint64_t>(second_ - first_) + 1;
      return static_cast<int64_t>(first_) + static_cast<int64_t>(random->Below(span));
    }
    return std::llround(Number(random, row));
  }
  std::string Text(Random* random, int64_t row) const {
    if (name_ == "choice") return Chosen(random);
    if (name_ == "text") return Letters(random, static_cast<int64_t>(first_));
    if (name_ == "pattern") return Filled(random, pattern_);
    return fmt::format("{}", Whole(random, row));
  }
  Micros Time(int64_t row) const { return begin_ + row * step_; }

  bool is_time() const { return name_ == "time"; }
  bool is_text() const { return name_ == "choice" || name_ == "text" || name_ == "pattern"; }

 private:
  Status SetTimes(const Rule& rule);
  Status SetChoices(const Rule& rule);
  Status SetNumbers(const Rule& rule);
  const std::string& Chosen(Random* random) const {
    uint64_t at = random->Below(static_cast<uint64_t>(weights_.back()));
    const auto found = std::upper_bound(weights_.begin(), weights_.end(), static_cast<int64_t>(at));
    return choices_[static_cast<size_t>(found - weights_.begin())];
  }

  std::string name_, pattern_;
  double first_ = 0, second_ = 1;
  Micros begin_ = 0, step_ = 0;
  std::vector<std::string> choices_;
  std::vector<int64_t> weights_;  // summed up
};

std::string DefaultRule(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "choice(true, false)";
    case TypeId::kFloat4:
    case TypeId::kFloat8:
      return "uniform(0, 1)";
    case TypeId::kNumeric:
      return "uniform(0, 9)";
    case TypeId::kDate:
      return "time(2024-01-01, 1 min)";
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return "time(2024-01-01, 1 s)";
    case TypeId::kInt2:
    case TypeId::kInt4:
    case TypeId::kInt8:
      return "sequence(1, 1)";
    default:
      return "text(8)";
  }
}

Status ColumnRule::SetTimes(const Rule& rule) {
  const std::string first = rule.args.empty() ? "2024-01-01" : rule.args[0];
  const std::string step = rule.args.size() < 2 ? "1 s" : rule.args[1];
  LEAT_ASSIGN(const auto time, ParseValue(first, TypeId::kTimestamp, {}));
  LEAT_ASSIGN(const auto interval, ParseValue(step, TypeId::kInterval, {}));
  const auto& value = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*interval).value;
  if (value.months != 0) return InvalidValue("make", rule.text, "A step has no months.");
  begin_ = static_cast<const arrow::TimestampScalar&>(*time).value;
  step_ = value.days * kMicrosPerDay + value.nanoseconds / 1000;
  return Status::OK();
}

Status ColumnRule::SetChoices(const Rule& rule) {
  int64_t sum = 0;
  for (const std::string& arg : rule.args) {
    const size_t colon = arg.rfind(':');
    int64_t weight = 1;
    bool weighted = false;
    if (colon != arg.npos) {
      const auto [end, error] =
          std::from_chars(arg.data() + colon + 1, arg.data() + arg.size(), weight);
      weighted = error == std::errc() && end == arg.data() + arg.size() && weight > 0;
    }
    choices_.push_back(weighted ? Trimmed(arg.substr(0, colon)) : arg);
    weights_.push_back(sum += weighted ? weight : 1);
  }
  if (choices_.empty()) return InvalidValue("make", rule.text, "Name the choices: choice(a, b).");
  return Status::OK();
}

Status ColumnRule::SetNumbers(const Rule& rule) {
  const bool range = name_ == "uniform", zipf = name_ == "zipf";
  LEAT_ASSIGN(first_, NumberAt(rule, 0, zipf ? 1000 : name_ == "sequence" ? 1 : 0));
  LEAT_ASSIGN(second_, NumberAt(rule, 1, range ? 1 : 1));
  const bool right = (!range || (second_ >= first_ && second_ - first_ < 9e18)) &&
                     (!zipf || (first_ >= 1 && second_ > 0));
  if (right) return Status::OK();
  return InvalidValue("make", rule.text,
                      "uniform(least, most) wants the lesser first, zipf(count, exponent) both "
                      "above 0.");
}

Result<ColumnRule> ColumnRule::Make(const ColumnSpec& column) {
  const Type& type = column.column.type;
  LEAT_ASSIGN(const Rule rule, ParseRule(OptionOr(column.options, "make", DefaultRule(type))));
  ColumnRule made;
  made.name_ = rule.name;
  if (rule.name == "time") {
    LEAT_RETURN(made.SetTimes(rule));
  } else if (rule.name == "choice") {
    LEAT_RETURN(made.SetChoices(rule));
  } else if (rule.name == "pattern") {
    made.pattern_ = rule.text.substr(rule.text.find('(') + 1);
    made.pattern_.pop_back();
  } else if (rule.name == "text") {
    LEAT_ASSIGN(made.first_, NumberAt(rule, 0, 8));
    if (made.first_ < 0 || made.first_ > 1 << 20) {
      return InvalidValue("make", rule.text, "text(letters) takes up to a million.");
    }
  } else if (rule.name == "sequence" || rule.name == "uniform" || rule.name == "normal" ||
             rule.name == "zipf") {
    LEAT_RETURN(made.SetNumbers(rule));
  } else {
    return InvalidValue("make", rule.text,
                        "There are sequence, uniform, normal, zipf, choice, text, pattern, time.");
  }
  const bool timed =
      type.id == TypeId::kDate || type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz;
  if (made.is_time() != timed && !(timed && made.is_text())) {
    return InvalidValue(
        "make", rule.text,
        fmt::format("Column \"{}\" is of type {}.", column.column.name, TypeName(type)));
  }
  return made;
}

struct MadeColumn {
  Type type;
  ColumnRule rule;
  double nulls = 0;
};

class ColumnMaker : public RowMaker {
 public:
  ColumnMaker(std::vector<MadeColumn> columns, uint64_t seed, const LateRows& late)
      : columns_(std::move(columns)), seed_(seed), late_(late) {}

  Result<Batch> Make(int64_t first, int64_t rows) const override {
    Batch batch{.rows = rows};
    for (size_t c = 0; c < columns_.size(); ++c) {
      LEAT_ASSIGN(auto column, MakeColumn(c, first, rows));
      batch.columns.push_back(std::move(column));
    }
    return batch;
  }

 private:
  Micros LateBy(int64_t row) const {
    if (late_.share == 0) return 0;
    Random random = RandomOf(seed_, kLateStream, row);
    if (random.Unit() >= late_.share) return 0;
    return static_cast<Micros>(random.Below(static_cast<uint64_t>(late_.by) + 1));
  }

  Result<std::shared_ptr<arrow::Array>> MakeColumn(size_t c, int64_t first, int64_t rows) const {
    const MadeColumn& column = columns_[c];
    std::unique_ptr<arrow::ArrayBuilder> builder;
    LEAT_RETURN(arrow::MakeBuilder(arrow::default_memory_pool(), ArrowType(column.type), &builder));
    LEAT_RETURN(builder->Reserve(rows));
    for (int64_t row = first; row < first + rows; ++row) {
      if (column.nulls > 0 && RandomOf(seed_, kNullStream + c, row).Unit() < column.nulls) {
        LEAT_RETURN(builder->AppendNull());
        continue;
      }
      Random random = RandomOf(seed_, c, row);
      LEAT_RETURN(Append(column, &random, row, builder.get()));
    }
    return builder->Finish();
  }

  Status Append(const MadeColumn& column, Random* random, int64_t row,
                arrow::ArrayBuilder* to) const {
    const ColumnRule& rule = column.rule;
    if (rule.is_time()) {
      const Micros at = rule.Time(row) - LateBy(row);
      if (column.type.id == TypeId::kDate) {
        return static_cast<arrow::Date32Builder*>(to)->Append(static_cast<int32_t>(DaysOf(at)));
      }
      return static_cast<arrow::TimestampBuilder*>(to)->Append(at);
    }
    if (!rule.is_text()) {
      if (column.type.id == TypeId::kInt8) {
        return static_cast<arrow::Int64Builder*>(to)->Append(rule.Whole(random, row));
      }
      if (column.type.id == TypeId::kFloat8) {
        return static_cast<arrow::DoubleBuilder*>(to)->Append(rule.Number(random, row));
      }
    }
    if (column.type.id == TypeId::kText) {
      return static_cast<arrow::StringBuilder*>(to)->Append(rule.Text(random, row));
    }
    // The other types read the value as PostgreSQL reads its text.
    const bool fraction = !rule.is_text() && !column.type.is_integer() && !column.type.is_string();
    const std::string text =
        fraction ? fmt::format("{:.6f}", rule.Number(random, row)) : rule.Text(random, row);
    LEAT_ASSIGN(const auto value, ParseValue(text, column.type, {}));
    return to->AppendScalar(*value);
  }

  const std::vector<MadeColumn> columns_;
  const uint64_t seed_;
  const LateRows late_;
};

}  // namespace

Result<std::unique_ptr<RowMaker>> MakeColumnMaker(const Relation& relation, uint64_t seed,
                                                  const LateRows& late) {
  std::vector<MadeColumn> columns;
  for (const ColumnSpec& spec : relation.columns) {
    MadeColumn column{.type = spec.column.type};
    LEAT_ASSIGN(column.rule, ColumnRule::Make(spec));
    const std::string nulls = OptionOr(spec.options, "nulls", "0");
    const auto [end, error] =
        std::from_chars(nulls.data(), nulls.data() + nulls.size(), column.nulls);
    if (error != std::errc() || end != nulls.data() + nulls.size() || column.nulls < 0 ||
        column.nulls > 1) {
      return InvalidValue("nulls", nulls, "A share is a number from 0 to 1.");
    }
    columns.push_back(std::move(column));
  }
  return std::make_unique<ColumnMaker>(std::move(columns), seed, late);
}

}  // namespace leat
