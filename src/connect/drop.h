// What sources make in the systems that they read.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace leat {

// Removes what a server's sources made there and left, such as a replication slot, which would keep
// the log for ever: a line for each thing that was there. REQUIRES: nothing reads from it.
Result<std::vector<std::string>> DropWhatSourcesMade(const Server& server);

}  // namespace leat
