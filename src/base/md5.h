// MD5 (RFC 1321), where a format or a function asks for it by name; not for security.
#pragma once

#include <string>
#include <string_view>

namespace leat {

// 32 lower-case hex digits.
std::string Md5(std::string_view bytes);

}  // namespace leat
