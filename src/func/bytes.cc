// Functions of byte strings, and hashes.
#include <arrow/util/utf8.h>
#include <openssl/evp.h>

#include <array>
#include <bit>

#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// OpenSSL's digest functions do not fail with their own algorithms and memory at hand.
template <const EVP_MD* (*algorithm)()>
Result<ArrayPtr> Hash(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    const std::string_view in = bytes[row];
    if (EVP_Digest(in.data(), in.size(), digest.data(), &size, algorithm(), nullptr) != 1) {
      call.errors->Set(row, "XX000", "could not compute a hash");
      return;
    }
    out->append(reinterpret_cast<const char*>(digest.data()), size);
  });
}

void SetIndexError(const Call& call, int64_t row, int64_t index, size_t size) {
  call.errors->Set(
      row, "2202E",
      fmt::format("index {} out of valid range, 0..{}", index, static_cast<int64_t>(size) - 1));
}

Result<ArrayPtr> GetByte(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  const Values<int32_t> places(args[1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const std::string_view in = bytes[row];
    const int32_t at = places[row];
    if (at >= 0 && static_cast<size_t>(at) < in.size()) {
      return static_cast<uint8_t>(in[static_cast<size_t>(at)]);
    }
    SetIndexError(call, row, at, in.size());
    return 0;
  });
}

Result<ArrayPtr> SetByte(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  const Values<int32_t> places(args[1]), values(args[2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view in = bytes[row];
    const int32_t at = places[row];
    if (at < 0 || static_cast<size_t>(at) >= in.size()) {
      return SetIndexError(call, row, at, in.size());
    }
    const size_t begin = out->size();
    *out += in;
    (*out)[begin + static_cast<size_t>(at)] = static_cast<char>(values[row]);
  });
}

// Bits are numbered from the least of the first byte on.
Result<ArrayPtr> GetBit(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  const Values<int64_t> places(args[1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const std::string_view in = bytes[row];
    const int64_t at = places[row];
    if (at >= 0 && static_cast<size_t>(at / 8) < in.size()) {
      return static_cast<uint8_t>(in[static_cast<size_t>(at / 8)]) >> (at % 8) & 1;
    }
    SetIndexError(call, row, at, in.size() * 8);
    return 0;
  });
}

Result<ArrayPtr> SetBit(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  const Values<int64_t> places(args[1]);
  const Values<int32_t> values(args[2]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view in = bytes[row];
    const int64_t at = places[row];
    if (at < 0 || static_cast<size_t>(at / 8) >= in.size()) {
      return SetIndexError(call, row, at, in.size() * 8);
    }
    if (values[row] != 0 && values[row] != 1) {
      call.errors->Set(row, "22023", "new bit must be 0 or 1");
      return;
    }
    const size_t begin = out->size() + static_cast<size_t>(at / 8);
    *out += in;
    const int mask = 1 << (at % 8);
    const int byte = static_cast<uint8_t>((*out)[begin]);
    (*out)[begin] = static_cast<char>(values[row] == 1 ? byte | mask : byte & ~mask);
  });
}

Result<ArrayPtr> BitCount(const Call& call, Arguments args) {
  const Texts bytes(args[0]);
  return MapRows<int64_t>(call, args, [&](int64_t row) {
    int64_t count = 0;
    for (const char c : bytes[row]) count += std::popcount(static_cast<uint8_t>(c));
    return count;
  });
}

Result<ArrayPtr> Position(const Call& call, Arguments args) {
  const Texts bytes(args[0]), wanted(args[1]);
  return MapRows<int32_t>(call, args, [&](int64_t row) -> int32_t {
    const size_t at = bytes[row].find(wanted[row]);
    return at == std::string_view::npos ? 0 : static_cast<int32_t>(at) + 1;
  });
}

template <bool left, bool right>
Result<ArrayPtr> Trim(const Call& call, Arguments args) {
  const Texts bytes(args[0]), sets(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    std::string_view in = bytes[row];
    const std::string_view set = sets[row];
    while (left && !in.empty() && set.find(in.front()) != set.npos) in.remove_prefix(1);
    while (right && !in.empty() && set.find(in.back()) != set.npos) in.remove_suffix(1);
    *out += in;
  });
}

bool IsUtf8Name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return plain == "utf8" || plain == "unicode";
}

bool IsUtf8(std::string_view bytes) {
  static const bool tables_made = (arrow::util::InitializeUTF8(), true);
  return tables_made && arrow::util::ValidateUTF8(bytes);
}

// Text here is UTF-8, so that this is the only encoding with nothing to convert.
Result<ArrayPtr> Converted(const Call& call, Arguments args) {
  const Texts values(args[0]), encodings(args[1]);
  const bool to_text = call.result->id == kText;
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    if (!IsUtf8Name(encodings[row])) {
      call.errors->Set(
          row, "0A000",
          fmt::format("encoding \"{}\" is not supported: text is UTF-8 here", encodings[row]));
    } else if (to_text && !IsUtf8(values[row])) {
      call.errors->Set(row, "22021", "invalid byte sequence for encoding \"UTF8\"");
    } else {
      *out += values[row];
    }
  });
}

}  // namespace

void AddByteFunctions(std::vector<Function>* out) {
  const auto add = [&](const char* name, std::vector<Type> args, Type result, Kernel kernel,
                       Documentation documentation) {
    out->push_back(Spec(name, std::move(args), std::move(result), kernel, documentation));
  };
  add("sha224", {kBytea}, kBytea, Hash<EVP_sha224>,
      {"The SHA-224 hash", "sha224('abc')",
       "\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"});
  add("sha256", {kBytea}, kBytea, Hash<EVP_sha256>,
      {"The SHA-256 hash", "sha256('abc')",
       "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"});
  add("sha384", {kBytea}, kBytea, Hash<EVP_sha384>,
      {"The SHA-384 hash", "substring(sha384('abc') from 1 for 4)", "\\xcb00753f"});
  add("sha512", {kBytea}, kBytea, Hash<EVP_sha512>,
      {"The SHA-512 hash", "substring(sha512('abc') from 1 for 4)", "\\xddaf35a1"});
  add("get_byte", {kBytea, kInt4}, kInt4, GetByte,
      {"A byte, counted from 0", "get_byte('\\x1234'::bytea, 1)", "52"});
  add("set_byte", {kBytea, kInt4, kInt4}, kBytea, SetByte,
      {"The bytes with one replaced", "set_byte('\\x1234'::bytea, 1, 255)", "\\x12ff"});
  add("get_bit", {kBytea, kInt8}, kInt4, GetBit,
      {"A bit, counted from the least of the first byte", "get_bit('\\x1234'::bytea, 1)", "1"});
  add("set_bit", {kBytea, kInt8, kInt4}, kBytea, SetBit,
      {"The bytes with one bit replaced", "set_bit('\\x1234'::bytea, 0, 1)", "\\x1334"});
  add("bit_count", {kBytea}, kInt8, BitCount,
      {"How many bits are set", "bit_count('\\x1234'::bytea)", "5"});
  add("position", {kBytea, kBytea}, kInt4, Position,
      {"Where bytes begin in others, from 1; 0 nowhere",
       "position('\\x34'::bytea in '\\x1234'::bytea)", "2"});
  const char* trim = "Without the bytes of a set at its ends";
  add("btrim", {kBytea, kBytea}, kBytea, Trim<true, true>,
      {trim, "btrim('\\x001200'::bytea, '\\x00'::bytea)", "\\x12"});
  add("ltrim", {kBytea, kBytea}, kBytea, Trim<true, false>,
      {trim, "ltrim('\\x001200'::bytea, '\\x00'::bytea)", "\\x1200"});
  add("rtrim", {kBytea, kBytea}, kBytea, Trim<false, true>,
      {trim, "rtrim('\\x001200'::bytea, '\\x00'::bytea)", "\\x0012"});
  add("convert_from", {kBytea, kText}, kText, Converted,
      {"Bytes as text; UTF8 alone", "convert_from('\\x616263'::bytea, 'UTF8')", "abc"});
  add("convert_to", {kText, kText}, kBytea, Converted,
      {"Text as bytes; UTF8 alone", "convert_to('abc', 'UTF8')", "\\x616263"});
}

}  // namespace leat
