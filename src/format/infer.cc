#include "format/infer.h"

#include <arrow/array.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "format/csv_reader.h"
#include "format/fast_parse.h"
#include "format/json_reader.h"
#include "format/json_scan.h"
#include "format/json_split.h"
#include "format/json_walk.h"

namespace leat {
namespace {

constexpr int64_t kSampleBytesMax = 16 << 20;

// From the narrowest: the first that is left is the column's type.
constexpr std::array kKinds = {TypeId::kBool,        TypeId::kInt8, TypeId::kNumeric,
                               TypeId::kFloat8,      TypeId::kDate, TypeId::kTimestamp,
                               TypeId::kTimestamptz, TypeId::kJsonb};
constexpr uint32_t kNothing = 0;

constexpr uint32_t Bit(TypeId type) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == type) return uint32_t{1} << i;
  }
  return kNothing;
}

// 007 is a code, not a number.
bool HasLeadingZero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] != '.' && text[1] != 'e' && text[1] != 'E';
}

uint32_t NumberKinds(std::string_view text) {
  if (text.empty() || HasLeadingZero(text)) return kNothing;
  const size_t digits = text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0);
  if (digits == text.npos && text != "-") {
    int64_t value;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const uint32_t wide = Bit(TypeId::kNumeric) | Bit(TypeId::kFloat8);
    return error == std::errc() ? wide | Bit(TypeId::kInt8) : wide;
  }
  double value;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  const bool letters = text.find_first_of("nNiI") != text.npos;
  return error == std::errc() && end == last && !letters ? Bit(TypeId::kFloat8) : kNothing;
}

uint32_t UsualTimeKinds(std::string_view text) {
  std::array<char, 64> padded{};
  if (text.size() > 40) return kNothing;
  std::memcpy(padded.data(), text.data(), text.size());
  int32_t days;
  int64_t micros;
  if (fast::Date(padded.data(), text.size(), &days)) {
    return Bit(TypeId::kDate) | Bit(TypeId::kTimestamp);
  }
  if (fast::Timestamp(padded.data(), text.size(), false, &micros)) return Bit(TypeId::kTimestamp);
  const bool zoned = fast::Timestamp(padded.data(), text.size(), true, &micros);
  return zoned ? Bit(TypeId::kTimestamptz) : kNothing;
}

bool IsBool(std::string_view text) {
  for (const std::string_view word :
       {"true", "false", "t", "f", "True", "False", "TRUE", "FALSE"}) {
    if (text == word) return true;
  }
  return false;
}

// Guesses per column, in the order in which the columns were seen.
class Guesses {
 public:
  explicit Guesses(const TimeSpelling& times) : times_(times) {}
  TypeGuess& operator[](const std::string& name) {
    const auto [found, added] = places_.try_emplace(name, guesses_.size());
    if (added) {
      names_.push_back(name);
      guesses_.emplace_back(times_);
    }
    return guesses_[found->second];
  }
  Schema ToSchema() const {
    Schema schema;
    for (size_t i = 0; i < names_.size(); ++i) {
      schema.columns.push_back({names_[i], guesses_[i].type()});
    }
    return schema;
  }

 private:
  const TimeSpelling& times_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<std::string> names_;
  std::vector<TypeGuess> guesses_;
};

// The leaves of an object, by their dotted names. Anything wrong ends it: the reader will tell.
void SeeObject(JsonScanner* scanner, const std::string& prefix, Guesses* guesses) {
  std::string_view key, json;
  std::string name;
  scanner->Enter();
  for (bool first = true; scanner->NextKey(first, &key); first = false) {
    name = UnescapeJson(key, &name) ? prefix + name : prefix + std::string(key);
    if (scanner->Peek() == JsonKind::kObject) {
      SeeObject(scanner, name + ".", guesses);
    } else if (scanner->Skip(&json)) {
      (*guesses)[name].SeeJson(json);
    }
  }
}

// The beginning of a file.
Result<std::string> SampleOf(const std::string& path, const Coding& coding) {
  LEAT_ASSIGN(auto bytes, OpenBytes(path, coding, 0));
  std::string text(kSampleBytesMax, '\0');
  int64_t size = 0;
  while (size < kSampleBytesMax) {
    LEAT_ASSIGN(const int64_t got, bytes->Read(text.data() + size, kSampleBytesMax - size));
    if (got == 0) break;
    size += got;
  }
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace

uint32_t TypeGuess::TimeKinds(std::string_view text) const {
  uint32_t kinds = UsualTimeKinds(text);
  if (times_->date != nullptr) {
    kinds &= ~Bit(TypeId::kDate);
    if (times_->date->Date(text).ok()) kinds |= Bit(TypeId::kDate);
  }
  if (times_->timestamp != nullptr) {
    kinds &= ~(Bit(TypeId::kTimestamp) | Bit(TypeId::kTimestamptz));
    const auto at = times_->timestamp->Time(text);
    if (at.ok()) kinds |= Bit(at->offset ? TypeId::kTimestamptz : TypeId::kTimestamp);
  }
  return kinds;
}

void TypeGuess::See(std::string_view text) {
  seen_ = true;
  Keep(NumberKinds(text) | TimeKinds(text) | (IsBool(text) ? Bit(TypeId::kBool) : kNothing));
}

void TypeGuess::SeeJson(std::string_view token) {
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  if (token == "null" || token.empty()) return;
  seen_ = true;
  if (token.starts_with('[')) {
    Keep(Bit(TypeId::kJsonb));
  } else if (token.starts_with('"')) {
    Keep(TimeKinds(token.substr(1, token.size() - 2)));
  } else {
    Keep(NumberKinds(token) | (IsBool(token) ? Bit(TypeId::kBool) : kNothing));
  }
}

Type TypeGuess::type() const {
  if (!seen_) return Type(TypeId::kText);
  for (const TypeId kind : kKinds) {
    if ((kinds_ & Bit(kind)) != 0) return Type(kind);
  }
  return Type(TypeId::kText);
}

Result<Schema> InferCsv(const std::string& path, const Coding& coding, const CsvDialect& dialect,
                        const std::map<std::string, std::string>& options, int64_t sample_rows) {
  LEAT_ASSIGN(const auto names, CsvNames(path, coding, dialect));
  ReadOptions read;
  read.options = options;
  read.threads = 1;
  read.chunk_bytes_max = 1 << 20;
  for (const auto& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) {
      return SqlStatus(
          fmt::format("column name \"{}\" appears more than once in \"{}\"", name, path),
          {.sqlstate = "42701", .hint = "Declare the columns, or set header 'false'."});
    }
    read.columns.push_back({{name, Type(TypeId::kText)}, name});
  }
  LEAT_ASSIGN(auto reader, OpenCsv(path, coding, dialect, read, {}));
  LEAT_ASSIGN(const TimeSpelling times, TimeSpelling::Make(options));
  std::vector<TypeGuess> guesses(names.size(), TypeGuess(times));
  std::string rewritten;
  for (int64_t rows = 0; rows < sample_rows;) {
    LEAT_ASSIGN(auto chunk, reader->Next());
    if (!chunk.has_value()) break;
    const int64_t used = std::min(chunk->batch.rows, sample_rows - rows);
    for (size_t i = 0; i < names.size(); ++i) {
      const auto column = Plain(chunk->batch.columns[i]);
      const auto& texts = static_cast<const arrow::StringArray&>(*column);
      for (int64_t row = 0; row < used; ++row) {
        if (texts.IsNull(row)) continue;
        const bool number = dialect.numbers.Rewrite(texts.GetView(row), &rewritten);
        guesses[i].See(number ? rewritten : texts.GetView(row));
      }
    }
    rows += used;
  }
  Schema schema;
  for (size_t i = 0; i < names.size(); ++i) {
    schema.columns.push_back({names[i], guesses[i].type()});
  }
  return schema;
}

Result<Schema> InferObjects(const std::string& path, const std::vector<std::string_view>& rows,
                            const TimeSpelling& times) {
  Guesses guesses(times);
  for (const std::string_view json : rows) {
    std::string_view whole;
    JsonScanner check(json), scanner(json);
    if (check.Peek() != JsonKind::kObject || !check.Skip(&whole) || !check.AtEnd()) continue;
    scanner.Peek();
    SeeObject(&scanner, "", &guesses);
  }
  Schema schema = guesses.ToSchema();
  if (schema.columns.empty()) {
    return SqlStatus(fmt::format("\"{}\" holds no JSON object to infer columns from", path),
                     {.hint = "Declare the columns."});
  }
  return schema;
}

Result<Schema> InferNdjson(const std::string& path, const Coding& coding,
                           const std::map<std::string, std::string>& options, int64_t sample_rows) {
  LEAT_ASSIGN(const TimeSpelling times, TimeSpelling::Make(options));
  LEAT_ASSIGN(const std::string text, SampleOf(path, coding));
  std::vector<std::string_view> rows;
  std::string_view rest = text;
  while (static_cast<int64_t>(rows.size()) < sample_rows && !rest.empty()) {
    const size_t newline = std::min(rest.find('\n'), rest.size());
    const std::string_view json = JsonOfLine(rest.substr(0, newline));
    rest.remove_prefix(std::min(newline + 1, rest.size()));
    if (!json.empty()) rows.push_back(json);
  }
  return InferObjects(path, rows, times);
}

Result<Schema> InferJson(const std::string& path, const Coding& coding,
                         const std::map<std::string, std::string>& options, int64_t sample_rows) {
  LEAT_ASSIGN(const TimeSpelling times, TimeSpelling::Make(options));
  LEAT_ASSIGN(const std::string text, SampleOf(path, coding));
  JsonSplitter splitter(JsonRoot(options));
  splitter.Start(text.starts_with("\xef\xbb\xbf") ? 3 : 0, /*in_root=*/false);
  splitter.Scan(text.data(), static_cast<uint32_t>(text.size()), /*final=*/true);
  std::vector<std::string_view> rows;
  for (const JsonExtent& row : splitter.extents()) {
    if (static_cast<int64_t>(rows.size()) >= sample_rows) break;
    if (row.in_root) rows.push_back(std::string_view(text).substr(row.begin, row.end - row.begin));
  }
  return InferObjects(path, rows, times);
}

}  // namespace leat
