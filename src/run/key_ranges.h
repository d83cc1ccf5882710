// Where a query asks for the rows of one key of what the state keeps by key, which part of the
// trace has them: a look instead of a reading of all.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "func/evaluate.h"
#include "sql/logical.h"

namespace leat {

// Keys as bytes (data/key.h): begin <= key < end; an empty `end`: no end.
struct KeyRange {
  std::string begin, end;
};

// The columns of a relation that its rows are kept by, in the order of the key's bytes; nullptr:
// they are not.
using KeyOfRelation = std::function<const std::vector<int>*(const std::string& relation)>;

// By relation, of those that the query scans once, under a filter by equality with constants of the
// key's first columns, which `context` evaluates. The query still has to filter what the range
// gives.
std::map<std::string, KeyRange> KeyRangesOf(const Logical& query, const KeyOfRelation& key_of,
                                            const EvalContext& context);

}  // namespace leat
