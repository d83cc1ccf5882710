// LIKE and ILIKE.
#include <optional>

#include "base/ascii.h"
#include "data/utf8.h"
#include "func/families.h"
#include "func/kernel.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// A LIKE pattern made ready: % and _ told from literal bytes, the usual shapes recognised.
class Pattern {
 public:
  Pattern(std::string_view pattern, bool ignore_case) : ignore_case_(ignore_case) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      Token token = Token::kLiteral;
      if (pattern[i] == '%') token = Token::kAnyText;
      if (pattern[i] == '_') token = Token::kAnyCharacter;
      if (pattern[i] == '\\') {
        if (++i == pattern.size()) {
          broken_ = true;
          return;
        }
      }
      tokens_.push_back(token);
      bytes_ += ignore_case ? LowerAscii(pattern[i]) : pattern[i];
    }
    FindShape();
  }

  bool broken() const { return broken_; }

  bool Matches(std::string_view text, std::string* scratch) const {
    if (ignore_case_) {
      scratch->assign(text);
      for (char& c : *scratch) c = LowerAscii(c);
      text = *scratch;
    }
    switch (shape_) {
      case Shape::kEqual:
        return text == literal_;
      case Shape::kPrefix:
        return text.starts_with(literal_);
      case Shape::kSuffix:
        return text.ends_with(literal_);
      case Shape::kContains:
        return text.find(literal_) != text.npos;
      case Shape::kGeneral:
        break;
    }
    return MatchesGenerally(text);
  }

 private:
  enum class Token : uint8_t { kLiteral, kAnyCharacter, kAnyText };
  enum class Shape : uint8_t { kEqual, kPrefix, kSuffix, kContains, kGeneral };

  void FindShape() {
    size_t begin = 0;
    size_t end = tokens_.size();
    while (begin < end && tokens_[begin] == Token::kAnyText) ++begin;
    while (end > begin && tokens_[end - 1] == Token::kAnyText) --end;
    for (size_t i = begin; i < end; ++i) {
      if (tokens_[i] != Token::kLiteral) return;
    }
    literal_ = bytes_.substr(begin, end - begin);
    const bool open_left = begin > 0;
    const bool open_right = end < tokens_.size() || (open_left && begin == end);
    shape_ = open_left ? (open_right ? Shape::kContains : Shape::kSuffix)
                       : (open_right ? Shape::kPrefix : Shape::kEqual);
  }

  // Greedy, going back to the last % only: what an earlier one could still take, that one can too.
  bool MatchesGenerally(std::string_view text) const {
    size_t at = 0;
    size_t token = 0;
    size_t last_any = tokens_.size();
    size_t resume = 0;
    while (at < text.size()) {
      if (token < tokens_.size() && tokens_[token] == Token::kAnyText) {
        last_any = token++;
        resume = at;
      } else if (token < tokens_.size() && tokens_[token] == Token::kAnyCharacter) {
        at += CodePointAt(text, at).size();
        ++token;
      } else if (token < tokens_.size() && bytes_[token] == text[at]) {
        ++at;
        ++token;
      } else if (last_any < tokens_.size()) {
        resume += CodePointAt(text, resume).size();
        at = resume;
        token = last_any + 1;
      } else {
        return false;
      }
    }
    while (token < tokens_.size() && tokens_[token] == Token::kAnyText) ++token;
    return token == tokens_.size();
  }

  std::vector<Token> tokens_;
  std::string bytes_;
  std::string literal_;
  Shape shape_ = Shape::kGeneral;
  bool ignore_case_;
  bool broken_ = false;
};

template <bool ignore_case, bool wanted>
Result<ArrayPtr> Like(const Call& call, Arguments args) {
  const Texts texts(args[0]), patterns(args[1]);
  std::optional<Pattern> pattern;
  std::string scratch;
  return MapRowsToBool(call, args, [&](int64_t row) {
    if (!pattern || !args[1].constant) pattern.emplace(patterns[row], ignore_case);
    if (pattern->broken()) {
      call.errors->Set(row, "22025", "LIKE pattern must not end with escape character");
      return false;
    }
    return pattern->Matches(texts[row], &scratch) == wanted;
  });
}

// The pattern with its own escape character turned into a backslash.
Result<ArrayPtr> LikeEscape(const Call& call, Arguments args) {
  const Texts patterns(args[0]), escapes(args[1]);
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view pattern = patterns[row];
    const std::string_view escape = escapes[row];
    if (CodePoints(escape) > 1) {
      call.errors->Set(row, "22025", "invalid escape string");
      return;
    }
    bool escaped = false;
    for (size_t at = 0; at < pattern.size();) {
      const std::string_view point = CodePointAt(pattern, at);
      at += point.size();
      if (point == escape && !escaped) {
        *out += '\\';
        escaped = true;
      } else {
        if (point == "\\" && !escaped) *out += '\\';
        *out += point;
        escaped = false;
      }
    }
  });
}

}  // namespace

void AddPatternFunctions(std::vector<Function>* out) {
  struct Form {
    const char* symbol;
    Kernel kernel;
    const char* sentence;
    const char* answer;
  };
  for (const Form& form :
       {Form{"~~", Like<false, true>, "LIKE: matches a pattern", "t"},
        Form{"!~~", Like<false, false>, "NOT LIKE: does not match a pattern", "f"},
        Form{"~~*", Like<true, true>, "ILIKE: matches a pattern, whatever the case", "t"},
        Form{"!~~*", Like<true, false>, "NOT ILIKE: does not match, whatever the case", "f"}}) {
    const std::string text = fmt::format("'abcd' {} 'a_c%'", form.symbol);
    const std::string padded = fmt::format("'ab'::char(4) {} 'a%  '", form.symbol);
    out->push_back(Spec(form.symbol, {kText, kText}, kBool, form.kernel,
                        {form.sentence, text.c_str(), form.answer}));
    out->push_back(Spec(form.symbol, {kChar, kText}, kBool, form.kernel,
                        {form.sentence, padded.c_str(), form.answer}));
  }
  out->push_back(Spec("like_escape", {kText, kText}, kText, LikeEscape,
                      {"A pattern with another escape character (LIKE … ESCAPE …)",
                       "like_escape('a#%', '#')", "a\\%"}));
}

}  // namespace leat
