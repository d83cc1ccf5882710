// LEAT_CHECK(condition, "fmt {}", args…): we are wrong. Stops the process before a wrong byte is
// written, in release builds too; recovery replays. No input may reach it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace leat::internal {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const std::string& message);

inline std::string CheckMessage() { return {}; }
template <typename... Args>
std::string CheckMessage(fmt::format_string<Args...> text, Args&&... args) {
  return fmt::format(text, std::forward<Args>(args)...);
}

}  // namespace leat::internal

#define LEAT_CHECK(condition, ...)                                                \
  do {                                                                            \
    if (!(condition)) [[unlikely]] {                                              \
      ::leat::internal::CheckFailed(__FILE__, __LINE__, #condition,               \
                                    ::leat::internal::CheckMessage(__VA_ARGS__)); \
    }                                                                             \
  } while (false)
