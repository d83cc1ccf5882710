// Whole scripts: parsing, ${}, the order of declarations, and design's example.
#include <gtest/gtest.h>

#include <algorithm>

#include "sql/sql.h"

namespace leat {
namespace {

constexpr const char* kRejected = R"sql(
CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER lake      FOREIGN DATA WRAPPER file     OPTIONS (url '${LAKE:-./lake}');              -- or s3://bucket/…
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE rejected (
    amount_requested  double precision OPTIONS (name 'Amount Requested') CHECK (amount_requested >= 0),
    application_date  date             OPTIONS (name 'Application Date') NOT NULL,
    loan_title        text             OPTIONS (name 'Loan Title'),
    risk_score        double precision OPTIONS (name 'Risk_Score'),
    state             char(2)          OPTIONS (name 'State')
) SERVER files OPTIONS (path 'rejected_*.csv.gz', on_error 'reject', max_rejects '1%');

CREATE MATERIALIZED VIEW loan_features WITH (owner = 'risk') AS
SELECT *, avg(risk_score) OVER (ROWS 49 PRECEDING) AS ma50
FROM   rejected;
COMMENT ON COLUMN loan_features.ma50 IS 'Mean risk score of the last 50 applications';

CREATE FOREIGN TABLE lake_features () SERVER lake OPTIONS (path 'loan_features/', format 'parquet', partition_by 'state');
CREATE FOREIGN TABLE state_daily   () SERVER warehouse OPTIONS (mode 'upsert', key 'state, application_date');

INSERT INTO lake_features SELECT * FROM loan_features;
INSERT INTO state_daily
SELECT state, application_date, count(*) AS applications, avg(ma50) AS ma50
FROM   loan_features GROUP BY state, application_date;
)sql";

using Statements = std::vector<std::shared_ptr<const ParsedStatement>>;

// Binds a script in order and declares what it says.
Status Declare(const Statements& statements, Catalog* catalog) {
  for (const auto& statement : statements) {
    LEAT_ASSIGN(BoundStatement bound, Bind(*statement, *catalog));
    if (auto* server = std::get_if<CreateServer>(&bound)) {
      LEAT_RETURN(catalog->AddServer(server->server));
    } else if (auto* relation = std::get_if<CreateRelation>(&bound)) {
      LEAT_RETURN(catalog->AddRelation(relation->relation));
    } else if (auto* insert = std::get_if<CreateInsert>(&bound)) {
      LEAT_RETURN(catalog->AddInsert(insert->insert));
    }
  }
  return Status::OK();
}

std::string ErrorOf(const std::string& sql, const Environment& environment = {}) {
  const auto statements = ParseSql(sql, environment);
  if (!statements.ok()) return FormatError(statements.status(), sql);
  Catalog catalog;
  return FormatError(Declare(*statements, &catalog), sql);
}

TEST(Pipeline, DeclaresTheExampleOfTheDesign) {
  const auto statements = ParseSql(kRejected, {{"DATA", "/srv/data"}});
  ASSERT_TRUE(statements.ok()) << FormatError(statements.status(), kRejected);
  ASSERT_EQ(statements->size(), 10);
  Catalog catalog;
  const Status declared = Declare(*statements, &catalog);
  ASSERT_TRUE(declared.ok()) << FormatError(declared, kRejected);

  EXPECT_EQ(catalog.FindServer("files")->options.at("url"), "/srv/data");
  EXPECT_EQ(catalog.FindServer("warehouse")->options.at("url"), "sqlite:warehouse.db");
  const Relation& rejected = *catalog.FindRelation("rejected");
  EXPECT_EQ(rejected.columns[0].outside_name, "Amount Requested");
  EXPECT_FALSE(rejected.columns[1].column.nullable);
  EXPECT_EQ(TypeName(rejected.columns[4].column.type), "character(2)");
  ASSERT_EQ(rejected.checks.size(), 1);
  EXPECT_EQ(rejected.checks[0].name, "rejected_amount_requested_check");
  EXPECT_EQ(ToString(*rejected.checks[0].predicate), "(#0 >= '0'::double precision)");

  const Relation& features = *catalog.FindRelation("loan_features");
  EXPECT_TRUE(features.has_seq);
  EXPECT_EQ(features.options.at("owner"), "risk");
  const auto view = BindViewQuery(features, catalog);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(
      ToString(*view->root),
      "Project amount_requested, application_date, loan_title, risk_score, state, avg AS ma50\n"
      "  Window avg(risk_score) AS avg OVER ( ROWS BETWEEN 49 PRECEDING AND CURRENT ROW)\n"
      "    Scan rejected (amount_requested double precision, application_date date NOT NULL, "
      "loan_title text, risk_score double precision, state character(2))\n");

  ASSERT_EQ(catalog.inserts().size(), 2);
  EXPECT_TRUE(catalog.FindRelation("state_daily")->infer_columns);
  const auto daily = BindInsertQuery(catalog.inserts()[1], catalog);
  ASSERT_TRUE(daily.ok());
  EXPECT_EQ(ToString(*daily->root),
            "Project state, application_date, count AS applications, avg AS ma50\n"
            "  Aggregate count(*) AS count, avg(ma50) AS avg BY state, application_date\n"
            "    Scan loan_features (amount_requested double precision, application_date date NOT "
            "NULL, loan_title text, risk_score double precision, state character(2), ma50 double "
            "precision)\n");
}

TEST(Pipeline, SaysWhatDefinesWhat) {
  const auto statements = *ParseSql(kRejected, {});
  EXPECT_EQ(DefinedBy(*statements[3]), "rejected");
  EXPECT_EQ(ReferencesOf(*statements[3]), std::vector<std::string>{"files"});
  EXPECT_EQ(DefinedBy(*statements[4]), "loan_features");
  EXPECT_EQ(ReferencesOf(*statements[4]), (std::vector<std::string>{"avg()", "rejected"}));
  EXPECT_EQ(ReferencesOf(*statements[5]), std::vector<std::string>{"loan_features"});
  EXPECT_EQ(ReferencesOf(*statements[9]),
            (std::vector<std::string>{"avg()", "count()", "loan_features", "state_daily"}));
  EXPECT_EQ(TextOf(*statements[8]), "INSERT INTO lake_features SELECT * FROM loan_features");
  EXPECT_EQ(std::string_view(kRejected).substr(LocationOf(*statements[8])).substr(0, 25),
            "INSERT INTO lake_features");
}

// A stored text binds to the same plan as the statement it came from.
TEST(Pipeline, StoredTextsBindAgain) {
  const auto statements = *ParseSql(
      "CREATE TABLE t (a integer, b text);"
      "CREATE SERVER s FOREIGN DATA WRAPPER file;"
      "CREATE FOREIGN TABLE sink (x bigint, y text) SERVER s;"
      "CREATE VIEW v (p) AS SELECT a FROM t WHERE b = '${WHO}';"
      "INSERT INTO sink (y, x) SELECT b, a FROM t",
      {{"WHO", "it's me"}});
  Catalog catalog;
  ASSERT_TRUE(Declare(statements, &catalog).ok());
  Relation view = *catalog.FindRelation("v");
  const std::string bound = ToString(*BindViewQuery(view, catalog)->root);
  EXPECT_NE(bound.find("'it''s me'"), bound.npos) << bound;
  view.definition = nullptr;
  EXPECT_EQ(ToString(*BindViewQuery(view, catalog)->root), bound);
  StandingInsert insert = catalog.inserts()[0];
  const std::string inserted = ToString(*BindInsertQuery(insert, catalog)->root);
  insert.definition = nullptr;
  EXPECT_EQ(ToString(*BindInsertQuery(insert, catalog)->root), inserted);
}

TEST(Pipeline, AnUndefinedVariableIsNamed) {
  EXPECT_EQ(ErrorOf("SELECT '${NOWHERE}'"),
            "ERROR:  environment variable \"NOWHERE\" is not set\n"
            "LINE 1: SELECT '${NOWHERE}'\n"
            "               ^\n"
            "HINT:  Set it, put it into .env, or write ${NOWHERE:-default}.\n");
}

TEST(Pipeline, ErrorsKnowTheirPlaceInTheWholeText) {
  EXPECT_EQ(ErrorOf("SELECT 'é';\n-- a comment\nSELECT 1 FRM t"),
            "ERROR:  syntax error at or near \"t\"\n"
            "LINE 3: SELECT 1 FRM t\n"
            "                     ^\n");
  EXPECT_EQ(ErrorOf("SELECT 'é';\nSELECT nothing"),
            "ERROR:  column \"nothing\" does not exist\n"
            "LINE 2: SELECT nothing\n"
            "               ^\n");
}

// What other systems write is answered with what to write here.
TEST(Pipeline, HabitsGetAHint) {
  const std::pair<const char*, const char*> kCases[] = {
      {"SELECT * FROM a ANTI JOIN b ON a.x = b.x", "NOT EXISTS"},
      {"SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x", "EXISTS"},
      {"SELECT * FROM a ASOF JOIN b USING (x)", "LATERAL"},
      {"SELECT * FROM a FINAL JOIN b USING (x)", "DISTINCT ON"},
      {"SELECT x FROM a QUALIFY row_number() OVER () = 1", "no QUALIFY"},
      {"SELECT * EXCLUDE (x) FROM a", "no EXCLUDE"},
      {"SELECT TRY_CAST(x AS integer) FROM a", "no TRY_CAST"},
      {"SELECT x FROM a GROUP BY ALL", "no GROUP BY ALL"},
      {"CREATE OR REPLACE TABLE a AS SELECT 1", "OR REPLACE"},
      {"SELECT `x` FROM a", "double quotes"},
      {"ALTER SERVER a OPTIONS (ADD x 'y')", "Change the declaration"},
  };
  for (const auto& [sql, hint] : kCases) {
    const std::string error = ErrorOf(sql);
    EXPECT_NE(error.find("HINT:"), error.npos) << error;
    EXPECT_NE(error.find(hint), error.npos) << error;
  }
}

// An alias that was meant is one.
TEST(Pipeline, AnAliasMayBeCalledFinal) {
  EXPECT_TRUE(ParseSql("SELECT * FROM a AS final JOIN b ON true", {}).ok());
  EXPECT_TRUE(ParseSql("SELECT * FROM final JOIN b ON true", {}).ok());
}

TEST(Pipeline, DeepNestingIsRefusedNotFatal) {
  for (const int depth : {300, 1000, 5000, 20000}) {
    std::string sum = "SELECT 1";
    std::string nested = "SELECT ";
    for (int i = 0; i < depth; ++i) {
      sum += " + 1";
      nested += "(1 + ";
    }
    nested += "1" + std::string(static_cast<size_t>(depth), ')');
    for (const std::string& sql : {sum, nested}) {
      const std::string error = ErrorOf(sql);
      if (depth > 300) {
        EXPECT_TRUE(error.starts_with("ERROR:  stack depth limit exceeded") ||
                    error.starts_with("ERROR:  memory exhausted"))
            << error.substr(0, 200);
      }
    }
  }
}

}  // namespace
}  // namespace leat
