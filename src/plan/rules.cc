#include "plan/rules.h"

namespace leat {

LogicalPtr ApplyRules(const LogicalPtr& query) { return PushFilters(query); }

}  // namespace leat
