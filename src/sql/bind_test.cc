#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sql/sql.h"

namespace leat {
namespace {

// Declares every statement of a script into a catalog, in order.
Status Declare(std::string_view sql, Catalog* catalog) {
  LEAT_ASSIGN(auto statements, ParseSql(sql, {{"HOME", "/data"}}));
  for (const auto& statement : statements) {
    LEAT_ASSIGN(BoundStatement bound, Bind(*statement, *catalog));
    if (auto* server = std::get_if<CreateServer>(&bound)) {
      LEAT_RETURN(catalog->AddServer(server->server));
    } else if (auto* relation = std::get_if<CreateRelation>(&bound)) {
      LEAT_RETURN(catalog->AddRelation(relation->relation));
    } else if (auto* insert = std::get_if<CreateInsert>(&bound)) {
      LEAT_RETURN(catalog->AddInsert(insert->insert));
    } else if (auto* set = std::get_if<SetVariable>(&bound)) {
      catalog->Set(set->name, set->value);
    }
  }
  return Status::OK();
}

// Without blanks before line ends: psql prints some.
std::string Trimmed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    while (c == '\n' && !out.empty() && out.back() == ' ') out.pop_back();
    out += c;
  }
  return out;
}

std::string WithoutPlace(std::string error) {
  const size_t begin = error.find("LINE 1: ");
  if (begin == error.npos) return error;
  const size_t caret = error.find("^\n", begin);
  return error.erase(begin, caret + 2 - begin);
}

class BindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status status = Declare(
        "CREATE TABLE t (a integer, b text, c double precision, d date, e numeric(10,2));"
        "CREATE TABLE u (a integer NOT NULL, x bigint, s char(3));"
        "CREATE TABLE w (k smallint, r real, f boolean, ts timestamp, tz timestamptz, i interval,"
        "  vc varchar(5), j jsonb, id uuid, tm time);"
        "CREATE VIEW v AS SELECT a, b AS label FROM t WHERE c > 0;",
        &catalog_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  Result<BoundStatement> BindOne(const std::string& sql) {
    LEAT_ASSIGN(auto statements, ParseSql(sql, {}));
    return Bind(*statements.at(0), catalog_);
  }

  // The plan of a SELECT, or psql's error text.
  std::string Plan(const std::string& sql) {
    const auto bound = BindOne(sql);
    if (!bound.ok()) return FormatError(bound.status(), sql);
    if (const auto* select = std::get_if<Select>(&*bound)) return ToString(*select->query.root);
    if (const auto* insert = std::get_if<InsertRows>(&*bound)) return ToString(*insert->query.root);
    return "another statement";
  }

  // As psql's \\gdesc describes a query: "name|type" a line; or the error.
  std::string Described(const std::string& sql) {
    const auto bound = BindOne(sql);
    if (!bound.ok()) return FormatError(bound.status(), sql);
    std::string text;
    if (const auto* select = std::get_if<Select>(&*bound)) {
      for (int i = 0; i < select->query.visible; ++i) {
        const Column& column = select->query.root->schema.columns[static_cast<size_t>(i)];
        text += fmt::format("{}|{}\n", column.name, TypeName(column.type));
      }
    }
    return text;
  }

  Catalog catalog_;
};

// The cases of a file in testdata: "=== statement", then the lines expected of it.
std::vector<std::pair<std::string, std::string>> ReadCases(const std::string& name) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "testdata" / name;
  auto root = std::filesystem::current_path();  // __FILE__ is relative to the root of the sources
  while (!std::filesystem::exists(root / path) && root.has_relative_path()) {
    root = root.parent_path();
  }
  std::ifstream file(root / path);
  EXPECT_TRUE(file.good()) << path;
  std::vector<std::pair<std::string, std::string>> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      cases.emplace_back(line.substr(4), "");
    } else if (!cases.empty()) {
      cases.back().second += Trimmed(line + "\n");
    }
  }
  return cases;
}

// What PostgreSQL 15 answered, asked by psql: columns and types (\\gdesc), or the error.
TEST_F(BindTest, AnswersAsPostgreSql) {
  const auto cases = ReadCases("postgres.txt");
  EXPECT_GT(cases.size(), 190);
  for (const auto& [sql, expected] : cases) {
    std::string actual = Trimmed(Described(sql));
    // Where PostgreSQL knows no place, ours is welcome.
    if (expected.find("\nLINE ") == expected.npos) actual = WithoutPlace(actual);
    EXPECT_EQ(expected, actual) << sql;
  }
}

// Trees and refusals, reviewed once by hand.
TEST_F(BindTest, PlansAreAsReviewed) {
  const auto cases = ReadCases("plans.txt");
  EXPECT_GT(cases.size(), 80);
  for (const auto& [sql, expected] : cases) EXPECT_EQ(expected, Trimmed(Plan(sql))) << sql;
}

TEST_F(BindTest, HashesFollowTheMeaning) {
  const auto hash = [&](const char* sql) {
    const BoundStatement bound = *BindOne(sql);
    return HashOf(*std::get<Select>(bound).query.root);
  };
  EXPECT_EQ(hash("SELECT a, b FROM t WHERE c > 1"),
            hash("select z.a, b from t as z where (c > 1)"));
  EXPECT_NE(hash("SELECT a, b FROM t WHERE c > 1"), hash("SELECT a, b FROM t WHERE c > 2"));
}

}  // namespace
}  // namespace leat
