#pragma once

#include <string>

#include "base/status.h"

namespace leat {

// The bytes of what a user names on a command line or beside a pipeline: a file, a pipe, a device;
// "-" is standard input. IOError naming the path and the system's words, for a directory too. What
// the machine keeps goes through FileSystem instead.
Result<std::string> ReadWholeFile(const std::string& path);

}  // namespace leat
