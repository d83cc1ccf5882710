// The pages that show a running machine: /health, /metrics, /status.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "run/live_status.h"
#include "serve/http.h"

namespace leat {

// Both must outlive the pages. `clock` is read on the server's thread.
std::map<std::string, HttpHandler> StatusPages(const StatusBoard* board, const Clock* clock);

}  // namespace leat
