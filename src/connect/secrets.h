// What USER MAPPING keeps: read when a connection needs it, held by nobody longer.
#pragma once

#include "catalog/catalog.h"

namespace leat {

// The options with every ${file:PATH} replaced by what the file holds, without the end of its last
// line. A file that cannot be read is an error that names the option and the file.
Result<Options> OpenSecrets(const Options& credentials);

}  // namespace leat
