// The forms of the window operator; MakeWindow chooses.
#pragma once

#include <memory>

#include "flow/window_calls.h"

namespace leat {

// Rows come in arrival order and none is ever taken back: a row's results are known when it comes,
// from a few rows and states kept per partition. REQUIRES: SuitsAppend.
std::unique_ptr<Operator> MakeWindowAppend(WindowSpec spec, WindowCalls calls);
bool SuitsAppend(const WindowSpec& spec, const WindowCalls& calls);

// Anything else: all rows are kept, in order; what a change reaches is computed again.
std::unique_ptr<Operator> MakeWindowGeneral(WindowSpec spec, WindowCalls calls);

}  // namespace leat
