// Text of bytea and uuid, and the lengths of varchar(n) and char(n).
#include <fmt/format.h>

#include "base/ascii.h"
#include "data/text_internal.h"

namespace leat::text_internal {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  c = LowerAscii(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The character that begins at the front of `text`: one byte or a UTF-8 sequence.
std::string_view FirstCharacter(std::string_view text) {
  size_t length = 1;
  while (length < text.size() && (text[length] & 0xC0) == 0x80) ++length;
  return text.substr(0, length);
}

Status ParseHex(std::string_view digits, std::string* out) {
  for (size_t i = 0; i < digits.size();) {
    if (IsSpace(digits[i])) {
      ++i;
      continue;
    }
    const int high = HexValue(digits[i]);
    const int low = i + 1 < digits.size() ? HexValue(digits[i + 1]) : 0;
    if (high < 0 || low < 0) {
      return SqlStatus(fmt::format("invalid hexadecimal digit: \"{}\"",
                                   FirstCharacter(digits.substr(high < 0 ? i : i + 1))),
                       {.sqlstate = "22023"});
    }
    if (i + 1 == digits.size()) {
      return SqlStatus("invalid hexadecimal data: odd number of digits", {.sqlstate = "22023"});
    }
    out->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return Status::OK();
}

}  // namespace

Status ParseBytea(std::string_view text, std::string* out) {
  out->clear();
  if (text.starts_with("\\x")) return ParseHex(text.substr(2), out);
  const auto octal = [&](size_t at, char last) {
    return at < text.size() && text[at] >= '0' && text[at] <= last;
  };
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out->push_back(text[i++]);
    } else if (octal(i + 1, '3') && octal(i + 2, '7') && octal(i + 3, '7')) {
      out->push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                       (text[i + 3] - '0')));
      i += 4;
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      out->push_back('\\');
      i += 2;
    } else {
      return SqlStatus("invalid input syntax for type bytea", {.sqlstate = kInvalidText});
    }
  }
  return Status::OK();
}

void AppendBytea(std::string_view bytes, std::string* out) {
  out->append("\\x");
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out->push_back(kHexDigits[byte >> 4]);
    out->push_back(kHexDigits[byte & 15]);
  }
}

// 32 digits in either case, optionally in braces, with a hyphen allowed after any four.
Status ParseUuid(std::string_view text, char out[16]) {
  std::string_view rest = text;
  const bool braces = rest.starts_with('{');
  if (braces) rest.remove_prefix(1);
  for (int i = 0; i < 16; ++i) {
    const int high = rest.size() >= 2 ? HexValue(rest[0]) : -1;
    const int low = rest.size() >= 2 ? HexValue(rest[1]) : -1;
    if (high < 0 || low < 0) return InvalidSyntax("uuid", text);
    out[i] = static_cast<char>(high * 16 + low);
    rest.remove_prefix(2);
    if (i % 2 == 1 && i < 15 && rest.starts_with('-')) rest.remove_prefix(1);
  }
  if (rest != (braces ? "}" : "")) return InvalidSyntax("uuid", text);
  return Status::OK();
}

void AppendUuid(const uint8_t* bytes, std::string* out) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out->push_back('-');
    out->push_back(kHexDigits[bytes[i] >> 4]);
    out->push_back(kHexDigits[bytes[i] & 15]);
  }
}

Status FitString(std::string_view text, const Type& type, std::string* scratch,
                 std::string_view* out) {
  *out = text;
  if (type.length < 0) return Status::OK();
  const auto length = static_cast<size_t>(type.length);
  size_t characters = 0, cut = text.size();
  if (text.size() > length || type.id == TypeId::kChar) {
    for (size_t i = 0; i < text.size(); ++i) {
      if ((text[i] & 0xC0) == 0x80) continue;
      if (characters++ == length) cut = i;
    }
  }
  if (characters > length) {
    if (text.find_first_not_of(' ', cut) != text.npos) {
      return SqlStatus(fmt::format("value too long for type {}", TypeName(type)),
                       {.sqlstate = "22001"});
    }
    *out = text.substr(0, cut);
  } else if (type.id == TypeId::kChar && characters < length) {
    scratch->assign(text);
    scratch->append(length - characters, ' ');
    *out = *scratch;
  }
  return Status::OK();
}

}  // namespace leat::text_internal
