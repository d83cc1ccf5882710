// What is said over the control socket. The client begins; each side first says who it is.
//
//   kHello   protocol, version                  kHello   protocol, version
//   kStatus                                     kStatus  LiveStatus as JSON
//   kView                                       kView    the manifest, the names of relations
//   kRows    name, begin, end (of that view)    kRows …  (key, row, weight) …, then kEnd
//   kAside   why                                kAside   the state is free until the line ends
//
// Anything may be answered by kError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

inline constexpr int64_t kControlProtocol = 1;

inline constexpr char kHello = 'h', kStatus = 's', kView = 'v', kRows = 'r', kAside = 'a',
                      kEnd = '.', kError = '!';

std::string EncodeHello();
// Refuses another protocol, naming both versions.
Status CheckHello(std::string_view hello);

// A status with all that it carries.
std::string EncodeError(const Status& status);
Status DecodeError(std::string_view bytes);

}  // namespace leat
