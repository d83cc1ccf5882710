// ~, regexp_replace and their kin.
#include <arrow/builder.h>

#include <optional>

#include "data/utf8.h"
#include "func/list.h"
#include "func/regex.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// The regular expression of each row: compiled again only where it changes.
class RowRegex {
 public:
  // `flags`: the argument with the option letters, or nullptr.
  RowRegex(const Argument& pattern, const Argument* flags)
      : patterns_(pattern),
        flags_(flags == nullptr ? pattern : *flags),
        has_flags_(flags != nullptr) {}

  Result<const Regex*> At(int64_t row, RegexFlags flags = {}) {
    const std::string_view letters = has_flags_ ? flags_[row] : std::string_view();
    if (regex_ && pattern_ == patterns_[row] && letters_ == letters) return &*regex_;
    if (has_flags_) LEAT_RETURN(ParseRegexFlags(letters, &flags));
    LEAT_ASSIGN(Regex regex, Regex::Compile(patterns_[row], flags));
    regex_.emplace(std::move(regex));
    parsed_ = flags;
    pattern_ = patterns_[row];
    letters_ = letters;
    return &*regex_;
  }
  const RegexFlags& flags() const { return parsed_; }  // of the last At

 private:
  Texts patterns_, flags_;
  bool has_flags_;
  std::optional<Regex> regex_;
  RegexFlags parsed_;
  std::string pattern_, letters_;
};

using Spans = std::vector<RegexSpan>;

std::string_view Of(std::string_view text, const RegexSpan& span) {
  return text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin));
}

// Calls visit(spans) with the matches from byte `from` on, until it returns false. After an empty
// match the search goes on one character further.
template <typename Visit>
Status EachMatch(const Regex& regex, std::string_view text, int64_t from, Visit visit) {
  Spans spans;
  const auto size = static_cast<int64_t>(text.size());
  while (from <= size) {
    LEAT_ASSIGN(const bool found, regex.Find(text, from, &spans));
    if (!found || !visit(spans)) break;
    from = spans[0].end;
    if (spans[0].begin != spans[0].end) continue;
    from = from < size
               ? from + static_cast<int64_t>(CodePointAt(text, static_cast<size_t>(from)).size())
               : size + 1;
  }
  return Status::OK();
}

template <bool ignore_case, bool wanted>
Result<ArrayPtr> Matches(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], nullptr);
  return MapRowsToBool(call, args, [&](int64_t row) {
    const auto test = [&]() -> Result<bool> {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row, {.ignore_case = ignore_case}));
      return regex->Matches(texts[row]);
    };
    const Result<bool> matches = test();
    if (!matches.ok()) SetError(call, row, matches.status());
    return matches.ok() && *matches == wanted;
  });
}

Result<ArrayPtr> RegexpLike(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], args.size() > 2 ? &args[2] : nullptr);
  return MapRowsToBool(call, args, [&](int64_t row) {
    const auto test = [&]() -> Result<bool> {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      return regex->Matches(texts[row]);
    };
    const Result<bool> matches = test();
    if (!matches.ok()) SetError(call, row, matches.status());
    return matches.ok() && *matches;
  });
}

// The groups of a match, or all of it where there are none.
Status AppendMatch(std::string_view text, const Spans& spans, arrow::StringBuilder* out) {
  for (size_t i = spans.size() == 1 ? 0 : 1; i < spans.size(); ++i) {
    LEAT_RETURN(spans[i].begin < 0 ? out->AppendNull() : out->Append(Of(text, spans[i])));
  }
  return Status::OK();
}

Status NoGlobal(std::string_view name) {
  return SqlStatus(
      fmt::format("{} does not support the \"global\" option", name),
      {.sqlstate = "22023",
       .hint = name == "regexp_match()" ? "Use the regexp_matches function instead." : ""});
}

Result<ArrayPtr> RegexpMatch(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], args.size() > 2 ? &args[2] : nullptr);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  arrow::StringBuilder builder;
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> none;
  Spans spans;
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto match = [&]() -> Result<bool> {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      if (regexes.flags().global) return NoGlobal("regexp_match()");
      return regex->Find(texts[row], 0, &spans);
    };
    bool found = false;
    if (!nulls.Has(row) && call.selection->Has(row)) {
      const Result<bool> result = match();
      if (!result.ok()) SetError(call, row, result.status());
      found = result.ok() && *result;
    }
    if (found) LEAT_RETURN(AppendMatch(texts[row], spans, &builder));
    if (!found) none.push_back(row);
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(Type::Array(kText), elements, offsets, none);
}

// A set of arrays: one for each match ('g'), or for the first.
Result<ArrayPtr> RegexpMatches(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], args.size() > 2 ? &args[2] : nullptr);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  arrow::StringBuilder builder;
  std::vector<int32_t> offsets = {0}, inner = {0};
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto list = [&]() -> Status {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      Status status;
      LEAT_RETURN(EachMatch(*regex, texts[row], 0, [&](const Spans& spans) {
        status = AppendMatch(texts[row], spans, &builder);
        inner.push_back(static_cast<int32_t>(builder.length()));
        return status.ok() && regexes.flags().global;
      }));
      return status;
    };
    if (!nulls.Has(row) && call.selection->Has(row)) {
      const Status status = list();
      if (!status.ok()) SetError(call, row, status);
    }
    offsets.push_back(static_cast<int32_t>(inner.size()) - 1);
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  LEAT_ASSIGN(const ArrayPtr arrays, ListColumn(Type::Array(kText), elements, inner, {}));
  return ListColumn(*call.result, arrays, offsets, {});
}

// The replacement with \1 … \9, \& and \\ filled in.
void AppendReplacement(std::string_view replacement, std::string_view text, const Spans& spans,
                       std::string* out) {
  for (size_t at = 0; at < replacement.size(); ++at) {
    const char next = at + 1 < replacement.size() ? replacement[at + 1] : '\0';
    if (replacement[at] != '\\' || next == '\0') {
      *out += replacement[at];
    } else if (next == '&' || (next >= '1' && next <= '9')) {
      const auto group = static_cast<size_t>(next == '&' ? 0 : next - '0');
      if (group < spans.size() && spans[group].begin >= 0) *out += Of(text, spans[group]);
      ++at;
    } else {
      *out += '\\';
      if (next == '\\') ++at;
    }
  }
}

// regexp_replace(text, pattern, replacement [, flags])
// regexp_replace(text, pattern, replacement, start [, n [, flags]])
template <bool placed>
Result<ArrayPtr> RegexpReplace(const Call& call, Arguments args) {
  const Texts texts(args[0]), replacements(args[2]);
  const size_t flags_at = placed ? 5 : 3;
  RowRegex regexes(args[1], args.size() > flags_at ? &args[flags_at] : nullptr);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const auto replace = [&]() -> Status {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      const std::string_view text = texts[row];
      int64_t from = 0;
      int64_t nth = regexes.flags().global ? 0 : 1;
      if (placed) {
        const int32_t start = Values<int32_t>(args[3])[row];
        if (start <= 0) {
          return SqlStatus(fmt::format("invalid value for parameter \"start\": {}", start),
                           {.sqlstate = "22023"});
        }
        from = static_cast<int64_t>(ByteOf(text, start - 1));
        if (start - 1 > CodePoints(text)) from = static_cast<int64_t>(text.size()) + 1;
        if (args.size() > 4) nth = Values<int32_t>(args[4])[row];
        if (nth < 0) {
          return SqlStatus(fmt::format("invalid value for parameter \"n\": {}", nth),
                           {.sqlstate = "22023"});
        }
      }
      int64_t done = 0, number = 0;
      LEAT_RETURN(EachMatch(*regex, text, from, [&](const Spans& spans) {
        if (nth > 0 && ++number < nth) return true;
        *out += text.substr(static_cast<size_t>(done), static_cast<size_t>(spans[0].begin - done));
        AppendReplacement(replacements[row], text, spans, out);
        done = spans[0].end;
        return nth == 0;
      }));
      *out += text.substr(static_cast<size_t>(done));
      return Status::OK();
    };
    const Status status = replace();
    if (!status.ok()) SetError(call, row, status);
  });
}

// The parts between matches; an empty match at an end or after another does not split.
template <bool set>
Result<ArrayPtr> RegexpSplit(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], args.size() > 2 ? &args[2] : nullptr);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  arrow::StringBuilder builder;
  std::vector<int32_t> offsets = {0};
  std::vector<int64_t> null_rows;
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto split = [&]() -> Status {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      if (regexes.flags().global) {
        return NoGlobal(set ? "regexp_split_to_table()" : "regexp_split_to_array()");
      }
      const std::string_view text = texts[row];
      const auto size = static_cast<int64_t>(text.size());
      int64_t begin = 0;
      Status status;
      LEAT_RETURN(EachMatch(*regex, text, 0, [&](const Spans& spans) {
        const RegexSpan& match = spans[0];
        if (match.begin == match.end && (match.begin >= size || match.begin <= begin)) {
          return true;
        }
        status = builder.Append(
            text.substr(static_cast<size_t>(begin), static_cast<size_t>(match.begin - begin)));
        begin = match.end;
        return status.ok();
      }));
      LEAT_RETURN(status);
      LEAT_RETURN(builder.Append(text.substr(static_cast<size_t>(begin))));
      return Status::OK();
    };
    if (nulls.Has(row)) {
      null_rows.push_back(row);
    } else if (call.selection->Has(row)) {
      const Status status = split();
      if (!status.ok()) SetError(call, row, status);
    }
    offsets.push_back(static_cast<int32_t>(builder.length()));
  }
  LEAT_ASSIGN(const ArrayPtr elements, builder.Finish());
  return ListColumn(Type::Array(kText), elements, offsets, null_rows);
}

// regexp_count(text, pattern [, start [, flags]])
Result<ArrayPtr> RegexpCount(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], args.size() > 3 ? &args[3] : nullptr);
  return MapRows<int32_t>(call, args, [&](int64_t row) {
    int32_t count = 0;
    const auto matches = [&]() -> Status {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      if (regexes.flags().global) return NoGlobal("regexp_count()");
      int64_t from = 0;
      if (args.size() > 2) {
        const int32_t start = Values<int32_t>(args[2])[row];
        if (start <= 0) {
          return SqlStatus(fmt::format("invalid value for parameter \"start\": {}", start),
                           {.sqlstate = "22023"});
        }
        from = start - 1 > CodePoints(texts[row])
                   ? static_cast<int64_t>(texts[row].size()) + 1
                   : static_cast<int64_t>(ByteOf(texts[row], start - 1));
      }
      return EachMatch(*regex, texts[row], from, [&](const Spans&) {
        ++count;
        return true;
      });
    };
    const Status status = matches();
    if (!status.ok()) SetError(call, row, status);
    return count;
  });
}

// substring(text FROM pattern), regexp_substr(text, pattern): the first group, or all of the match
// (regexp_substr always all).
template <bool group>
Result<ArrayPtr> FirstMatch(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  RowRegex regexes(args[1], nullptr);
  LEAT_ASSIGN(const Nulls nulls, NullsOf(args, call.rows));
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(call.rows));
  Spans spans;
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto match = [&]() -> Result<bool> {
      LEAT_ASSIGN(const Regex* regex, regexes.At(row));
      return regex->Find(texts[row], 0, &spans);
    };
    if (!nulls.Has(row) && call.selection->Has(row)) {
      const Result<bool> found = match();
      if (!found.ok()) SetError(call, row, found.status());
      const size_t at = group && spans.size() > 1 ? 1 : 0;
      if (found.ok() && *found && spans[at].begin >= 0) {
        writer.bytes() += Of(texts[row], spans[at]);
        arrow::bit_util::SetBit(valid->mutable_data(), row);
      }
    }
    writer.End();
  }
  return writer.Finish(*call.result,
                       {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// SIMILAR TO's pattern as a regular expression.
Status AppendSimilar(std::string_view pattern, std::string_view escape, std::string* out) {
  *out += "^(?:";
  bool bracket = false;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view point = CodePointAt(pattern, at);
    at += point.size();
    if (!escape.empty() && point == escape) {
      if (at >= pattern.size()) break;
      const std::string_view next = CodePointAt(pattern, at);
      at += next.size();
      if (next == "\"")
        return NotSupported("a part marked in a SIMILAR TO pattern is not supported");
      *out += '\\';
      *out += next;
    } else if (bracket) {
      if (point == "\\") *out += '\\';
      *out += point;
      bracket = point != "]";
    } else if (point == "%") {
      *out += ".*";
    } else if (point == "_") {
      *out += '.';
    } else if (point == "(") {
      *out += "(?:";
    } else if (point == "\\" || point == "." || point == "^" || point == "$") {
      *out += '\\';
      *out += point;
    } else {
      bracket = point == "[";
      *out += point;
    }
  }
  *out += ")$";
  return Status::OK();
}

Result<ArrayPtr> SimilarToEscape(const Call& call, Arguments args) {
  const Texts patterns(args[0]), escapes(args.back());
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view escape = args.size() == 2 ? escapes[row] : "\\";
    Status status;
    if (CodePoints(escape) > 1) {
      status =
          SqlStatus("invalid escape string",
                    {.sqlstate = "22025", .hint = "Escape string must be empty or one character."});
    } else {
      status = AppendSimilar(patterns[row], escape, out);
    }
    if (!status.ok()) SetError(call, row, status);
  });
}

void AddMatchOperators(std::vector<Function>* out) {
  out->push_back(Spec("~", {kText, kText}, kBool, Matches<false, true>,
                      {"Matches a regular expression", "'thomas' ~ 't.*ma'", "t"}));
  out->push_back(
      Spec("~*", {kText, kText}, kBool, Matches<true, true>,
           {"Matches a regular expression, whatever the case", "'thomas' ~* 'T.*ma'", "t"}));
  out->push_back(Spec("!~", {kText, kText}, kBool, Matches<false, false>,
                      {"Does not match a regular expression", "'thomas' !~ 't.*max'", "t"}));
  out->push_back(Spec("!~*", {kText, kText}, kBool, Matches<true, false>,
                      {"Does not match, whatever the case", "'thomas' !~* 'T.*ma'", "f"}));
  for (const auto& args : {std::vector<Type>{kText, kText}, {kText, kText, kText}}) {
    const bool flags = args.size() == 3;
    out->push_back(
        Spec("regexp_like", args, kBool, RegexpLike,
             {"Whether a regular expression matches",
              flags ? "regexp_like('Hello', 'h', 'i')" : "regexp_like('Hello', 'l+')", "t"}));
    out->push_back(
        Spec("regexp_match", args, Type::Array(kText), RegexpMatch,
             {"The groups of the first match, or all of it",
              flags ? "regexp_match('abc', 'B', 'i')" : "regexp_match('ab12', '([a-z]+)([0-9])')",
              flags ? "{b}" : "{ab,1}"}));
    out->push_back(Spec("regexp_split_to_array", args, Type::Array(kText), RegexpSplit<false>,
                        {"The parts between matches",
                         flags ? "regexp_split_to_array('aXbxc', 'x', 'i')"
                               : "regexp_split_to_array('a, b,c', ',\\s*')",
                         "{a,b,c}"}));
    out->push_back(Spec("regexp_matches", args, Type::Array(Type::Array(kText)), RegexpMatches,
                        {"A row for each match ('g'), or for the first: its groups"}));
    out->back().set = true;
    out->push_back(Spec("regexp_split_to_table", args, Type::Array(kText), RegexpSplit<true>,
                        {"A row for each part between matches"}));
    out->back().set = true;
  }
}

}  // namespace

void AddRegexFunctions(std::vector<Function>* out) {
  AddMatchOperators(out);
  out->push_back(
      Spec("regexp_replace", {kText, kText, kText}, kText, RegexpReplace<false>,
           {"With the first match replaced", "regexp_replace('Thomas', '.[mN]a.', 'M')", "ThM"}));
  out->push_back(Spec("regexp_replace", {kText, kText, kText, kText}, kText, RegexpReplace<false>,
                      {"With matches replaced ('g': all)",
                       "regexp_replace('a-b-c', '-(.)', '+\\1', 'g')", "a+b+c"}));
  out->push_back(Spec("regexp_replace", {kText, kText, kText, kInt4}, kText, RegexpReplace<true>,
                      {"With the first match from a place on replaced",
                       "regexp_replace('aaa', 'a', 'b', 2)", "aba"}));
  out->push_back(Spec(
      "regexp_replace", {kText, kText, kText, kInt4, kInt4}, kText, RegexpReplace<true>,
      {"With the nth match replaced (0: all)", "regexp_replace('aaa', 'a', 'b', 1, 3)", "aab"}));
  out->push_back(
      Spec("regexp_replace", {kText, kText, kText, kInt4, kInt4, kText}, kText, RegexpReplace<true>,
           {"With the nth match replaced", "regexp_replace('aAa', 'a', 'b', 1, 2, 'i')", "aba"}));
  out->push_back(Spec("regexp_count", {kText, kText}, kInt4, RegexpCount,
                      {"How many matches there are", "regexp_count('banana', 'an')", "2"}));
  out->push_back(
      Spec("regexp_count", {kText, kText, kInt4}, kInt4, RegexpCount,
           {"How many matches there are from a place on", "regexp_count('banana', 'an', 3)", "1"}));
  out->push_back(Spec("regexp_count", {kText, kText, kInt4, kText}, kInt4, RegexpCount,
                      {"How many matches there are", "regexp_count('bANana', 'an', 1, 'i')", "2"}));
  out->push_back(Spec("regexp_substr", {kText, kText}, kText, FirstMatch<false>,
                      {"The first match", "regexp_substr('foobar', 'o(.)b')", "oob"}));
  out->push_back(
      Spec("substring", {kText, kText}, kText, FirstMatch<true>,
           {"The first match, or its first group", "substring('foobar', 'o(.)b')", "o"}));
  out->push_back(Spec(
      "similar_to_escape", {kText}, kText, SimilarToEscape,
      {"A SIMILAR TO pattern as a regular expression", "similar_to_escape('a%')", "^(?:a.*)$"}));
  out->push_back(Spec("similar_to_escape", {kText, kText}, kText, SimilarToEscape,
                      {"A SIMILAR TO pattern as a regular expression",
                       "similar_to_escape('a#%', '#')", "^(?:a\\%)$"}));
}

}  // namespace leat
