// SQL however wrong: an error, never a crash.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "sql/sql.h"

namespace leat {
namespace {

Catalog MakeCatalog() {
  Catalog catalog;
  Relation table{.name = "t"};
  table.columns = {{.column = {"a", TypeId::kInt4}},
                   {.column = {"b", TypeId::kText}},
                   {.column = {"c", TypeId::kTimestamptz}},
                   {.column = {"d", TypeId::kNumeric}}};
  LEAT_CHECK(catalog.AddRelation(std::move(table)).ok());
  return catalog;
}

}  // namespace
}  // namespace leat

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const leat::Catalog catalog = leat::MakeCatalog();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statements = leat::ParseSql(text, {{"HOME", "/"}});
  if (!statements.ok()) return 0;
  for (const auto& statement : *statements) {
    LEAT_CHECK(leat::LocationOf(*statement) <= static_cast<int>(size));
    (void)leat::ReferencesOf(*statement);
    (void)leat::Bind(*statement, catalog);
  }
  return 0;
}
