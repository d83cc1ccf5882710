// Casts of columns; private to func.
#pragma once

#include "func/kernel.h"

namespace leat {

// The argument as `to` (also call.result). Errors of rows go to call.errors.
Result<ArrayPtr> CastColumn(const Call& call, const Argument& arg, const Type& to,
                            CastContext context);
// Whether the cast leaves the column's bytes as they are.
bool IsRelabel(const Type& from, const Type& to);

}  // namespace leat
