// What people coming from DuckDB, Spark, ClickHouse or MySQL write, and what to write instead.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "sql/statement.h"

namespace leat {
namespace {

struct Habit {
  std::string_view words;  // consecutive tokens
  std::string_view hint;
};

constexpr std::string_view kNotExists =
    "Write WHERE NOT EXISTS (SELECT FROM b WHERE b.k = a.k) instead of an ANTI JOIN.";
constexpr std::string_view kExists =
    "Write WHERE EXISTS (SELECT FROM b WHERE b.k = a.k) instead of a SEMI JOIN.";
constexpr std::string_view kAsof =
    "Write LEFT JOIN LATERAL (SELECT * FROM b WHERE b.k = a.k AND b.t <= a.t ORDER BY b.t DESC "
    "LIMIT 1) AS b ON true instead of an ASOF JOIN.";
constexpr std::string_view kFinal =
    "Write FROM (SELECT DISTINCT ON (key) * FROM t ORDER BY key, version DESC) AS t instead of "
    "FINAL.";
constexpr std::string_view kReplace =
    "Leave OR REPLACE away: a pipeline declares, running it again declares the same; in the shell, "
    "DROP first.";

constexpr std::array kHabits = {
    Habit{"qualify",
          "PostgreSQL has no QUALIFY. Put the window into a subquery: SELECT * FROM "
          "(SELECT *, row_number() OVER (…) AS n FROM t) AS t WHERE n = 1."},
    Habit{"* exclude", "PostgreSQL has no EXCLUDE: name the columns that you want."},
    Habit{"* except (", "PostgreSQL has no * EXCEPT: name the columns that you want."},
    Habit{"* replace", "PostgreSQL has no * REPLACE: name the columns that you want."},
    Habit{"try_cast (",
          "PostgreSQL has no TRY_CAST: a cast that fails makes its row a reject; to "
          "keep the row, use CASE WHEN x ~ '^[0-9]+$' THEN x::integer END."},
    Habit{"safe_cast (", "PostgreSQL has no SAFE_CAST: a cast that fails makes its row a reject."},
    Habit{"group by all",
          "PostgreSQL has no GROUP BY ALL: name the columns, or their places: "
          "GROUP BY 1, 2."},
    Habit{"order by all",
          "PostgreSQL has no ORDER BY ALL: name the columns, or their places: "
          "ORDER BY 1, 2."},
    Habit{"or replace table", kReplace},
    Habit{"or replace materialized", kReplace},
    Habit{"or replace foreign", kReplace},
    Habit{"or replace server", kReplace},
    Habit{"anti join", kNotExists},
    Habit{"semi join", kExists},
    Habit{"asof", kAsof},
    Habit{"select top", "Write LIMIT at the end of the query instead of TOP."},
    Habit{"lateral view", "Write CROSS JOIN LATERAL unnest(…) instead of LATERAL VIEW."},
    Habit{"insert overwrite",
          "Write INSERT INTO; a sink with OPTIONS (mode 'replace') rewrites "
          "whole partitions."},
    Habit{"partitioned by", "Write partition_by 'column' into the OPTIONS of the foreign table."},
    Habit{"distribute by", "There is no DISTRIBUTE BY: leat shards by the keys itself."},
    Habit{"pivot", "Write an aggregate per column: sum(x) FILTER (WHERE k = 'a') AS a."},
    Habit{"`", "Write identifiers in double quotes: \"name\"."},
    Habit{"[", "Write identifiers in double quotes: \"name\"."},
};

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Whether the habit's words stand at tokens[at…].
bool StandsAt(const std::vector<std::string>& words, const std::vector<SqlToken>& tokens,
              size_t at) {
  if (at + words.size() > tokens.size()) return false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (tokens[at + i].text != words[i]) return false;
  }
  return true;
}

// The index of the first token that does not end before `location`.
size_t TokenAt(const std::vector<SqlToken>& tokens, int location) {
  size_t at = 0;
  while (at < tokens.size() && tokens[at].end <= location) ++at;
  return at;
}

// Where the first statement after the error begins.
size_t StatementEnd(const std::vector<SqlToken>& tokens, size_t at) {
  while (at < tokens.size() && tokens[at].text != ";") ++at;
  return at;
}

size_t StatementBegin(const std::vector<SqlToken>& tokens, size_t at) {
  at = std::min(at, tokens.size());
  while (at > 0 && tokens[at - 1].text != ";") --at;
  return at;
}

// An alias may follow this word; after the others (FROM a, JOIN a, AS a) it is a name.
bool MayPrecedeAlias(std::string_view word) {
  return word != "from" && word != "join" && word != "," && word != "." && word != "as" &&
         word != "only" && word != "lateral" && word != "(" && word != "into" && word != "update";
}

bool IsJoin(const std::vector<SqlToken>& tokens, size_t at) {
  while (at < tokens.size() &&
         (tokens[at].text == "left" || tokens[at].text == "right" || tokens[at].text == "full" ||
          tokens[at].text == "inner" || tokens[at].text == "outer")) {
    ++at;
  }
  return at < tokens.size() && tokens[at].text == "join";
}

}  // namespace

std::string HintForSyntaxError(std::string_view message, const std::string& text, int location) {
  // libpg_query drops PostgreSQL's own hints.
  if (message == "subquery in FROM must have an alias") {
    return "For example, FROM (SELECT ...) [AS] foo.";
  }
  if (message == "VALUES in FROM must have an alias") {
    return "For example, FROM (VALUES ...) [AS] foo.";
  }
  const std::vector<SqlToken> tokens = Tokenize(text);
  const size_t error = TokenAt(tokens, location < 0 ? 0 : location);
  if (error < tokens.size() && (tokens[error].text == "`" || tokens[error].text == "[")) {
    return "Write identifiers in double quotes: \"name\".";
  }
  const size_t begin = StatementBegin(tokens, error);
  const size_t end = StatementEnd(tokens, error);
  for (const Habit& habit : kHabits) {
    const auto words = Words(habit.words);
    for (size_t at = begin; at < end; ++at) {
      // The words that PostgreSQL stumbled over, or those just before.
      if (StandsAt(words, tokens, at) && at <= error && at + words.size() + 3 >= error) {
        return std::string(habit.hint);
      }
    }
  }
  return {};
}

Status RefuseJoinWords(const std::string& text) {
  const std::vector<SqlToken> tokens = Tokenize(text);
  for (size_t i = 1; i + 1 < tokens.size(); ++i) {
    const std::string& word = tokens[i].text;
    const bool anti = word == "anti";
    const bool semi = word == "semi";
    const bool asof = word == "asof";
    if (!(anti || semi || asof || word == "final")) continue;
    if (!MayPrecedeAlias(tokens[i - 1].text) || !IsJoin(tokens, i + 1)) continue;
    return SqlStatus(fmt::format("PostgreSQL takes {} before JOIN for an alias", UpperAscii(word)),
                     {.sqlstate = kSyntaxError,
                      .location = tokens[i].begin,
                      .hint = std::string(anti   ? kNotExists
                                          : semi ? kExists
                                          : asof ? kAsof
                                                 : kFinal)});
  }
  return Status::OK();
}

}  // namespace leat
