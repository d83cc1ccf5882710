#include "plan/rules.h"

namespace leat {

// Joins first: their order decides which columns an aggregate finds where.
LogicalPtr ApplyRules(const LogicalPtr& query) {
  return NarrowAggregates(OrderJoins(PushFilters(query)));
}

}  // namespace leat
