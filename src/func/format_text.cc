// format(): a text with places for values.
#include "func/format_text.h"

#include <algorithm>
#include <optional>

#include "data/text.h"
#include "data/utf8.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether a name stands in SQL without quotes. (PostgreSQL quotes its keywords, too.)
bool IsPlainName(std::string_view name) {
  if (name.empty() || IsDigit(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '_'; });
}

std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) out.append(c == quote ? 2 : 1, c);
  return out + quote;
}

std::string QuotedLiteral(std::string_view text) {
  if (text.find('\\') == text.npos) return Quoted(text, '\'');
  std::string doubled;
  for (const char c : text) doubled.append(c == '\\' ? 2 : 1, c);
  return "E" + Quoted(doubled, '\'');
}

Status Wrong(std::string message, std::string hint = "") {
  return SqlStatus(std::move(message), {.sqlstate = "22023", .hint = std::move(hint)});
}

// One row's values, and the pattern being filled in.
class Formatter {
 public:
  Formatter(std::string_view pattern, const std::vector<std::optional<std::string_view>>& values)
      : pattern_(pattern), values_(values) {}

  Status Append(std::string* out) {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] != '%') {
        *out += pattern_[at_++];
        continue;
      }
      ++at_;
      if (at_ < pattern_.size() && pattern_[at_] == '%') {
        *out += '%';
        ++at_;
        continue;
      }
      LEAT_RETURN(Specifier(out));
    }
    return Status::OK();
  }

 private:
  bool Number(size_t* value) {
    const size_t begin = at_;
    for (*value = 0; at_ < pattern_.size() && IsDigit(pattern_[at_]) && *value < 1000000; ++at_) {
      *value = *value * 10 + static_cast<size_t>(pattern_[at_] - '0');
    }
    return at_ > begin;
  }

  Status Specifier(std::string* out) {
    const Status ended =
        Wrong("unterminated format() type specifier", "For a single \"%\" use \"%%\".");
    size_t number = 0, width = 0;
    bool left = false;
    const size_t begin = at_;
    if (Number(&number) && at_ < pattern_.size() && pattern_[at_] == '$') {
      ++at_;
      if (number == 0)
        return Wrong("format specifies argument 0, but arguments are numbered from 1");
    } else {
      number = 0;
      at_ = begin;
    }
    while (at_ < pattern_.size() && pattern_[at_] == '-') {
      left = true;
      ++at_;
    }
    if (at_ < pattern_.size() && pattern_[at_] == '*') {
      return NotSupported("a width from an argument of format() is not supported");
    }
    Number(&width);
    if (at_ >= pattern_.size()) return ended;
    const char kind = pattern_[at_++];
    if (kind != 's' && kind != 'I' && kind != 'L') {
      return Wrong(fmt::format("unrecognized format() type specifier \"{}\"",
                               CodePointAt(pattern_, at_ - 1)),
                   "For a single \"%\" use \"%%\".");
    }
    const size_t place = number > 0 ? number - 1 : next_;
    next_ = place + 1;
    if (place >= values_.size()) return Wrong("too few arguments for format()");
    LEAT_ASSIGN(const std::string text, Text(kind, values_[place]));
    const auto length = static_cast<size_t>(CodePoints(text));
    const std::string blanks(width > length ? width - length : 0, ' ');
    *out += left ? text + blanks : blanks + text;
    return Status::OK();
  }

  static Result<std::string> Text(char kind, const std::optional<std::string_view>& value) {
    if (kind == 'L') return value ? QuotedLiteral(*value) : std::string("NULL");
    if (kind == 's') return std::string(value.value_or(""));
    if (!value) {
      return SqlStatus("null values cannot be formatted as an SQL identifier",
                       {.sqlstate = "22004"});
    }
    return IsPlainName(*value) ? std::string(*value) : Quoted(*value, '"');
  }

  std::string_view pattern_;
  const std::vector<std::optional<std::string_view>>& values_;
  size_t at_ = 0;
  size_t next_ = 0;
};

Result<ArrayPtr> Format(const Call& call, Arguments args) {
  const TextSettings settings{.timezone = call.context->timezone, .now = call.context->now};
  const Texts patterns(args[0]);
  std::vector<ArrayPtr> columns;
  for (const Argument& arg : args.subspan(1)) {
    LEAT_ASSIGN(ArrayPtr column, ToTextColumn(*arg.array, arg.type, settings));
    columns.push_back(std::move(column));
  }
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args.first(1), call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  std::vector<std::optional<std::string_view>> values(columns.size());
  for (int64_t row = 0; row < call.rows; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto& column = static_cast<const arrow::StringArray&>(*columns[i]);
      const int64_t at = args[i + 1].at(row);
      values[i] = column.IsNull(at) ? std::nullopt : std::optional(column.GetView(at));
    }
    if (!nulls.Has(row) && call.selection->Has(row)) {
      const Status status = Formatter(patterns[row], values).Append(&writer.bytes());
      if (!status.ok()) SetError(call, row, status);
    }
    writer.End();
  }
  return writer.Finish(kText, nulls);
}

}  // namespace

void AddFormatFunctions(std::vector<Function>* out) {
  Function function =
      Spec("format", {kText, kUnknown}, kText, Format,
           {"A text with values in its places", "format('%s: %-4s|%2$s', 'a', 7)", "a: 7   |7"});
  function.variadic = true;
  function.strict = false;
  out->push_back(std::move(function));
}

}  // namespace leat
