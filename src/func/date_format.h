// to_char, to_date and to_timestamp by the patterns of data/date_pattern.h; private to func.
#pragma once

#include <vector>

#include "func/function.h"

namespace leat {

void AddDateFormatFunctions(std::vector<Function>* out);
void AddDateParseFunctions(std::vector<Function>* out);

}  // namespace leat
