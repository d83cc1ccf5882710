// A running machine's status as JSON: what /status answers, and how it travels over the control
// socket.
#pragma once

#include <string>
#include <string_view>

#include "run/live_status.h"

namespace leat {

// One object, members named as LiveStatus has them. Times are microseconds since 1970.
std::string ToJson(const LiveStatus& status);
// Its inverse; members that this leat does not know are passed over, missing ones keep their
// defaults.
bool FromJson(std::string_view json, LiveStatus* status);

std::string_view NameOf(WorkerState state);
// "2024-05-01T12:00:00Z"
std::string IsoTime(Micros time);

}  // namespace leat
