// Comparing columns of one type (or of two float types); private to func.
#pragma once

#include "func/kernel.h"

namespace leat {

enum class CompareOp : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

// True, false, or null where either side is: PostgreSQL's order of every type.
Result<ArrayPtr> CompareColumns(CompareOp op, const Call& call, Arguments args);

}  // namespace leat
