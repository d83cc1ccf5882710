#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "catalog/store.h"

namespace leat {
namespace {

Relation MakeRelation(std::string name, RelationKind kind) {
  Relation relation;
  relation.name = std::move(name);
  relation.kind = kind;
  ColumnSpec spec;
  spec.column = {"amount", Type::Numeric(10, 2), false};
  spec.comment = "in euros";
  relation.columns.push_back(std::move(spec));
  return relation;
}

TEST(Catalog, NamesAreUnique) {
  Catalog catalog;
  ASSERT_TRUE(catalog.AddRelation(MakeRelation("loan", RelationKind::kTable)).ok());
  const Status again = catalog.AddRelation(MakeRelation("loan", RelationKind::kView));
  EXPECT_EQ(again.message(), "relation \"loan\" already exists");
  EXPECT_EQ(SqlErrorOf(again)->sqlstate, "42P07");
  EXPECT_EQ(catalog.Drop("lone").message(), "relation \"lone\" does not exist");
  ASSERT_TRUE(catalog.Drop("loan").ok());
  EXPECT_EQ(catalog.FindRelation("loan"), nullptr);
}

TEST(Catalog, NearestNameIsNear) {
  EXPECT_EQ(NearestName("temp_mx", {"temp_max", "temp_min", "city"}), "temp_max");
  EXPECT_EQ(NearestName("humidity", {"temp_max", "city"}), std::nullopt);
}

TEST(Catalog, IsUtcUnlessSet) {
  Catalog catalog;
  EXPECT_EQ(catalog.Setting("timezone"), "UTC");
  catalog.Set("timezone", "Europe/Riga");
  EXPECT_EQ(catalog.Setting("timezone"), "Europe/Riga");
}

TEST(Store, KeepsEverythingButCredentials) {
  Catalog catalog;
  Server server;
  server.name = "bank";
  server.kind = "database";
  server.options = {{"url", "postgresql://me:hidden@db/bank"}, {"password", "hidden"}};
  server.credentials = {{"password", "hidden"}};
  ASSERT_TRUE(catalog.AddServer(server).ok());
  Relation loan = MakeRelation("loan", RelationKind::kForeign);
  loan.server = "bank";
  loan.options = {{"mode", "upsert"}};
  ASSERT_TRUE(catalog.AddRelation(loan).ok());
  ASSERT_TRUE(catalog.AddInsert({.sink = "loan", .sql = "SELECT 1"}).ok());

  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("leat_catalog_test_{}.db", ::getpid());
  for (int round = 0; round < 2; ++round) {  // rewritten, not added to
    const Status saved = SaveCatalog(catalog, path);
    ASSERT_TRUE(saved.ok()) << saved.ToString();
  }
  const auto summary = LoadSummary(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  ASSERT_EQ(summary->servers.size(), 1);
  EXPECT_EQ(summary->servers[0].options, (Options{{"url", "postgresql://db/bank"}}));
  ASSERT_EQ(summary->relations.size(), 1);
  const RelationSummary& relation = summary->relations[0];
  EXPECT_EQ(relation.kind, RelationKind::kForeign);
  EXPECT_EQ(relation.server, "bank");
  EXPECT_EQ(relation.sql, "SELECT 1");
  EXPECT_EQ(relation.options, (Options{{"mode", "upsert"}}));
  ASSERT_EQ(relation.columns.size(), 1);
  EXPECT_EQ(relation.columns[0].type, "numeric(10,2)");
  EXPECT_FALSE(relation.columns[0].nullable);
  EXPECT_EQ(relation.columns[0].comment, "in euros");
}

TEST(Store, AMissingFileIsAnError) {
  EXPECT_TRUE(LoadSummary("/nonexistent/catalog.db").status().IsIOError());
}

}  // namespace
}  // namespace leat
