#include "run/slt_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file_system.h"

namespace leat {
namespace {

constexpr const char* kTable =
    "statement ok\nCREATE TABLE t (i integer, x double precision, s text)\n\n"
    "statement ok\nINSERT INTO t VALUES (1, 0.5, 'a b'), (2, NULL, ''), (3, 2, 'c')\n\n";

SltReport Play(const std::string& text, SltOptions options = {}) {
  options.files = PosixFileSystem();
  options.ways = IncrementalWays();
  options.seed = 7;
  return PlaySltText("test.slt", kTable + text, options);
}

// Each record stands after two that pass.
void ExpectPass(const std::string& text) {
  const SltReport report = Play(text);
  EXPECT_EQ(report.failed, 0) << text << "\n"
                              << (report.failures.empty() ? "" : report.failures[0].details);
}
void ExpectFail(const std::string& text, const std::string& what) {
  const SltReport report = Play(text);
  ASSERT_EQ(report.failed, 1) << text;
  const SltFailure& failure = report.failures[0];
  EXPECT_NE((failure.what + "\n" + failure.details).find(what), std::string::npos)
      << text << "\n"
      << failure.what << "\n"
      << failure.details;
}

TEST(SltRun, ComparesRowsAndValues) {
  ExpectPass("query IRT rowsort\nSELECT * FROM t\n----\n1  0.5  a b\n2  NULL  (empty)\n3  2  c\n");
  ExpectPass("query IRT rowsort\nSELECT * FROM t\n----\n1\t0.5\ta b\n2\tNULL\t\n3\t2\tc\n");
  // The classic form: a value a line, three digits.
  ExpectPass(
      "query IRT rowsort\nSELECT * FROM t\n----\n1\n0.500\na b\n2\nNULL\n(empty)\n3\n2.000\nc\n");
  ExpectPass("query IR valuesort\nSELECT i, x FROM t\n----\n0.500\n1\n2\n2.000\n3\nNULL\n");
  ExpectPass("query I\nSELECT x IS NULL FROM t ORDER BY i\n----\n0\n1\n0\n");
  ExpectPass("query I\nSELECT 3.7\n----\n3\n");
  ExpectPass("query T\nSELECT E'a\\tb'\n----\na@b\n");
  ExpectPass("query I\nSELECT i FROM t WHERE i > 3\n----\n");
  ExpectPass("query I\nSELECT i FROM t\n");
}

TEST(SltRun, SeesWrongAnswers) {
  ExpectFail("query I\nSELECT i FROM t ORDER BY i\n----\n1\n4\n3\n", "- 4\n+ 2\n");
  ExpectFail("query I\nSELECT i FROM t ORDER BY i\n----\n2\n1\n3\n", "wrong answer");
  ExpectFail("query I\nSELECT i FROM t ORDER BY i\n----\n1\n2\n", "+ 3\n");
  ExpectFail("query IR rowsort\nSELECT i, x FROM t\n----\n1  0.5\n2  0\n3  2\n",
             "- 2  0\n+ 2  NULL\n");
  ExpectFail("query T\nSELECT s FROM t WHERE i = 1\n----\na  b\n", "wrong answer");
  ExpectFail("query II\nSELECT i FROM t\n----\n1\n", "2 columns expected, 1 came");
  ExpectFail("statement count 2\nDELETE FROM t\n", "2 rows expected");
  ExpectFail("statement ok\nSELECT nothing FROM t\n", "column \"nothing\" does not exist");
  ExpectFail("statement ok\nSELECT FROM WHERE\n", "syntax error");
}

TEST(SltRun, ComparesHashes) {
  // md5 of "1\n2\n3\n".
  ExpectPass(
      "query I rowsort\nSELECT i FROM t\n----\n3 values hashing to "
      "c0710d6b4f15dfa88f600b0e6b624077\n");
  ExpectFail(
      "query I\nSELECT i FROM t\n----\n3 values hashing to 00000000000000000000000000000000\n",
      "hashing to c0710d6b4f15dfa88f600b0e6b624077");
}

TEST(SltRun, ComparesAnswersOfOneLabel) {
  ExpectPass("query I nosort l\nSELECT 1\n\nquery I nosort l\nSELECT i FROM t WHERE i = 1\n");
  ExpectFail("query I nosort l\nSELECT 1\n\nquery I nosort l\nSELECT 2\n", "labelled \"l\"");
}

TEST(SltRun, ExpectsErrors) {
  ExpectPass("statement error\nSELECT 1/0\n");
  ExpectPass("statement error division by zero\nSELECT 1/0\n");
  ExpectPass("statement error ^div.*zero$\nSELECT 1/0\n");
  ExpectPass("statement error 22012\nSELECT 1/0\n");
  ExpectPass("statement error\nSELECT 1/0\n----\ndivision by zero\n");
  ExpectPass("query error division\nSELECT 6 / (i - 1) FROM t\n");
  ExpectPass("statement error syntax error\nSELEKT 1\n");
  ExpectFail("statement error overflow\nSELECT 1/0\n", "another error than \"overflow\"");
  ExpectFail("statement error\nSELECT 1\n", "this should have failed");
}

TEST(SltRun, SetsTheClock) {
  ExpectPass("clock '2024-02-29 12:00:00+00'\n\nquery T\nSELECT current_date\n----\n2024-02-29\n");
  ExpectFail("clock 'noon'\n", "invalid input syntax for type timestamp with time zone");
}

TEST(SltRun, ReportsWhatItCannotPlay) {
  EXPECT_EQ(PlaySlt("no-such-file.slt", {}).failed, 1);
  EXPECT_EQ(PlaySltText("a.slt", "nonsense\n", {}).failed, 1);
  ExpectFail("pipeline no-such-file.sql\n", "no-such-file.sql");
}

TEST(SltRun, WritesTheAnswersThatCame) {
  const SltReport report = Play(
      "query IT\nSELECT i, s FROM t ORDER BY i\n----\nold\nlines\n\n# kept\nquery I\nSELECT "
      "1\n\nepoch\n",
      {.update = true});
  EXPECT_EQ(report.updated,
            std::string(kTable) +
                "query IT\nSELECT i, s FROM t ORDER BY i\n----\n1  a b\n2  (empty)\n3  c\n"
                "\n# kept\nquery I\nSELECT 1\n----\n1\n\nepoch\n");
  ASSERT_EQ(Play(report.updated.substr(std::string(kTable).size())).failed, 0);
}

TEST(SltRun, SeedsDifferByLineAndWay) {
  EXPECT_EQ(SeedOf(1, 2, Way::Cut::kRandom), SeedOf(1, 2, Way::Cut::kRandom));
  EXPECT_NE(SeedOf(1, 2, Way::Cut::kRandom), SeedOf(2, 2, Way::Cut::kRandom));
  EXPECT_NE(SeedOf(1, 2, Way::Cut::kRandom), SeedOf(1, 3, Way::Cut::kRandom));
  EXPECT_NE(SeedOf(1, 2, Way::Cut::kRandom), SeedOf(1, 2, Way::Cut::kRetract));
}

TEST(SltRun, PlaysFilesOnThreadsAndReportsThemInOrder) {
  const auto directory =
      std::filesystem::temp_directory_path() / fmt::format("leat-slt-{}", ::getpid());
  std::filesystem::create_directory(directory);
  std::vector<std::string> paths;
  for (int i = 0; i < 9; ++i) {
    paths.push_back((directory / fmt::format("{}.slt", i)).string());
    std::ofstream(paths.back()) << kTable << "query I\nSELECT count(*) FROM t\n----\n"
                                << (i == 4 ? 4 : 3) << "\n";
  }
  std::vector<std::string> played;
  int64_t passed = 0, failed = 0;
  const SltOptions options{.files = PosixFileSystem(), .ways = IncrementalWays()};
  PlaySltFiles(paths, options, 4, [&](const SltReport& report) {
    played.push_back(report.path);
    passed += report.passed;
    failed += report.failed;
  });
  std::filesystem::remove_all(directory);
  EXPECT_EQ(played, paths);
  EXPECT_EQ(passed, 26);
  EXPECT_EQ(failed, 1);
}

// --- The canary: an engine that is wrong in one way must not pass
// ---------------------------------

constexpr const char* kGroups =
    "statement ok\nDELETE FROM t WHERE i = 2\n\n"
    "query II rowsort\nSELECT i % 2, count(*) FROM t GROUP BY 1\n----\n1  2\n";

void Execute(Session* session, const std::string& sql) {
  const auto statements = ParseSql(sql, {});
  ASSERT_TRUE(statements.ok()) << statements.status();
  for (const auto& statement : *statements) {
    const auto result = session->Execute(*statement);
    ASSERT_TRUE(result.ok()) << result.status();
  }
}

TEST(Canary, SeesALostRetraction) {
  ManualClock clock;
  Session deaf({.files = PosixFileSystem(), .clock = &clock});
  Execute(&deaf,
          "CREATE TABLE t (i integer, x double precision, s text);"
          "INSERT INTO t VALUES (1, 0.5, 'a b'), (2, NULL, ''), (3, 2, 'c')");  // and no DELETE
  const SltReport report = Play(
      kGroups, {.answer = [&](Session* session, const ParsedStatement& statement, const Way& way) {
        const bool broken = way.cut == Way::Cut::kRetract;
        return (broken ? &deaf : session)->ExecuteIn(way, statement);
      }});
  ASSERT_EQ(report.failed, 1);
  ASSERT_EQ(report.failures.size(), 1u);
  const SltFailure& failure = report.failures[0];
  EXPECT_EQ(failure.way.cut, Way::Cut::kRetract);
  EXPECT_EQ(failure.way.seed, SeedOf(7, failure.line, Way::Cut::kRetract));
  EXPECT_EQ(failure.details, "+ 0  1\n");
}

TEST(Canary, SeesARowTooFewInEveryWay) {
  const SltReport report =
      Play(kGroups, {.answer = [](Session* session, const ParsedStatement& statement,
                                  const Way& way) -> Result<StatementResult> {
             LEAT_ASSIGN(auto result, session->ExecuteIn(way, statement));
             result.rows = Slice(result.rows, 0, result.rows.rows - 1);
             return result;
           }});
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(report.failures.size(), IncrementalWays().size());
}

TEST(Canary, SeesAnErrorThatDoesNotCome) {
  const std::string text = "statement error division by zero\nSELECT 6 / (i - 1) FROM t\n";
  const SltReport report = Play(text, {.answer = [](Session*, const ParsedStatement&, const Way&) {
                                  return Result<StatementResult>(StatementResult{});
                                }});
  EXPECT_EQ(report.failures.size(), IncrementalWays().size());
}

// The unbroken engine passes the same texts: it is the break that is seen.
TEST(Canary, PassesWithoutTheBreak) { ExpectPass(kGroups); }

}  // namespace
}  // namespace leat
