// format(); private to func.
#pragma once

#include <vector>

#include "func/function.h"

namespace leat {

void AddFormatFunctions(std::vector<Function>* out);

}  // namespace leat
