// Types of columns that nobody declared, from the texts of a sample.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/bytes.h"
#include "format/csv_index.h"
#include "format/format.h"
#include "format/time_spelling.h"

namespace leat {

// Narrows the types that a column may have, value by value: boolean, bigint, double precision,
// date, timestamp, timestamptz; text when nothing is left, or no value was seen.
class TypeGuess {
 public:
  explicit TypeGuess(const TimeSpelling& times) : times_(&times) {}  // borrowed
  void See(std::string_view text);
  // JSON tells numbers from strings: only ISO dates and timestamps hide in those.
  void SeeJson(std::string_view token);
  Type type() const;

 private:
  void Keep(uint32_t kinds) { kinds_ &= kinds; }

  uint32_t TimeKinds(std::string_view text) const;

  const TimeSpelling* times_;
  uint32_t kinds_ = ~uint32_t{0};
  bool seen_ = false;
};

Result<Schema> InferCsv(const std::string& path, const Coding& coding, const CsvDialect& dialect,
                        const std::map<std::string, std::string>& options, int64_t sample_rows);
// Columns from JSON objects, in the order in which they come: nested objects become columns with
// dotted names, arrays jsonb. `path` names the place in errors.
Result<Schema> InferObjects(const std::string& path, const std::vector<std::string_view>& rows,
                            const TimeSpelling& times);
Result<Schema> InferNdjson(const std::string& path, const Coding& coding,
                           const std::map<std::string, std::string>& options, int64_t sample_rows);
Result<Schema> InferJson(const std::string& path, const Coding& coding,
                         const std::map<std::string, std::string>& options, int64_t sample_rows);

}  // namespace leat
