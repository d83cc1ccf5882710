// A parsed statement from the inside: PostgreSQL's tree, and the text that it came from.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/sql.h"
#include "sql/tree.h"

namespace leat {

// One script's text and its trees; its statements share it.
struct Script {
  Script() = default;
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script();

  std::string text;
  PgQuery__ParseResult* tree = nullptr;
};

class ParsedStatement : public std::enable_shared_from_this<ParsedStatement> {
 public:
  std::shared_ptr<const Script> script;
  Node* node = nullptr;
  int location = 0;  // of the first token, in the script
  int end = 0;
  bool substituted = false;  // a ${NAME} was replaced: the text is not the whole story

  std::string_view text() const {
    return std::string_view(script->text)
        .substr(static_cast<size_t>(location), static_cast<size_t>(end - location));
  }
};

// The text of a SELECT as PostgreSQL's deparser writes it, ${} replaced.
std::string Deparse(Node* select);
// The query's text inside CREATE VIEW, CREATE MATERIALIZED VIEW or INSERT.
std::string QueryTextOf(const ParsedStatement& statement, Node* query);

// Replaces ${NAME} and ${NAME:-default} in every string literal under `node`; true if there was
// one.
// ${file:…} stays: who opens the secret replaces it.
Result<bool> Substitute(Node* node, const Environment& environment);

// What to write instead, for a syntax error at byte `location`; "" when nobody knows.
std::string HintForSyntaxError(std::string_view message, const std::string& text, int location);
// Refuses ANTI, SEMI, ASOF and FINAL where PostgreSQL takes them for the alias before a JOIN.
Status RefuseJoinWords(const std::string& text);

}  // namespace leat
