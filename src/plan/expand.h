// Puts the queries of views in the place of their scans, so that what they share is computed once.
#pragma once

#include <functional>
#include <string>

#include "sql/logical.h"

namespace leat {

// The query whose rows a relation's scan stands for, or nullptr: it is a source.
using ViewLookup = std::function<Result<LogicalPtr>(const std::string& relation)>;

Result<LogicalPtr> ExpandViews(const LogicalPtr& node, const ViewLookup& lookup);

// The first `query.visible` columns of a bound query's rows.
LogicalPtr VisibleColumns(const Query& query);

// The relations that a tree scans, each once, in the order of first use.
std::vector<std::string> ScannedRelations(const Logical& node);

}  // namespace leat
