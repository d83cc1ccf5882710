// The casts that need arithmetic; private to func.
#pragma once

#include "func/kernel.h"

namespace leat {

// Among smallint … numeric.
Result<ArrayPtr> CastNumber(const Call& call, const Argument& arg, const Type& to);
Result<ArrayPtr> CastBoolToInt(const Call& call, const Argument& arg);
Result<ArrayPtr> CastIntToBool(const Call& call, const Argument& arg);
// Among date, time, timestamp, timestamptz and interval.
Result<ArrayPtr> CastTime(const Call& call, const Argument& arg, const Type& to);

}  // namespace leat
