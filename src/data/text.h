// Values to text and back, as PostgreSQL's input and output functions do it (datestyle ISO,
// intervalstyle postgres, extra_float_digits 1, bytea hex).
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "data/type.h"

namespace leat {

// What reading and printing of values depends on. `now` serves 'today', 'now'.
struct TextSettings {
  std::string timezone = "UTC";  // as SET timezone takes it
  Micros now = 0;
};

// Appends the value at `row` as PostgreSQL prints it; nothing for null. Arrays print as {1,2,NULL}.
// REQUIRES: settings.timezone exists (data/time_zone.h). For more than a few values ToTextColumn.
void AppendText(const arrow::Array& column, int64_t row, const Type& type,
                const TextSettings& settings, std::string* out);

// A whole column as utf8; nulls stay null.
Result<std::shared_ptr<arrow::Array>> ToTextColumn(const arrow::Array& column, const Type& type,
                                                   const TextSettings& settings);

// Parses each text (plain utf8) into `type` with its modifier as PostgreSQL's input function and
// assignment would; a wrong one is null and `error(row, status)` is called with PostgreSQL's words
// (`invalid input syntax for type integer: "x"`).
Result<std::shared_ptr<arrow::Array>> FromTextColumn(
    const arrow::Array& texts, const Type& type, const TextSettings& settings,
    const std::function<void(int64_t row, const Status& status)>& error);

// One value; null text gives a null scalar of ArrowType(type).
Result<std::shared_ptr<arrow::Scalar>> ParseValue(std::string_view text, const Type& type,
                                                  const TextSettings& settings);

// Shortest text that reads back to the same double, in PostgreSQL's form ("1e+20", "0.1", "-0").
void AppendFloat8(double value, std::string* out);
void AppendFloat4(float value, std::string* out);

}  // namespace leat
