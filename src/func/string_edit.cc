// Functions that change texts.
#include <algorithm>

#include "data/utf8.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr int64_t kTextBytesMax = int64_t{1} << 30;  // PostgreSQL's limit of a value

void SetTooLong(const Call& call, int64_t row) {
  call.errors->Set(row, "54000", "requested length too large");
}

Result<ArrayPtr> Replace(const Call& call, Arguments args) {
  const Texts texts(args[0]), from(args[1]), to(args[2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    const std::string_view wanted = from[row];
    size_t begin = 0;
    while (!wanted.empty()) {
      const size_t at = text.find(wanted, begin);
      if (at == text.npos) break;
      *out += text.substr(begin, at - begin);
      *out += to[row];
      begin = at + wanted.size();
    }
    *out += text.substr(begin);
  });
}

// Whether the code point is one of `set`.
bool IsOneOf(std::string_view code_point, std::string_view set) {
  return set.find(code_point) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text, std::string_view set, bool left, bool right) {
  while (left && !text.empty()) {
    const std::string_view first = CodePointAt(text, 0);
    if (!IsOneOf(first, set)) break;
    text.remove_prefix(first.size());
  }
  while (right && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && IsContinuation(text[at])) --at;
    if (!IsOneOf(text.substr(at), set)) break;
    text = text.substr(0, at);
  }
  return text;
}

template <bool left, bool right>
Result<ArrayPtr> Trim(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  if (args.size() == 1) {
    return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
      *out += Trimmed(texts[row], " ", left, right);
    });
  }
  const Texts sets(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    *out += Trimmed(texts[row], sets[row], left, right);
  });
}

void AppendFill(std::string_view fill, int64_t count, std::string* out) {
  const int64_t length = CodePoints(fill);
  for (; count >= length; count -= length) *out += fill;
  *out += fill.substr(0, ByteOf(fill, count));
}

template <bool left>
Result<ArrayPtr> Pad(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  const Values<int32_t> lengths(args[1]);
  const bool has_fill = args.size() == 3;
  const Texts fills(args[has_fill ? 2 : 0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    const std::string_view fill = has_fill ? fills[row] : " ";
    const int64_t wanted = std::max(lengths[row], 0);
    if (wanted > kTextBytesMax / 4) return SetTooLong(call, row);
    const int64_t missing = fill.empty() ? 0 : wanted - CodePoints(text);
    if (missing <= 0) {
      *out += text.substr(0, ByteOf(text, wanted));
      return;
    }
    if (left) AppendFill(fill, missing, out);
    *out += text;
    if (!left) AppendFill(fill, missing, out);
  });
}

Result<ArrayPtr> Repeat(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  const Values<int32_t> counts(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    if (static_cast<int64_t>(text.size()) * counts[row] > kTextBytesMax) {
      return SetTooLong(call, row);
    }
    for (int32_t i = 0; i < counts[row] && !text.empty(); ++i) *out += text;
  });
}

Result<ArrayPtr> Reverse(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    for (size_t end = text.size(); end > 0;) {
      size_t at = end - 1;
      while (at > 0 && IsContinuation(text[at])) --at;
      *out += text.substr(at, end - at);
      end = at;
    }
  });
}

// Each character of the second text becomes the one at its place in the third, or nothing.
Result<ArrayPtr> Translate(const Call& call, Arguments args) {
  const Texts texts(args[0]), from(args[1]), to(args[2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    for (size_t at = 0; at < text.size();) {
      const std::string_view point = CodePointAt(text, at);
      at += point.size();
      const size_t found = from[row].find(point);
      if (found == std::string_view::npos) {
        *out += point;
        continue;
      }
      const int64_t index = CodePoints(from[row].substr(0, found));
      *out += CodePointRange(to[row], index, index + 1);
    }
  });
}

// overlay(text, replacement, start [, count]).
Result<ArrayPtr> Overlay(const Call& call, Arguments args) {
  const Texts texts(args[0]), pieces(args[1]);
  const Values<int32_t> starts(args[2]);
  const bool counted = args.size() == 4;
  const Values<int32_t> counts(args[counted ? 3 : 2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    const int64_t start = starts[row];
    if (start <= 0) {
      call.errors->Set(row, "22011", "negative substring length not allowed");
      return;
    }
    const int64_t count = counted ? counts[row] : CodePoints(pieces[row]);
    *out += text.substr(0, ByteOf(text, start - 1));
    *out += pieces[row];
    *out += text.substr(ByteOf(text, start - 1 + count));
  });
}

void AppendQuoted(std::string_view text, char quote, std::string* out) {
  out->push_back(quote);
  for (const char c : text) out->append(c == quote ? 2 : 1, c);
  out->push_back(quote);
}

Result<ArrayPtr> QuoteLiteral(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    if (text.find('\\') == text.npos) return AppendQuoted(text, '\'', out);
    std::string doubled;
    for (const char c : text) doubled.append(c == '\\' ? 2 : 1, c);
    *out += 'E';
    AppendQuoted(doubled, '\'', out);
  });
}

Result<ArrayPtr> QuoteNullable(const Call& call, Arguments args) {
  LEAT_ASSIGN(const ArrayPtr quoted, QuoteLiteral(call, args));
  const auto& texts = static_cast<const arrow::StringArray&>(*quoted);
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    writer.bytes() += texts.IsNull(row) ? std::string_view("NULL") : texts.GetView(row);
    writer.End();
  }
  return writer.Finish(*call.result, Nulls{});
}

void AddTrims(std::vector<Function>* out) {
  struct Form {
    const char* name;
    Kernel kernel;
    const char* blanks;
    const char* set;
  };
  for (const Form& form : {Form{"btrim", Trim<true, true>, "a", "trim"},
                           Form{"ltrim", Trim<true, false>, "a ", "trimyx"},
                           Form{"rtrim", Trim<false, true>, " a", "xyxtrim"}}) {
    const std::string blanks = fmt::format("{}(' a ')", form.name);
    const std::string set = fmt::format("{}('xyxtrimyyx', 'xyz')", form.name);
    out->push_back(Spec(form.name, {kText}, kText, form.kernel,
                        {"Without the blanks at its ends", blanks.c_str(), form.blanks}));
    const char* answer = form.name[0] == 'l' ? "trimyyx" : form.set;
    out->push_back(Spec(form.name, {kText, kText}, kText, form.kernel,
                        {"Without these characters at its ends", set.c_str(), answer}));
  }
}

void AddPads(std::vector<Function>* out) {
  out->push_back(Spec("lpad", {kText, kInt4, kText}, kText, Pad<true>,
                      {"Filled up or cut to a length", "lpad('hi', 5, 'xy')", "xyxhi"}));
  out->push_back(Spec("lpad", {kText, kInt4}, kText, Pad<true>,
                      {"Filled up or cut to a length", "lpad('7', 3)", "  7"}));
  out->push_back(Spec("rpad", {kText, kInt4, kText}, kText, Pad<false>,
                      {"Filled up or cut to a length", "rpad('hi', 5, 'xy')", "hixyx"}));
  out->push_back(Spec("rpad", {kText, kInt4}, kText, Pad<false>,
                      {"Filled up or cut to a length", "rpad('hello', 3)", "hel"}));
}

}  // namespace

void AddStringEditFunctions(std::vector<Function>* out) {
  out->push_back(
      Spec("replace", {kText, kText, kText}, kText, Replace,
           {"With all occurrences replaced", "replace('abcdefabc', 'cd', 'XX')", "abXXefabc"}));
  AddTrims(out);
  AddPads(out);
  out->push_back(Spec("repeat", {kText, kInt4}, kText, Repeat,
                      {"Many times over", "repeat('Pg', 3)", "PgPgPg"}));
  out->push_back(Spec("reverse", {kText}, kText, Reverse,
                      {"The characters backwards", "reverse('abcde')", "edcba"}));
  out->push_back(
      Spec("translate", {kText, kText, kText}, kText, Translate,
           {"Characters changed one by one", "translate('12345', '143', 'ax')", "a2x5"}));
  out->push_back(Spec("overlay", {kText, kText, kInt4}, kText, Overlay,
                      {"With a part replaced", "overlay('Txxxxas', 'hom', 2)", "Thomxas"}));
  out->push_back(Spec("overlay", {kText, kText, kInt4, kInt4}, kText, Overlay,
                      {"With a part replaced", "overlay('Txxxxas', 'hom', 2, 4)", "Thomas"}));
  out->push_back(Spec("quote_literal", {kText}, kText, QuoteLiteral,
                      {"As a literal of SQL", "quote_literal('O''Reilly')", "'O''Reilly'"}));
  out->push_back(Spec("quote_nullable", {kText}, kText, QuoteNullable,
                      {"As a literal of SQL, or the word NULL", "quote_nullable(NULL)", "NULL"}));
  out->back().strict = false;
}

}  // namespace leat
