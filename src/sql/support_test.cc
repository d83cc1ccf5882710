#include "sql/support.h"

#include <gtest/gtest.h>

#include "sql/sql.h"

namespace leat {
namespace {

// Every statement of a script, declared.
Catalog Declared(std::string_view text) {
  Catalog catalog;
  const auto statements = ParseSql(text, {});
  EXPECT_TRUE(statements.ok()) << statements.status().ToString();
  for (const auto& statement : *statements) {
    auto bound = Bind(*statement, catalog);
    EXPECT_TRUE(bound.ok()) << bound.status().ToString();
    if (auto* server = std::get_if<CreateServer>(&*bound)) {
      EXPECT_TRUE(catalog.AddServer(server->server).ok());
    }
    if (auto* create = std::get_if<CreateRelation>(&*bound)) {
      EXPECT_TRUE(catalog.AddRelation(create->relation).ok());
    }
  }
  return catalog;
}

TEST(Support, SaysWhatTheBinderDoes) {
  const Catalog catalog = Declared(
      "CREATE SERVER s FOREIGN DATA WRAPPER file OPTIONS (url '.');"
      "CREATE TABLE t (a integer PRIMARY KEY, b integer, c text);"
      "CREATE VIEW v AS SELECT a FROM t;");
  for (const StatementSupport& one : StatementsOfPostgres()) {
    const auto statements = ParseSql(one.example, {});
    ASSERT_TRUE(statements.ok()) << one.statement << ": " << statements.status().ToString();
    const Status status = Bind(*(*statements)[0], catalog).status();
    if (one.support != Support::kAbsent) {
      EXPECT_TRUE(status.ok()) << one.statement << ": " << status.ToString();
      continue;
    }
    ASSERT_FALSE(status.ok()) << one.statement << " is said to be absent";
    EXPECT_EQ(SqlErrorOf(status)->sqlstate, "0A000") << one.statement;
  }
}

}  // namespace
}  // namespace leat
