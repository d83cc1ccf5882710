#include "connect/file/hive.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <charconv>
#include <unordered_map>

#include "data/text.h"

namespace leat {
namespace {

constexpr std::string_view kEscaped = "\"#%'*/:=?\\{[]^";

bool MustEscape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || kEscaped.find(c) != kEscaped.npos;
}

// A column as codes of its distinct values.
struct Codes {
  std::shared_ptr<arrow::DictionaryArray> array;
  const int32_t* values = nullptr;
  int64_t At(int64_t row) const { return array->IsNull(row) ? -1 : values[row]; }
};

Result<Codes> Encode(const std::shared_ptr<arrow::Array>& column) {
  Codes codes;
  auto encoded = column;
  if (column->type_id() != arrow::Type::DICTIONARY) {
    LEAT_ASSIGN(const arrow::Datum datum, arrow::compute::DictionaryEncode(column));
    encoded = datum.make_array();
  }
  codes.array = std::static_pointer_cast<arrow::DictionaryArray>(encoded);
  codes.values = static_cast<const arrow::Int32Array&>(*codes.array->indices()).raw_values();
  return codes;
}

// "state=NM" for one code.
std::string FolderName(const Codes& codes, const Column& column, int64_t code) {
  std::string text;
  if (code >= 0 && !codes.array->dictionary()->IsNull(code)) {
    AppendText(*codes.array->dictionary(), code, column.type, TextSettings{}, &text);
  }
  return fmt::format("{}={}", HiveEscape(column.name),
                     text.empty() ? std::string(kHiveNull) : HiveEscape(text));
}

}  // namespace

std::string HiveEscape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (MustEscape(c)) {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::string HiveUnescape(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    uint8_t byte = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain.push_back(static_cast<char>(byte));
      at += 2;
    } else {
      plain.push_back(text[at]);
    }
  }
  return plain;
}

std::map<std::string, std::optional<std::string>> HiveValues(std::string_view path) {
  std::map<std::string, std::optional<std::string>> values;
  for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/')) {
    const auto folder = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    const size_t equals = folder.find('=');
    if (equals == folder.npos || equals == 0) continue;
    const auto value = folder.substr(equals + 1);
    auto& into = values[HiveUnescape(folder.substr(0, equals))];
    into = value == kHiveNull ? std::nullopt : std::optional(HiveUnescape(value));
  }
  return values;
}

Result<std::vector<HivePart>> SplitByFolder(const Batch& batch, const Schema& schema,
                                            const std::vector<int>& columns) {
  // The parts so far, refined by one column after another.
  std::vector<HivePart> parts;
  std::vector<int32_t> part_of(static_cast<size_t>(batch.rows), 0);
  std::vector<std::string> folders = {""};
  for (const int column : columns) {
    const Column& spec = schema.columns[static_cast<size_t>(column)];
    LEAT_ASSIGN(const Codes codes, Encode(batch.columns[static_cast<size_t>(column)]));
    const int64_t width = codes.array->dictionary()->length() + 1;
    std::unordered_map<int64_t, int32_t> refined;
    std::vector<std::string> finer;
    int64_t last = -1;
    int32_t last_part = 0;
    for (size_t row = 0; row < part_of.size(); ++row) {
      const int64_t code = codes.At(static_cast<int64_t>(row));
      const int64_t key = part_of[row] * width + code + 1;
      if (key != last) {
        const auto [at, is_new] = refined.emplace(key, static_cast<int32_t>(finer.size()));
        if (is_new) {
          const std::string& parent = folders[static_cast<size_t>(part_of[row])];
          finer.push_back(parent + (parent.empty() ? "" : "/") + FolderName(codes, spec, code));
        }
        last = key;
        last_part = at->second;
      }
      part_of[row] = last_part;
    }
    folders = std::move(finer);
  }
  parts.resize(folders.size());
  for (size_t i = 0; i < folders.size(); ++i) parts[i].folder = std::move(folders[i]);
  for (size_t row = 0; row < part_of.size(); ++row) {
    parts[static_cast<size_t>(part_of[row])].rows.push_back(static_cast<int32_t>(row));
  }
  return parts;
}

}  // namespace leat
