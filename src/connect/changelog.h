// Mode `changelog`: every change of the answer is a row with `_op`, 'insert' or 'delete'; an update
// is both. Summed up, deletes against inserts, they are the answer.
#pragma once

#include <memory>

#include "connect/sink.h"

namespace leat {

inline constexpr const char* kOpColumn = "_op";

// A sink that takes changes and appends them to `target`, whose last column is `_op`.
std::unique_ptr<Sink> WriteChanges(std::unique_ptr<Sink> target);

}  // namespace leat
