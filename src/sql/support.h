// What of PostgreSQL's language there is, for docs/sql.md; a test holds the list against the
// binder.
#pragma once

#include <span>
#include <string_view>

namespace leat {

enum class Support : uint8_t { kFull, kDifferent, kAbsent };

struct StatementSupport {
  std::string_view statement;  // as people call it
  Support support;
  std::string_view note;  // how it differs, or what to write instead
  // One of its kind, over the tables of the test: bound if it is supported, refused if it is
  // absent.
  std::string_view example;
};

// In the order of the documentation.
std::span<const StatementSupport> StatementsOfPostgres();

}  // namespace leat
