#include "flow/window_forms.h"

namespace leat {

Result<std::unique_ptr<Operator>> MakeWindow(WindowSpec spec) {
  LEAT_ASSIGN(WindowCalls calls, WindowCalls::Make(spec));
  if (SuitsAppend(spec, calls)) return MakeWindowAppend(std::move(spec), std::move(calls));
  return MakeWindowGeneral(std::move(spec), std::move(calls));
}

bool KeepsArrivalOrder(const WindowSpec& spec) {
  const auto calls = WindowCalls::Make(spec);
  return calls.ok() && SuitsAppend(spec, *calls);
}

}  // namespace leat
