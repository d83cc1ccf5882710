#include "plan/rules.h"

#include <array>

namespace leat {
namespace {

// Joins before aggregates: their order decides which columns an aggregate finds where.
constexpr std::array kRules = {Rule{"push_filters", PushFilters}, Rule{"order_joins", OrderJoins},
                               Rule{"narrow_aggregates", NarrowAggregates}};

}  // namespace

std::span<const Rule> AllRules() { return kRules; }

LogicalPtr ApplyRules(const LogicalPtr& query, std::string_view without) {
  LogicalPtr out = query;
  for (const Rule& rule : kRules) {
    if (rule.name != without) out = rule.apply(out);
  }
  return out;
}

}  // namespace leat
