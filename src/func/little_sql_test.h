// A very small reader of SQL expressions, so that the functions' examples can be evaluated in their
// own room: literals, casts, operators, calls, IS …, NOT, LIKE, EXTRACT's kin as plain calls.
#pragma once

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "data/text.h"
#include "func/evaluate.h"
#include "func/function.h"

namespace leat::little_sql {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) { Next(); }

  Result<ExprPtr> Read() {
    LEAT_ASSIGN(ExprPtr expr, Binary(0));
    if (!token_.empty()) return Status::Invalid("left over: ", token_);
    return expr;
  }

 private:
  static bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  void Next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const size_t begin = at_;
    if (at_ >= text_.size()) {
      token_ = {};
      return;
    }
    const char c = text_[at_++];
    if (c == '\'') {
      while (at_ < text_.size() && (text_[at_] != '\'' || text_.substr(at_, 2) == "''")) {
        at_ += text_[at_] == '\'' ? 2 : 1;
      }
      ++at_;
    } else if (IsWord(c) || (c == '.' && at_ < text_.size() && std::isdigit(text_[at_]))) {
      while (at_ < text_.size() && (IsWord(text_[at_]) || (std::isdigit(c) && text_[at_] == '.'))) {
        ++at_;
      }
    } else if (text_.substr(begin, 2) == "::") {
      ++at_;
    } else if (std::string_view("<>=~!|-*#@%^").find(c) != std::string_view::npos) {
      while (at_ < text_.size() &&
             std::string_view(c == '|' ? "|/" : "<>=~!*#@").find(text_[at_]) !=
                 std::string_view::npos) {
        ++at_;
      }
    }
    token_ = text_.substr(begin, at_ - begin);
  }

  bool Is(std::string_view word) const {
    if (token_.size() != word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i) {
      if (std::toupper(static_cast<unsigned char>(token_[i])) != word[i]) return false;
    }
    return true;
  }
  bool Take(std::string_view word) {
    if (!Is(word)) return false;
    Next();
    return true;
  }

  static Result<ExprPtr> Bound(Result<Resolved> resolved, std::vector<ExprPtr> args) {
    LEAT_RETURN(resolved.status());
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i]->type == resolved->args[i]) continue;
      args[i] = CastExpr(args[i], resolved->args[i], CastContext::kImplicit);
    }
    return CallExpr(resolved->function, std::move(args), resolved->result);
  }
  static std::vector<Type> TypesOf(const std::vector<ExprPtr>& args) {
    std::vector<Type> types;
    for (const ExprPtr& arg : args) types.push_back(arg->type);
    return types;
  }
  static Result<ExprPtr> Operator(std::string_view symbol, std::vector<ExprPtr> args) {
    return Bound(ResolveOperator(symbol, TypesOf(args), -1), args);
  }
  static Result<ExprPtr> Function(std::string_view name, std::vector<ExprPtr> args) {
    return Bound(ResolveFunction(name, TypesOf(args), -1), args);
  }

  static int Precedence(std::string_view token) {
    if (token.empty()) return 0;
    if (token == "::") return 90;
    if (token == "*" || token == "/" || token == "%") return 60;
    if (token == "+" || token == "-") return 50;
    if (token == "=" || token == "<>" || token == "<" || token == ">" || token == "<=" ||
        token == ">=") {
      return 20;
    }
    return token == "^" ? 70 : std::string_view("|~!#@&-<^").find(token[0]) != token.npos ? 40 : 0;
  }

  Result<ExprPtr> Binary(int least) {
    LEAT_ASSIGN(ExprPtr left, Unary());
    for (;;) {
      if (Is("IS") && least <= 15) {
        LEAT_ASSIGN(left, IsTest(left));
        continue;
      }
      if ((Is("LIKE") || Is("ILIKE")) && least <= 30) {
        const std::string_view symbol = Is("LIKE") ? "~~" : "~~*";
        Next();
        LEAT_ASSIGN(ExprPtr right, Binary(31));
        LEAT_ASSIGN(left, Operator(symbol, {left, right}));
        continue;
      }
      const std::string symbol(token_);
      const int precedence = Precedence(symbol);
      if (precedence == 0 || precedence < least) return left;
      Next();
      if (symbol == "::") {
        LEAT_ASSIGN(const Type type, ReadType());
        left = CastExpr(left, type);
        continue;
      }
      LEAT_ASSIGN(ExprPtr right, Binary(precedence + 1));
      LEAT_ASSIGN(left, Operator(symbol, {left, right}));
    }
  }

  Result<ExprPtr> IsTest(const ExprPtr& left) {
    Next();
    std::string name = Take("NOT") ? "is not " : "is ";
    if (Take("DISTINCT")) {
      Next();  // FROM
      LEAT_ASSIGN(ExprPtr right, Binary(21));
      return Function(name + "distinct from", {left, right});
    }
    for (const char c : token_) name += static_cast<char>(std::tolower(c));
    Next();
    return Function(name, {left});
  }

  Result<ExprPtr> Unary() {
    if (Take("NOT")) {
      LEAT_ASSIGN(ExprPtr arg, Binary(10));
      return Function("not", {arg});
    }
    if (Is("-") || Is("+") || Is("@") || Is("|/") || Is("||/") || Is("~")) {
      const std::string symbol(token_);
      Next();
      if (symbol == "-" && !token_.empty() && std::isdigit(token_[0])) {
        negative_ = true;
        return Binary(80);
      }
      LEAT_ASSIGN(ExprPtr arg, Binary(80));
      return Operator(symbol, {arg});
    }
    return Primary();
  }

  static Result<ExprPtr> Literal(const std::string& text, const Type& type) {
    LEAT_ASSIGN(auto scalar, ParseValue(text, type, TextSettings{}));
    return LiteralExpr(scalar, type);
  }

  Result<ExprPtr> Primary() {
    if (Take("(")) {
      LEAT_ASSIGN(ExprPtr inner, Binary(0));
      Next();
      return inner;
    }
    const std::string token(token_);
    if (token.empty()) return Status::Invalid("an expression is missing");
    Next();
    if (token[0] == '\'') return Literal(Unquoted(token), TypeId::kUnknown);
    if (std::isdigit(token[0]) || token[0] == '.') return Number(token);
    std::string lower = token;
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    if (lower == "null") return LiteralExpr(nullptr, TypeId::kUnknown);
    if (lower == "true" || lower == "false") return Literal(lower, TypeId::kBool);
    if (Is("(")) return CallOf(lower);
    if (!token_.empty() && token_[0] == '\'') {
      LEAT_ASSIGN(const Type type, TypeFromName(lower));
      const std::string text = Unquoted(token_);
      Next();
      return Literal(text, type);
    }
    return Function(lower, {});
  }

  Result<ExprPtr> Number(std::string token) {
    if (token.ends_with("e") && (Is("-") || Is("+"))) {
      token += token_;
      Next();
      token += token_;
      Next();
    }
    if (negative_) token = "-" + token;
    negative_ = false;
    const bool whole = token.find_first_of(".e") == token.npos;
    if (whole && token.size() < 10) return Literal(token, TypeId::kInt4);
    if (whole && token.size() < 19) return Literal(token, TypeId::kInt8);
    return Literal(token, TypeId::kNumeric);
  }

  Result<ExprPtr> CallOf(const std::string& name) {
    Next();
    std::vector<ExprPtr> args;
    if (name == "extract") {
      LEAT_ASSIGN(ExprPtr unit, Literal(std::string(token_), TypeId::kUnknown));
      args.push_back(unit);
      Next();
      Next();  // FROM
    }
    while (!Is(")") && !token_.empty()) {
      LEAT_ASSIGN(ExprPtr arg, Binary(0));
      args.push_back(arg);
      if (Take("IN")) {  // position(b IN a)
        LEAT_ASSIGN(ExprPtr text, Binary(0));
        args.insert(args.begin(), text);
      }
      Take(",");
    }
    Next();
    return Function(name, std::move(args));
  }

  Result<Type> ReadType() {
    std::string name;
    const auto word = [&] {
      for (const char c : token_) name += static_cast<char>(std::tolower(c));
      Next();
    };
    word();
    if (name == "double" || name == "character") {
      if (Is("PRECISION") || Is("VARYING")) {
        name += ' ';
        word();
      }
    }
    if ((name == "timestamp" || name == "time") && (Is("WITH") || Is("WITHOUT"))) {
      for (int i = 0; i < 3; ++i) {
        name += ' ';
        word();
      }
    }
    if (Is("(")) {
      while (!Is(")")) word();
      word();
    }
    if (Take("[")) {
      name += "[]";
      Next();
    }
    return TypeFromName(name);
  }

  static std::string Unquoted(std::string_view token) {
    std::string text;
    for (size_t i = 1; i + 1 < token.size(); ++i) {
      text += token[i];
      if (token[i] == '\'') ++i;
    }
    return text;
  }

  std::string_view text_;
  std::string_view token_;
  size_t at_ = 0;
  bool negative_ = false;
};

// What psql -At would print for SELECT `text`: the value, nothing for null, or the error.
inline std::string Answer(std::string_view text, const EvalContext& context) {
  const auto expr = Reader(text).Read();
  if (!expr.ok()) return "ERROR:  " + expr.status().message();
  const auto value = EvaluateConstant(**expr, context);
  if (!value.ok()) return "ERROR:  " + value.status().message();
  if (!(*value)->is_valid) return "";
  const auto array = arrow::MakeArrayFromScalar(**value, 1);
  if (!array.ok()) return array.status().ToString();
  std::string out;
  AppendText(**array, 0, (*expr)->type, {.timezone = context.timezone, .now = context.now}, &out);
  return out;
}

}  // namespace leat::little_sql
