// Functions that look at texts or give parts of them. Letters are ASCII's: COLLATE "C".
#include <algorithm>

#include "base/ascii.h"
#include "data/utf8.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

template <char (*f)(char)>
Result<ArrayPtr> MapCharacters(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    for (const char c : texts[row]) out->push_back(f(c));
  });
}

Result<ArrayPtr> InitCap(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    bool inside = false;
    for (const char c : texts[row]) {
      out->push_back(inside ? LowerAscii(c) : UpperAscii(c));
      inside = IsLower(c) || IsUpper(c) || IsDigit(c);
    }
  });
}

template <int32_t (*f)(std::string_view)>
Result<ArrayPtr> Count(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  return MapRows<int32_t>(call, args, [&](int64_t row) { return f(texts[row]); });
}

int32_t Length(std::string_view text) { return static_cast<int32_t>(CodePoints(text)); }
int32_t Octets(std::string_view text) { return static_cast<int32_t>(text.size()); }
int32_t Bits(std::string_view text) { return static_cast<int32_t>(text.size() * 8); }
int32_t PaddedLength(std::string_view text) {
  const size_t last = text.find_last_not_of(' ');
  return Length(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}
int32_t Ascii(std::string_view text) {
  return text.empty() ? 0 : static_cast<int32_t>(DecodeCodePoint(CodePointAt(text, 0)));
}

// substring(text, start [, length]): positions begin at 1 and may lie before it.
template <bool bytes>
Result<ArrayPtr> Substring(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  const Values<int32_t> starts(args[1]);
  const bool bounded = args.size() == 3;
  const Values<int32_t> lengths(args[bounded ? 2 : 1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const int64_t begin = int64_t{starts[row]} - 1;
    if (bounded && lengths[row] < 0) {
      call.errors->Set(row, "22011", "negative substring length not allowed");
      return;
    }
    const int64_t end = bounded ? begin + lengths[row] : INT64_MAX;
    const std::string_view text = texts[row];
    if (end <= std::max<int64_t>(begin, 0)) return;
    if (bytes) {
      const auto size = static_cast<int64_t>(text.size());
      const int64_t from = std::clamp<int64_t>(begin, 0, size);
      const int64_t to = std::clamp<int64_t>(end, from, size);
      *out += text.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
    } else {
      *out += CodePointRange(text, std::max<int64_t>(begin, 0), end);
    }
  });
}

// left and right; a negative count leaves out so many at the other end.
template <bool left>
Result<ArrayPtr> End(const Call& call, Arguments args) {
  const Texts texts(args[0]);
  const Values<int32_t> counts(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view text = texts[row];
    int64_t count = counts[row];
    if (left && count >= 0) {
      *out += text.substr(0, ByteOf(text, count));
      return;
    }
    const int64_t length = CodePoints(text);
    if (count < 0) count = std::max<int64_t>(length + count, 0);
    count = std::min(count, length);
    if (left) {
      *out += text.substr(0, ByteOf(text, count));
    } else {
      *out += text.substr(ByteOf(text, length - count));
    }
  });
}

// The place of the second text in the first, from 1; 0 if it is not there.
Result<ArrayPtr> Position(const Call& call, Arguments args) {
  const Texts texts(args[0]), wanted(args[1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const std::string_view text = texts[row];
    const size_t at = text.find(wanted[row]);
    return at == std::string_view::npos ? 0 : Length(text.substr(0, at)) + 1;
  });
}

Result<ArrayPtr> StartsWith(const Call& call, Arguments args) {
  const Texts texts(args[0]), prefixes(args[1]);
  return MapRowsToBool(call, args,
                       [&](int64_t row) { return texts[row].starts_with(prefixes[row]); });
}

// Field n of a text cut at each delimiter; a negative n counts from the end.
std::string_view FieldOf(std::string_view text, std::string_view delimiter, int64_t n) {
  if (text.empty()) return {};
  if (delimiter.empty()) return n == 1 || n == -1 ? text : std::string_view{};
  if (n < 0) {
    int64_t fields = 1;
    for (size_t at = text.find(delimiter); at != text.npos;
         at = text.find(delimiter, at + delimiter.size())) {
      ++fields;
    }
    n += fields + 1;
    if (n < 1) return {};
  }
  size_t begin = 0;
  for (; n > 1; --n) {
    const size_t at = text.find(delimiter, begin);
    if (at == text.npos) return {};
    begin = at + delimiter.size();
  }
  return text.substr(begin, text.find(delimiter, begin) - begin);
}

Result<ArrayPtr> SplitPart(const Call& call, Arguments args) {
  const Texts texts(args[0]), delimiters(args[1]);
  const Values<int32_t> numbers(args[2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    if (numbers[row] == 0) {
      call.errors->Set(row, "22023", "field position must not be zero");
      return;
    }
    *out += FieldOf(texts[row], delimiters[row], numbers[row]);
  });
}

Result<ArrayPtr> Chr(const Call& call, Arguments args) {
  const Values<int32_t> codes(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const int32_t code = codes[row];
    if (code < 0) {
      call.errors->Set(row, "54000", "character number must be positive");
    } else if (code == 0) {
      call.errors->Set(row, "54000", "null character not permitted");
    } else if (code > 0x10FFFF) {
      call.errors->Set(row, "54000",
                       "requested character too large for encoding: " + std::to_string(code));
    } else if (code >= 0xD800 && code < 0xE000) {
      call.errors->Set(row, "54000",
                       "requested character not valid for encoding: " + std::to_string(code));
    } else {
      AppendCodePoint(static_cast<uint32_t>(code), out);
    }
  });
}

template <typename T>
Result<ArrayPtr> ToHex(const Call& call, Arguments args) {
  const Values<T> values(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    *out += fmt::format("{:x}", static_cast<std::make_unsigned_t<T>>(values[row]));
  });
}

void AddLengths(std::vector<Function>* out) {
  for (const char* name : {"length", "char_length", "character_length"}) {
    const std::string example = fmt::format("{}('jos\xC3\xA9')", name);
    const std::string padded = fmt::format("{}('ab'::char(5))", name);
    out->push_back(
        Spec(name, {kText}, kInt4, Count<Length>, {"Number of characters", example.c_str(), "4"}));
    out->push_back(Spec(name, {kChar}, kInt4, Count<PaddedLength>,
                        {"Number of characters before the padding", padded.c_str(), "2"}));
  }
  out->push_back(Spec("octet_length", {kText}, kInt4, Count<Octets>,
                      {"Number of bytes", "octet_length('jos\xC3\xA9')", "5"}));
  out->push_back(Spec("octet_length", {kChar}, kInt4, Count<Octets>,
                      {"Number of bytes", "octet_length('ab'::char(5))", "5"}));
  out->push_back(Spec("octet_length", {kBytea}, kInt4, Count<Octets>,
                      {"Number of bytes", "octet_length('\\x0102'::bytea)", "2"}));
  out->push_back(Spec("length", {kBytea}, kInt4, Count<Octets>,
                      {"Number of bytes", "length('\\x0102'::bytea)", "2"}));
  out->push_back(Spec("bit_length", {kText}, kInt4, Count<Bits>,
                      {"Number of bits", "bit_length('jose')", "32"}));
  out->push_back(Spec("ascii", {kText}, kInt4, Count<Ascii>,
                      {"The code point of the first character", "ascii('x')", "120"}));
}

void AddParts(std::vector<Function>* out) {
  for (const char* name : {"substring", "substr"}) {
    const std::string from = fmt::format("{}('alphabet', 3)", name);
    const std::string from_for = fmt::format("{}('alphabet', 3, 2)", name);
    out->push_back(Spec(name, {kText, kInt4}, kText, Substring<false>,
                        {"The text from a character on", from.c_str(), "phabet"}));
    out->push_back(Spec(name, {kText, kInt4, kInt4}, kText, Substring<false>,
                        {"So many characters from one on", from_for.c_str(), "ph"}));
    const std::string bytes = fmt::format("{}('\\x010203'::bytea, 2, 1)", name);
    out->push_back(Spec(name, {kBytea, kInt4}, kBytea, Substring<true>, {"The bytes from one on"}));
    out->push_back(Spec(name, {kBytea, kInt4, kInt4}, kBytea, Substring<true>,
                        {"So many bytes from one on", bytes.c_str(), "\\x02"}));
  }
  out->push_back(Spec("left", {kText, kInt4}, kText, End<true>,
                      {"The first characters", "left('abcde', 2)", "ab"}));
  out->push_back(Spec("right", {kText, kInt4}, kText, End<false>,
                      {"The last characters", "right('abcde', 2)", "de"}));
  out->push_back(Spec(
      "split_part", {kText, kText, kInt4}, kText, SplitPart,
      {"A field of a text with delimiters", "split_part('abc~@~def~@~ghi', '~@~', 2)", "def"}));
}

}  // namespace

void AddStringFunctions(std::vector<Function>* out) {
  out->push_back(Spec("lower", {kText}, kText, MapCharacters<LowerAscii>,
                      {"In lower case", "lower('TOM')", "tom"}));
  out->push_back(Spec("upper", {kText}, kText, MapCharacters<UpperAscii>,
                      {"In upper case", "upper('tom')", "TOM"}));
  out->push_back(Spec("initcap", {kText}, kText, InitCap,
                      {"Each word with a capital", "initcap('hi THOMAS')", "Hi Thomas"}));
  AddLengths(out);
  AddParts(out);
  out->push_back(Spec("position", {kText, kText}, kInt4, Position,
                      {"Where a text is in another", "position('om' IN 'Thomas')", "3"}));
  out->push_back(Spec("strpos", {kText, kText}, kInt4, Position,
                      {"Where the second text is in the first", "strpos('high', 'ig')", "2"}));
  out->push_back(Spec("starts_with", {kText, kText}, kBool, StartsWith,
                      {"Whether it begins so", "starts_with('alphabet', 'alph')", "t"}));
  out->push_back(Spec("^@", {kText, kText}, kBool, StartsWith,
                      {"Whether it begins so", "'alphabet' ^@ 'alph'", "t"}));
  out->push_back(
      Spec("chr", {kInt4}, kText, Chr, {"The character of a code point", "chr(65)", "A"}));
  out->push_back(Spec("to_hex", {kInt4}, kText, ToHex<int32_t>,
                      {"In hexadecimal digits", "to_hex(2147483647)", "7fffffff"}));
  out->push_back(Spec("to_hex", {kInt8}, kText, ToHex<int64_t>,
                      {"In hexadecimal digits", "to_hex(10::bigint)", "a"}));
}

}  // namespace leat
