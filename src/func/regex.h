// PostgreSQL's regular expressions (AREs), matched by PCRE2: the syntax is translated, and of the
// matches at a place the longest (or shortest) is taken, as POSIX and PostgreSQL do, where PCRE2
// alone would take the first it finds. Private to func.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "func/function.h"

namespace leat {

struct RegexFlags {
  bool ignore_case = false;
  bool literal = false;          // q
  bool expanded = false;         // x
  bool newline_stops = false;    // . and [^…] do not match a newline: n, p
  bool newline_anchors = false;  // ^ and $ match beside one: n, w
  bool global = false;           // g, for who replaces and lists
};
// Letters as the regexp functions take them; 22023 for one that is none.
Status ParseRegexFlags(std::string_view letters, RegexFlags* flags);

// The bytes of a match and of its groups; a group that took no part begins at -1.
struct RegexSpan {
  int64_t begin = -1, end = -1;
};

class Regex {
 public:
  // 2201B where it is not a regular expression, 0A000 where PCRE2 cannot do what it says.
  static Result<Regex> Compile(std::string_view pattern, const RegexFlags& flags);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  int groups() const;
  Result<bool> Matches(std::string_view text) const;
  // The first match at or after byte `from`: [0] the whole, then the groups. False: there is none.
  Result<bool> Find(std::string_view text, int64_t from, std::vector<RegexSpan>* spans) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

void AddRegexFunctions(std::vector<Function>* out);

// An ARE put into PCRE2's syntax.
struct TranslatedRegex {
  std::string pattern;
  RegexFlags flags;
  int groups = 0;
  bool shortest = false;    // prefers the shortest match
  bool alternates = false;  // has a |
  bool references = false;  // has a back reference
};
Result<TranslatedRegex> TranslateRegex(std::string_view pattern, const RegexFlags& flags);

}  // namespace leat
