// The aggregate functions: one spec each, and their states, one column of states per call.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "func/function.h"

namespace leat {

// The states of one aggregate call for many groups, numbered from 0. Memory grows in chunks, so
// that no single Update pays for moving everything. Not thread-safe.
class Accumulators {
 public:
  virtual ~Accumulators() = default;
  // Makes room for groups [0, groups); new ones are empty.
  virtual Status Resize(int64_t groups) = 0;
  // Adds rows with weights (null: all +1) to groups[row]; rows whose `mask` byte is 0 do not count
  // (FILTER; null: all do). Null arguments are the aggregate's affair. Errors (overflow) go to
  // `errors` by row. REQUIRES: negative weights only if `invertible` in the spec.
  virtual Status Update(std::span<const Argument> args, const uint32_t* groups,
                        const int64_t* weights, const uint8_t* mask, int64_t rows,
                        ErrorMask* errors) = 0;
  // The answers of `groups`, in that order; an answer that does not exist as a value (overflow) is
  // an error of its position.
  virtual Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> groups,
                                                       ErrorMask* errors) const = 0;
  // Forgets a group, so that its number can be used again.
  virtual void Clear(uint32_t group) = 0;
  // A group's state as bytes, appended to `out`, and back; for checkpoints and merging.
  virtual void Save(uint32_t group, std::string* out) const = 0;
  virtual Status Load(uint32_t group, std::string_view bytes) = 0;
  virtual int64_t memory() const = 0;
};

// All rows of some groups, for the aggregates that are answered from a group's rows at once.
struct FoldCall {
  const Type* result = nullptr;
  std::span<const int64_t> offsets;  // group i has the rows [offsets[i], offsets[i + 1])
  std::span<const Argument> args;    // a value per row, rows in the order that the call asks for
  ErrorMask* errors = nullptr;       // by group
};
// Gives a value per group.
using Fold = Result<std::shared_ptr<arrow::Array>> (*)(const FoldCall& call);

struct Aggregate {
  std::string name;
  std::vector<Type> args;  // kUnknown = any; count(*) has none
  Type result;
  Result<Type> (*resolve)(std::span<const Type> args) = nullptr;
  // Its state can take rows back exactly by itself. Otherwise (min, max, arg_min, arg_max, first,
  // last) the operator keeps the rows, ordered by `order`, and asks for the first of each group.
  bool invertible = true;
  // For those not invertible: which row is the answer's. The value is args[0]; ties break by `_seq`
  // (the earliest wins), then by the row's bytes.
  enum class Pick : uint8_t { kNone, kLeast, kGreatest, kFirst, kLast } pick = Pick::kNone;
  int pick_by = 0;  // the argument compared (1 for arg_min(x, y)); kFirst, kLast: by seq
  // States for the append-only form; null where `pick` is served by the operator alone.
  std::unique_ptr<Accumulators> (*make)(std::span<const Type> args) = nullptr;
  // For those that need a group's rows together, in an order (array_agg, percentile_cont): the
  // operator keeps the rows, which ORDER BY and DISTINCT inside the call put in order.
  Fold fold = nullptr;
  // An ordered-set aggregate: its last argument is what WITHIN GROUP (ORDER BY …) sorts by.
  bool within_group = false;
  std::string description;
  std::string example;  // over (VALUES …) t(x)
  std::string answer;
};

std::span<const Aggregate> AllAggregates();
struct ResolvedAggregate {
  const Aggregate* aggregate = nullptr;
  std::vector<Type> args;
  Type result;
};
bool IsAggregate(std::string_view name);
Result<ResolvedAggregate> ResolveAggregate(std::string_view name, std::span<const Type> args,
                                           int location);

}  // namespace leat
