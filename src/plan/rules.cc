#include "plan/rules.h"

namespace leat {

LogicalPtr ApplyRules(const LogicalPtr& query) { return NarrowAggregates(PushFilters(query)); }

}  // namespace leat
