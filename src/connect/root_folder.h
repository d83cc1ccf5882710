// Where a server whose url is a folder keeps its things.
#pragma once

#include <string>

#include "catalog/catalog.h"

namespace leat {

// The folder that a server's url means, relative to its option `base`.
std::string RootFolder(const Server& server);

}  // namespace leat
