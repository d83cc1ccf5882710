// Text of other encodings as UTF-8, by iconv(3).
#pragma once

#include <memory>
#include <string>

#include "format/bytes.h"

namespace leat {

// REQUIRES: `encoding` came from EncodingOption.
Result<std::unique_ptr<ByteReader>> Transcode(std::unique_ptr<ByteReader> bytes,
                                              const std::string& encoding);

}  // namespace leat
