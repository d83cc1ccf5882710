// How an error travels: arrow::Status and arrow::Result, never an exception. See STYLE.md,
// "Errors".
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace leat {

using arrow::Result;
using arrow::Status;

// Returns from the enclosing function if `expr` failed.
#define LEAT_RETURN(expr) ARROW_RETURN_NOT_OK(expr)
// LEAT_ASSIGN(auto value, MakeValue()): declares or sets `value`, or returns the error.
#define LEAT_ASSIGN(lhs, rexpr) ARROW_ASSIGN_OR_RAISE(lhs, rexpr)

// What PostgreSQL says besides the message. Carried by a Status as its detail.
struct SqlError {
  std::string sqlstate;  // e.g. "42703"; empty where PostgreSQL has none
  int location = -1;     // byte offset into the statement's text, -1 unknown
  std::string detail;    // "DETAIL: …" without the word
  std::string hint;      // "HINT: …" without the word
};

// A status for wrong SQL or configuration (exit code 2), worded as PostgreSQL would.
Status SqlStatus(std::string message, SqlError error = {});
// The SqlError a status carries, or nullptr.
const SqlError* SqlErrorOf(const Status& status);

// The two kinds of refusal that name what is missing; both are SqlStatus with PostgreSQL's 0A000.
Status NotSupported(std::string what, int location = -1, std::string hint = "");

// SQLSTATEs that more than one file needs.
inline constexpr const char* kUndefinedColumn = "42703";
inline constexpr const char* kUndefinedTable = "42P01";
inline constexpr const char* kUndefinedFunction = "42883";
inline constexpr const char* kDatatypeMismatch = "42804";
inline constexpr const char* kSyntaxError = "42601";
inline constexpr const char* kDuplicateObject = "42710";
inline constexpr const char* kInvalidText = "22P02";
inline constexpr const char* kOutOfRange = "22003";
inline constexpr const char* kDivisionByZero = "22012";

// As psql prints it: ERROR, LINE n with a caret under the place in `sql`, DETAIL, HINT.
std::string FormatError(const Status& status, std::string_view sql);

// Formats with fmt: IOErrorF("could not read \"{}\": {}", path, why).
template <typename... Args>
Status IOErrorF(fmt::format_string<Args...> text, Args&&... args) {
  return Status::IOError(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace leat
