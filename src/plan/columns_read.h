// Which columns of a relation a plan asks for.
#pragma once

#include <string_view>
#include <vector>

#include "sql/logical.h"

namespace leat {

// Marks in `read`, which has a place for each column of `relation`, those whose values matter to
// `plan`. Looks through projections and filters; anything else wants all its rows' columns.
void MarkColumnsRead(const Logical& plan, std::string_view relation, std::vector<bool>* read);

}  // namespace leat
