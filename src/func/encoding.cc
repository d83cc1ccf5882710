// md5, encode, decode, and the bytes of texts.
#include <array>

#include "base/ascii.h"
#include "base/md5.h"
#include "data/utf8.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Result<ArrayPtr> Md5Of(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) { *out += Md5(bytes[row]); });
}

void AppendHex(std::string_view bytes, std::string* out) {
  for (const char c : bytes) {
    *out += kDigits[static_cast<uint8_t>(c) >> 4];
    *out += kDigits[static_cast<uint8_t>(c) & 15];
  }
}

// As PostgreSQL: a line has 76 characters.
void AppendBase64(std::string_view bytes, std::string* out) {
  size_t line = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t three = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    for (size_t i = 0; i < 3; ++i) {
      three = three << 8 | (i < count ? static_cast<uint8_t>(bytes[at + i]) : 0);
    }
    if (line == 76) {
      *out += '\n';
      line = 0;
    }
    for (size_t i = 0; i < 4; ++i) {
      *out += i > count ? '=' : kBase64[three >> (18 - 6 * i) & 63];
    }
    line += 4;
  }
}

void AppendEscaped(std::string_view bytes, std::string* out) {
  for (const char c : bytes) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\0' || static_cast<uint8_t>(c) >= 0x80) {
      *out += fmt::format("\\{:03o}", static_cast<uint8_t>(c));
    } else {
      *out += c;
    }
  }
}

int HexDigit(char c) {
  const size_t at = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

Status Wrong(std::string message) { return SqlStatus(std::move(message), {.sqlstate = "22023"}); }

Status DecodeHex(std::string_view text, std::string* out) {
  int high = -1;
  for (size_t at = 0; at < text.size(); ++at) {
    if (high < 0 && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) {
      continue;
    }
    const int digit = HexDigit(text[at]);
    if (digit < 0) {
      return Wrong(fmt::format("invalid hexadecimal digit: \"{}\"", CodePointAt(text, at)));
    }
    if (high >= 0) out->push_back(static_cast<char>(high * 16 + digit));
    high = high >= 0 ? -1 : digit;
  }
  return high < 0 ? Status::OK() : Wrong("invalid hexadecimal data: odd number of digits");
}

Status DecodeBase64(std::string_view text, std::string* out) {
  uint32_t bits = 0;
  int digits = 0;
  size_t padding = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
    if (c == '=') {
      if (digits + static_cast<int>(padding) < 2)
        return Wrong("unexpected \"=\" while decoding base64 sequence");
      ++padding;
      continue;
    }
    const size_t value = kBase64.find(c);
    if (value == std::string_view::npos || padding > 0) {
      return Wrong(fmt::format("invalid symbol \"{}\" found while decoding base64 sequence",
                               CodePointAt(text, at)));
    }
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++digits < 4) continue;
    for (const int shift : {16, 8, 0}) out->push_back(static_cast<char>(bits >> shift & 255));
    bits = 0;
    digits = 0;
  }
  if (digits == 0 && padding == 0) return Status::OK();
  if (digits < 2 || digits + static_cast<int>(padding) != 4) {
    return SqlStatus("invalid base64 end sequence",
                     {.sqlstate = "22023",
                      .hint = "Input data is missing padding, is truncated, or is otherwise "
                              "corrupted."});
  }
  bits <<= 6 * (4 - digits);
  out->push_back(static_cast<char>(bits >> 16 & 255));
  if (digits == 3) out->push_back(static_cast<char>(bits >> 8 & 255));
  return Status::OK();
}

Status DecodeEscaped(std::string_view text, std::string* out) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out->push_back(text[at]);
    } else if (at + 1 < text.size() && text[at + 1] == '\\') {
      out->push_back('\\');
      ++at;
    } else {
      int value = 0;
      for (size_t i = 1; i <= 3; ++i) {
        const char c = at + i < text.size() ? text[at + i] : '8';
        if (c < '0' || c > (i == 1 ? '3' : '7')) {
          return SqlStatus("invalid input syntax for type bytea", {.sqlstate = kInvalidText});
        }
        value = value * 8 + (c - '0');
      }
      out->push_back(static_cast<char>(value));
      at += 3;
    }
  }
  return Status::OK();
}

void SetUnknown(const Call& call, int64_t row, std::string_view format) {
  call.errors->Set(row, "22023", fmt::format("unrecognized encoding: \"{}\"", format));
}

Result<ArrayPtr> Encode(const Call& call, Arguments args) {
  const Texts bytes(args[0]), formats(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string format = LowerAscii(formats[row]);
    if (format == "hex") return AppendHex(bytes[row], out);
    if (format == "base64") return AppendBase64(bytes[row], out);
    if (format == "escape") return AppendEscaped(bytes[row], out);
    SetUnknown(call, row, formats[row]);
  });
}

Result<ArrayPtr> Decode(const Call& call, Arguments args) {
  const Texts texts(args[0]), formats(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string format = LowerAscii(formats[row]);
    Status status;
    if (format == "hex") {
      status = DecodeHex(texts[row], out);
    } else if (format == "base64") {
      status = DecodeBase64(texts[row], out);
    } else if (format == "escape") {
      status = DecodeEscaped(texts[row], out);
    } else {
      SetUnknown(call, row, formats[row]);
    }
    if (!status.ok()) SetError(call, row, status);
  });
}

}  // namespace

void AddEncodingFunctions(std::vector<Function>* out) {
  out->push_back(Spec(
      "md5", {kText}, kText, Md5Of,
      {"The MD5 hash, as hexadecimal digits", "md5('abc')", "900150983cd24fb0d6963f7d28e17f72"}));
  out->push_back(Spec("md5", {kBytea}, kText, Md5Of,
                      {"The MD5 hash, as hexadecimal digits", "md5('\\x616263'::bytea)",
                       "900150983cd24fb0d6963f7d28e17f72"}));
  out->push_back(
      Spec("encode", {kBytea, kText}, kText, Encode,
           {"Bytes as hex, base64 or escape", "encode('\\x1234'::bytea, 'base64')", "EjQ="}));
  out->push_back(Spec("decode", {kText, kText}, kBytea, Decode,
                      {"Bytes from hex, base64 or escape", "decode('EjQ=', 'base64')", "\\x1234"}));
}

}  // namespace leat
