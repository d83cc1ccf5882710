// The input and output of single values, by family: what data/text.cc puts together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/date.h"
#include "data/text.h"
#include "data/time_zone.h"
#include "data/type.h"

namespace leat::text_internal {

constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
std::string_view Trimmed(std::string_view text);
// `invalid input syntax for type TYPE: "TEXT"`
Status InvalidSyntax(std::string_view type, std::string_view text,
                     const char* sqlstate = kInvalidText);

// text_number.cc
Status ParseBool(std::string_view text, bool* out);
Status ParseInteger(std::string_view text, TypeId type, int64_t* out);
Status ParseFloat8(std::string_view text, double* out);
Status ParseFloat4(std::string_view text, float* out);

// text_datetime.cc; `zone` is the session's.
struct DateContext {
  const TimeZone* zone = nullptr;
  Micros now = 0;
};
Status ParseDate(std::string_view text, const DateContext& context, int32_t* days);
Status ParseTime(std::string_view text, const DateContext& context, int64_t* micros);
Status ParseTimestamp(std::string_view text, const DateContext& context, bool with_zone,
                      Micros* out);

// text_date_output.cc
void AppendDate(int32_t days, std::string* out);
void AppendTime(int64_t micros, std::string* out);
void AppendTimestamp(Micros at, std::string* out);
void AppendTimestamptz(Micros at, const TimeZone& zone, std::string* out);
void AppendInterval(const Interval& interval, std::string* out);

// text_interval.cc
Status ParseInterval(std::string_view text, Interval* out);

// text_bytes.cc
Status ParseBytea(std::string_view text, std::string* out);
void AppendBytea(std::string_view bytes, std::string* out);
Status ParseUuid(std::string_view text, char out[16]);
void AppendUuid(const uint8_t* bytes, std::string* out);
// Text to varchar(n) or char(n): cuts what are only blanks, pads char. 22001 where it is too long.
Status FitString(std::string_view text, const Type& type, std::string* scratch,
                 std::string_view* out);

// text_json.cc: checks; writes the normal form to `normal` unless it is null.
Status ParseJson(std::string_view text, const char* type, std::string* normal);

}  // namespace leat::text_internal
