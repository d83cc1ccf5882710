#include "func/aggregate.h"

#include <algorithm>

#include "func/aggregate_state.h"
#include "func/resolve.h"

namespace leat {

using enum TypeId;

Aggregate AggregateOf(std::string name, std::vector<Type> args, Type result, MakeAccumulators make,
                      const char* description, const char* example, const char* answer) {
  Aggregate aggregate;
  aggregate.name = std::move(name);
  aggregate.args = std::move(args);
  aggregate.result = std::move(result);
  aggregate.make = make;
  aggregate.description = description;
  aggregate.example = example;
  aggregate.answer = answer;
  return aggregate;
}

namespace {

Result<Type> FirstArgument(std::span<const Type> args) { return args[0]; }

void AddSums(std::vector<Aggregate>* out) {
  struct Sums {
    TypeId arg, sum, average;
    const char* of_two_and_three;  // the average of VALUES (2), (3)
  };
  for (const Sums& sums :
       {Sums{kInt4, kInt8, kNumeric, "2.5000000000000000"},
        Sums{kInt8, kNumeric, kNumeric, "2.5000000000000000"},
        Sums{kInt2, kInt8, kNumeric, "2.5000000000000000"}, Sums{kFloat8, kFloat8, kFloat8, "2.5"},
        Sums{kNumeric, kNumeric, kNumeric, "2.5000000000000000"},
        Sums{kFloat4, kFloat4, kFloat8, "2.5"}}) {
    const std::string cast = TypeName(Type(sums.arg));
    const std::string sum = fmt::format("sum(x) FROM (VALUES (2::{0}), (3::{0})) t(x)", cast);
    const std::string average = fmt::format("avg(x) FROM (VALUES (2::{0}), (3::{0})) t(x)", cast);
    out->push_back(AggregateOf("sum", {sums.arg}, sums.sum, MakeSum, "The sum of the values",
                               sum.c_str(), "5"));
    out->push_back(AggregateOf("avg", {sums.arg}, sums.average, MakeAverage,
                               "The mean of the values", average.c_str(), sums.of_two_and_three));
  }
  out->push_back(AggregateOf("sum", {kInterval}, kInterval, MakeSum, "The sum of the intervals",
                             "sum(x) FROM (VALUES (interval '1 day'), ('1:30')) t(x)",
                             "1 day 01:30:00"));
  out->push_back(
      AggregateOf("avg", {kInterval}, kInterval, MakeAverage, "The mean of the intervals",
                  "avg(x) FROM (VALUES (interval '1 day'), ('1 hour')) t(x)", "12:30:00"));
}

void AddExtremes(std::vector<Aggregate>* out) {
  struct Sample {
    TypeId type;
    const char* less;
    const char* greater;
  };
  for (const Sample& sample :
       {Sample{kInt4, "2", "3"}, Sample{kInt8, "2", "3"}, Sample{kInt2, "2", "3"},
        Sample{kFloat8, "2", "NaN"}, Sample{kFloat4, "2", "NaN"}, Sample{kNumeric, "2.0", "2.1"},
        Sample{kText, "B", "a"}, Sample{kChar, "B", "a"}, Sample{kDate, "2024-02-28", "2024-02-29"},
        Sample{kTime, "01:00:00", "02:00:00"},
        Sample{kTimestamp, "2024-02-28 00:00:00", "2024-02-29 00:00:00"},
        Sample{kTimestamptz, "2024-02-28 00:00:00+00", "2024-02-29 00:00:00+00"},
        Sample{kInterval, "29 days", "1 mon"}}) {
    const auto values = fmt::format("FROM (VALUES ('{0}'::{2}), ('{1}'::{2})) t(x)", sample.less,
                                    sample.greater, TypeName(Type(sample.type)));
    Aggregate least = AggregateOf("min", {sample.type}, sample.type, MakeMin, "The least value",
                                  ("min(x) " + values).c_str(), sample.less);
    least.pick = Aggregate::Pick::kLeast;
    Aggregate greatest =
        AggregateOf("max", {sample.type}, sample.type, MakeMax, "The greatest value",
                    ("max(x) " + values).c_str(), sample.greater);
    greatest.pick = Aggregate::Pick::kGreatest;
    for (Aggregate* extreme : {&least, &greatest}) {
      extreme->invertible = false;
      extreme->resolve = FirstArgument;
      out->push_back(std::move(*extreme));
    }
  }
  for (const bool max : {false, true}) {
    Aggregate extreme = AggregateOf(max ? "max" : "min", {kEnum}, kEnum, max ? MakeMax : MakeMin,
                                    max ? "The greatest value" : "The least value", "", "");
    extreme.pick = max ? Aggregate::Pick::kGreatest : Aggregate::Pick::kLeast;
    extreme.invertible = false;
    extreme.resolve = FirstArgument;
    out->push_back(std::move(extreme));
  }
}

// Beyond PostgreSQL: a value of the row that is first in some order.
void AddPicks(std::vector<Aggregate>* out) {
  const auto add = [&](const char* name, std::vector<Type> args, Aggregate::Pick pick,
                       const char* description, const char* example = "", const char* answer = "") {
    Aggregate aggregate =
        AggregateOf(name, std::move(args), kUnknown, nullptr, description, example, answer);
    aggregate.invertible = false;
    aggregate.resolve = FirstArgument;
    aggregate.pick = pick;
    aggregate.pick_by = aggregate.args.size() == 2 ? 1 : 0;
    out->push_back(std::move(aggregate));
  };
  add("arg_min", {kUnknown, kUnknown}, Aggregate::Pick::kLeast,
      "The first argument in the row where the second is least",
      "arg_min(x, y) FROM (VALUES ('a', 2), ('b', 1)) t(x, y)", "b");
  add("arg_max", {kUnknown, kUnknown}, Aggregate::Pick::kGreatest,
      "The first argument in the row where the second is greatest",
      "arg_max(x, y) FROM (VALUES ('a', 2), ('b', 1)) t(x, y)", "a");
  add("first", {kUnknown}, Aggregate::Pick::kFirst,
      "The value of the row that came first, in order of arrival");
  add("last", {kUnknown}, Aggregate::Pick::kLast,
      "The value of the row that came last, in order of arrival");
}

std::vector<Aggregate> MakeAggregates() {
  std::vector<Aggregate> all;
  all.push_back(AggregateOf("count", {}, kInt8, MakeCount, "How many rows there are",
                            "count(*) FROM (VALUES (1), (NULL)) t(x)", "2"));
  all.push_back(AggregateOf("count", {kUnknown}, kInt8, MakeCount, "How many values are not null",
                            "count(x) FROM (VALUES (1), (NULL)) t(x)", "1"));
  AddSums(&all);
  AddExtremes(&all);
  AddPicks(&all);
  all.push_back(AggregateOf("bool_and", {kBool}, kBool, MakeBoolAnd, "Whether all values are true",
                            "bool_and(x) FROM (VALUES (true), (false)) t(x)", "f"));
  all.push_back(AggregateOf("bool_or", {kBool}, kBool, MakeBoolOr, "Whether any value is true",
                            "bool_or(x) FROM (VALUES (true), (false)) t(x)", "t"));
  all.push_back(AggregateOf("every", {kBool}, kBool, MakeBoolAnd, "Whether all values are true",
                            "every(x) FROM (VALUES (true), (NULL)) t(x)", "t"));
  AddBitAggregates(&all);
  AddStatistics(&all);
  AddFolds(&all);
  AddJsonAggregates(&all);
  return all;
}

const std::vector<Aggregate>& Aggregates() {
  static const std::vector<Aggregate> kAggregates = MakeAggregates();
  return kAggregates;
}

Status NoSuchAggregate(std::string_view name, std::span<const Type> args, int location,
                       bool ambiguous) {
  std::string types;
  for (const Type& arg : args) {
    if (!types.empty()) types += ", ";
    types += PlainTypeName(arg);
  }
  const char* hint = ambiguous
                         ? "Could not choose a best candidate function. You might need to add "
                           "explicit type casts."
                         : "No function matches the given name and argument types. You might need "
                           "to add explicit type casts.";
  return SqlStatus(
      fmt::format("function {}({}) {}", name, types,
                  ambiguous ? "is not unique" : "does not exist"),
      {.sqlstate = ambiguous ? "42725" : kUndefinedFunction, .location = location, .hint = hint});
}

}  // namespace

std::span<const Aggregate> AllAggregates() { return Aggregates(); }

bool IsAggregate(std::string_view name) {
  return std::any_of(Aggregates().begin(), Aggregates().end(),
                     [&](const Aggregate& aggregate) { return aggregate.name == name; });
}

Result<ResolvedAggregate> ResolveAggregate(std::string_view name, std::span<const Type> args,
                                           int location) {
  std::vector<const Aggregate*> overloads;
  std::vector<std::vector<Type>> candidates;
  for (const Aggregate& aggregate : Aggregates()) {
    if (aggregate.name != name || aggregate.args.size() != args.size()) continue;
    overloads.push_back(&aggregate);
    candidates.push_back(aggregate.args);
  }
  const int chosen = SelectCandidate(candidates, args);
  if (chosen < 0) return NoSuchAggregate(name, args, location, chosen == -2);
  ResolvedAggregate resolved{.aggregate = overloads[static_cast<size_t>(chosen)]};
  for (size_t i = 0; i < args.size(); ++i) {
    const Type& parameter = resolved.aggregate->args[i];
    if (parameter.id == kUnknown) {
      resolved.args.push_back(args[i].id == kUnknown ? Type(kText) : args[i]);
    } else {
      resolved.args.push_back(SameKind(parameter, args[i]) ? args[i] : parameter);
    }
  }
  resolved.result = resolved.aggregate->result;
  if (resolved.aggregate->resolve != nullptr) {
    LEAT_ASSIGN(resolved.result, resolved.aggregate->resolve(resolved.args));
  }
  return resolved;
}

}  // namespace leat
