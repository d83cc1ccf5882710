// The door to libpg_query: text to statements.
#include <pg_query.h>

#include <algorithm>

#include "sql/statement.h"

namespace leat {
namespace {

constexpr int kTreeDepthMax = 3000;  // messages; an operator takes two

// The byte offset of the `characters`-th code point.
int BytesOf(std::string_view text, int characters) {
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) {
    ++at;
    while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
  }
  return static_cast<int>(at);
}

Status ParseError(const PgQueryError& error, const std::string& text) {
  const int location = error.cursorpos > 0 ? BytesOf(text, error.cursorpos - 1) : -1;
  return SqlStatus(error.message, {.sqlstate = kSyntaxError,
                                   .location = location,
                                   .hint = HintForSyntaxError(error.message, text, location)});
}

// Where the first token at or after `at` begins: blanks and comments are skipped.
size_t SkipBlanks(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (std::isspace(static_cast<unsigned char>(text[at])) != 0 || text[at] == ';') {
      ++at;
    } else if (text.substr(at).starts_with("--")) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at).starts_with("/*")) {
      int depth = 0;
      do {
        if (text.substr(at).starts_with("/*"))
          ++depth, at += 2;
        else if (text.substr(at).starts_with("*/"))
          --depth, at += 2;
        else
          ++at;
      } while (depth > 0 && at < text.size());
    } else {
      return at;
    }
  }
  return text.size();
}

std::shared_ptr<ParsedStatement> MakeStatement(std::shared_ptr<const Script> script,
                                               const PgQuery__RawStmt& raw) {
  const std::string_view text = script->text;
  auto statement = std::make_shared<ParsedStatement>();
  size_t end =
      raw.stmt_len == 0 ? text.size() : static_cast<size_t>(raw.stmt_location + raw.stmt_len);
  const size_t begin = SkipBlanks(text, static_cast<size_t>(raw.stmt_location));
  while (end > begin && std::isspace(static_cast<unsigned char>(text[end - 1])) != 0) --end;
  statement->script = std::move(script);
  statement->node = raw.stmt;
  statement->location = static_cast<int>(begin);
  statement->end = static_cast<int>(end);
  return statement;
}

Result<std::shared_ptr<Script>> ParseScript(std::string_view text) {
  auto script = std::make_shared<Script>();
  script->text = text;
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    return SqlStatus("invalid byte sequence for encoding \"UTF8\": 0x00",
                     {.sqlstate = "22021", .location = static_cast<int>(nul)});
  }
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(script->text.c_str());
  Status status;
  if (parsed.error != nullptr) {
    status = ParseError(*parsed.error, script->text);
  } else if (const std::string_view bytes(parsed.parse_tree.data, parsed.parse_tree.len);
             DepthOf(&pg_query__parse_result__descriptor, bytes) <= kTreeDepthMax) {
    script->tree = pg_query__parse_result__unpack(nullptr, bytes.size(),
                                                  reinterpret_cast<const uint8_t*>(bytes.data()));
  }
  if (status.ok() && script->tree == nullptr) {
    status = SqlStatus("stack depth limit exceeded", {.sqlstate = "54001"});
  }
  pg_query_free_protobuf_parse_result(parsed);
  LEAT_RETURN(status);
  return script;
}

}  // namespace

Script::~Script() {
  if (tree != nullptr) pg_query__parse_result__free_unpacked(tree, nullptr);
}

Result<std::vector<std::shared_ptr<const ParsedStatement>>> ParseSql(
    std::string_view text, const Environment& environment) {
  LEAT_ASSIGN(auto script, ParseScript(text));
  LEAT_RETURN(RefuseJoinWords(script->text));
  std::vector<std::shared_ptr<const ParsedStatement>> statements;
  for (size_t i = 0; i < script->tree->n_stmts; ++i) {
    const PgQuery__RawStmt& raw = *script->tree->stmts[i];
    auto statement = MakeStatement(script, raw);
    Result<bool> substituted = Substitute(raw.stmt, environment);
    if (!substituted.ok()) return substituted.status();
    statement->substituted = *substituted;
    statements.push_back(std::move(statement));
  }
  return statements;
}

std::string_view TextOf(const ParsedStatement& statement) { return statement.text(); }
int LocationOf(const ParsedStatement& statement) { return statement.location; }

std::string Deparse(Node* select) {
  PgQuery__RawStmt raw = PG_QUERY__RAW_STMT__INIT;
  raw.stmt = select;
  PgQuery__RawStmt* statements[] = {&raw};
  PgQuery__ParseResult tree = PG_QUERY__PARSE_RESULT__INIT;
  tree.version = PG_VERSION_NUM;
  tree.n_stmts = 1;
  tree.stmts = statements;
  std::string bytes(pg_query__parse_result__get_packed_size(&tree), '\0');
  pg_query__parse_result__pack(&tree, reinterpret_cast<uint8_t*>(bytes.data()));
  PgQueryDeparseResult deparsed = pg_query_deparse_protobuf({bytes.size(), bytes.data()});
  std::string text = deparsed.error == nullptr ? deparsed.query : "";
  pg_query_free_deparse_result(deparsed);
  return text;
}

std::string QueryTextOf(const ParsedStatement& statement, Node* query) {
  const std::string text(statement.text());
  if (statement.substituted) return Deparse(query);
  const bool insert = Is(statement.node, PG_QUERY__NODE__NODE_INSERT_STMT);
  int depth = 0;
  int open = -1;  // where the outermost parenthesis began
  for (const SqlToken& token : Tokenize(text)) {
    if (token.text == "(" && depth++ == 0) open = token.begin;
    if (token.text == ")") --depth;
    if (!insert && depth == 0 && token.text == "as")
      return text.substr(static_cast<size_t>(token.end));
    if (insert && (token.text == "select" || token.text == "with" || token.text == "values")) {
      return text.substr(static_cast<size_t>(depth > 0 ? open : token.begin));
    }
  }
  return Deparse(query);
}

}  // namespace leat
