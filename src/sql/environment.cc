// ${NAME} and ${NAME:-default} in string literals.
#include <cstdlib>
#include <cstring>

#include "sql/statement.h"

namespace leat {
namespace {

bool IsNameByte(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

// The length of the variable's name at `text`, 0 if there is none.
size_t NameLength(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && IsNameByte(text[length], length == 0)) ++length;
  return length;
}

Status Undefined(std::string_view name, int location) {
  return SqlStatus(
      fmt::format("environment variable \"{}\" is not set", name),
      {.sqlstate = "42704",
       .location = location,
       .hint = fmt::format("Set it, put it into .env, or write ${{{}:-default}}.", name)});
}

// The text with its variables replaced; what does not look like one stays.
Result<std::string> Replaced(std::string_view text, const Environment& environment, int location) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find("${", at);
    if (open == text.npos) return out.append(text.substr(at));
    out.append(text.substr(at, open - at));
    const size_t close = text.find('}', open);
    const size_t length = NameLength(text.substr(open + 2));
    const auto name = text.substr(open + 2, length);
    const auto rest = close == text.npos
                          ? std::string_view()
                          : text.substr(open + 2 + length, close - open - 2 - length);
    if (close == text.npos || length == 0 || !(rest.empty() || rest.starts_with(":-"))) {
      out.append("${");
      at = open + 2;
      continue;
    }
    const auto found = environment.find(name);
    if (found != environment.end() && !(found->second.empty() && !rest.empty())) {
      out.append(found->second);
    } else if (!rest.empty()) {
      out.append(rest.substr(2));
    } else {
      return Undefined(name, location);
    }
    at = close + 1;
  }
  return out;
}

// Puts a new text into a field of the tree, which frees it with free().
void SetText(char** field, const std::string& text) {
  if (*field != protobuf_c_empty_string) std::free(*field);
  *field = strdup(text.c_str());
}

class Substitution {
 public:
  explicit Substitution(const Environment& environment) : environment_(environment) {}

  void Visit(ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__a__const__descriptor) {
      auto* constant = reinterpret_cast<PgQuery__AConst*>(message);
      if (constant->val_case == PG_QUERY__A__CONST__VAL_SVAL) {
        Replace(&constant->sval->sval, constant->location);
      }
    } else if (message->descriptor == &pg_query__def_elem__descriptor) {
      auto* option = reinterpret_cast<PgQuery__DefElem*>(message);
      if (Is(option->arg, PG_QUERY__NODE__NODE_STRING)) {
        Replace(&option->arg->string->sval, option->location);
      }
    } else if (message->descriptor == &pg_query__comment_stmt__descriptor) {
      Replace(&reinterpret_cast<PgQuery__CommentStmt*>(message)->comment, -1);
    } else if (message->descriptor == &pg_query__copy_stmt__descriptor) {
      Replace(&reinterpret_cast<PgQuery__CopyStmt*>(message)->filename, -1);
    }
  }

  Result<bool> Done() const {
    LEAT_RETURN(status_);
    return changed_;
  }

 private:
  void Replace(char** field, int location) {
    if (*field == nullptr || std::strstr(*field, "${") == nullptr || !status_.ok()) return;
    Result<std::string> text = Replaced(*field, environment_, location);
    status_ = text.status();
    if (!text.ok() || *text == *field) return;
    SetText(field, *text);
    changed_ = true;
  }

  const Environment& environment_;
  Status status_;
  bool changed_ = false;
};

}  // namespace

Result<bool> Substitute(Node* node, const Environment& environment) {
  Substitution substitution(environment);
  auto* message = reinterpret_cast<ProtobufCMessage*>(node);
  VisitMessages(message, [&](ProtobufCMessage* part) { substitution.Visit(part); });
  return substitution.Done();
}

}  // namespace leat
