// The scalar functions and operators: one spec each, from which the binder resolves calls, the
// engine evaluates them, and docs/functions.md and the tests of the examples are made.
//
// What SQL writes as syntax is called here as PostgreSQL's grammar calls it, resolved by
// ResolveOperator: "~~" LIKE, "~~*" ILIKE, "!~~" NOT LIKE, "!~~*" NOT ILIKE, "<>" (also "!=").
// What PostgreSQL has no function for has a name with a blank, resolved by ResolveFunction:
//   not(bool)                "not"
//   x IS [NOT] NULL          "is null", "is not null"
//   b IS [NOT] TRUE …        "is true", "is not true", "is false", "is not false",
//                            "is unknown", "is not unknown"
//   a IS [NOT] DISTINCT FROM b   "is distinct from", "is not distinct from" (common type)
//   ESCAPE                   like_escape(pattern, escape), then "~~"
//   NULLIF, GREATEST, LEAST  "nullif", "greatest", "least"
//   EXTRACT(f FROM x)        "extract"('f', x); POSITION(a IN b) is "position"(b, a), SUBSTRING,
//   OVERLAY, TRIM            "substring", "overlay", "btrim"/"ltrim"/"rtrim": the grammar's names
//   AT TIME ZONE             "timezone"(zone, x), as the grammar gives it
//   CURRENT_DATE, …          "current_date", "current_timestamp", "localtimestamp", "current_time"
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "func/evaluate.h"

namespace leat {

// An argument: an array of `rows` values, or one value for all of them (then `array` has length 1).
struct Argument {
  std::shared_ptr<arrow::Array> array;  // plain, never dictionary encoded
  Type type;
  bool constant = false;
  int64_t at(int64_t row) const { return constant ? 0 : row; }
};

struct Call {
  int64_t rows = 0;
  const Type* result = nullptr;
  const EvalContext* context = nullptr;
  const Selection* selection = nullptr;  // errors of other rows do not count; their values are free
  ErrorMask* errors = nullptr;
};

// Gives `call.rows` values. Where all arguments are constant it is called with one row. Called
// without rows too. Thread-safe: no state of its own.
using Kernel = Result<std::shared_ptr<arrow::Array>> (*)(const Call& call,
                                                         std::span<const Argument> args);

enum class Volatility : uint8_t {
  kImmutable,
  kStable,    // depends on the epoch's clock or the session's settings: now(), current_date
  kVolatile,  // another value for each row: called for every row, even of constants
};

// As a parameter: any type but arrays. (kUnknown alone takes those too.)
inline constexpr int32_t kNonArray = -2;
inline Type AnyNonArray() {
  Type type;
  type.length = kNonArray;
  return type;
}

struct Function {
  std::string name;        // lower case; an operator is its symbol: "+", "~~" (LIKE), "||"
  std::vector<Type> args;  // kUnknown = any type (polymorphic)
  Type result;             // ignored when `resolve` is set
  Kernel kernel = nullptr;
  bool variadic = false;  // the last of `args` repeats, zero or more times
  bool common = false;    // polymorphic arguments are all cast to their common type
  bool strict = true;     // null if any argument is null
  bool set = false;       // returns a set: `kernel` gives an array, of which each element is a row
  bool total = false;     // no argument makes it fail: needs no masking
  Volatility volatility = Volatility::kImmutable;
  // For results that depend on the arguments' types (arrays, greatest, numeric's typmods).
  Result<Type> (*resolve)(std::span<const Type> args) = nullptr;
  std::string description;  // a sentence
  std::string example;      // SQL, e.g. "lower('ABC')"
  std::string answer;       // what PostgreSQL prints for it, e.g. "abc"
  bool is_operator() const;
};

// All of them, in the order of the documentation. Pointers are stable for the process.
std::span<const Function> AllFunctions();
// The overloads of a name.
std::vector<const Function*> FindFunctions(std::string_view name);

// PostgreSQL's function and operator resolution (its manual, chapter 10.2 and 10.3): exact match,
// then implicit casts, preferred types, string category for unknown. Errors are PostgreSQL's words
// ("function f(integer, text) does not exist", "operator does not exist: date + date", "… is not
// unique") with HINT; a misspelt function gets the nearest name. `location` goes into the error.
struct Resolved {
  const Function* function = nullptr;
  std::vector<Type> args;  // the type to which each argument must be cast
  Type result;
};
Result<Resolved> ResolveFunction(std::string_view name, std::span<const Type> args, int location);
Result<Resolved> ResolveOperator(std::string_view symbol, std::span<const Type> args, int location);

// Whether PostgreSQL casts `from` to `to` in this context (pg_cast and I/O conversion).
bool CanCast(const Type& from, const Type& to, CastContext context);
// The type of CASE, COALESCE, UNION, VALUES, IN, GREATEST branches (chapter 10.5).
Result<Type> CommonType(std::span<const Type> types, std::string_view construct, int location);

}  // namespace leat
