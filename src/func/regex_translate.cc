// The syntax of PostgreSQL's regular expressions (its manual, 9.7.3) in PCRE2's.
#include <algorithm>

#include "data/utf8.h"
#include "func/regex.h"

namespace leat {
namespace {

constexpr int kRepeatMax = 255;

Status WrongPattern(std::string_view what) {
  return SqlStatus(fmt::format("invalid regular expression: {}", what), {.sqlstate = "2201B"});
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Translator {
 public:
  Translator(std::string_view text, const RegexFlags& flags) : text_(text) { out_.flags = flags; }

  Result<TranslatedRegex> Translate() {
    LEAT_RETURN(Prefix());
    if (out_.flags.literal) {
      for (; at_ < text_.size(); ++at_) AppendLiteral(text_[at_]);
      return std::move(out_);
    }
    stack_.emplace_back();
    while (at_ < text_.size()) LEAT_RETURN(Item());
    if (stack_.size() != 1) return WrongPattern("parentheses () not balanced");
    EndAtom();
    out_.shortest = stack_[0].Preferred() == Preference::kShort;
    return std::move(out_);
  }

 private:
  enum class Preference : uint8_t { kNone, kLong, kShort };
  // A regular expression in parentheses, or the whole.
  struct Level {
    Preference first = Preference::kNone;  // of the first atom of the branch that has one
    bool alternates = false;
    bool constraint = false;  // looks ahead or behind: no atom
    Preference Preferred() const { return alternates ? Preference::kLong : first; }
  };

  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  // "***=literal", "***:", "(?flags)".
  Status Prefix() {
    if (text_.starts_with("***=")) {
      out_.flags.literal = true;
      at_ = 4;
      return Status::OK();
    }
    if (text_.starts_with("***:")) at_ = 4;
    if (out_.flags.literal || Peek() != '(' || Peek(1) != '?') return Status::OK();
    size_t end = at_ + 2;
    while (end < text_.size() && text_[end] >= 'a' && text_[end] <= 'z') ++end;
    if (end == at_ + 2 || end == text_.size() || text_[end] != ')') return Status::OK();
    const Status status = ParseRegexFlags(text_.substr(at_ + 2, end - at_ - 2), &out_.flags);
    if (!status.ok() || out_.flags.global) return WrongPattern("invalid embedded option");
    at_ = end + 1;
    return Status::OK();
  }

  void AppendLiteral(char c) {
    if (!IsAlnum(c) && (c & 0x80) == 0 && c != '_') out_.pattern += '\\';
    out_.pattern += c;
  }

  // What was the last atom stands without a quantifier.
  void EndAtom() {
    if (stack_.back().first == Preference::kNone) stack_.back().first = atom_;
    atom_ = Preference::kNone;
    can_repeat_ = false;
  }
  void BeginAtom(Preference preference = Preference::kNone) {
    EndAtom();
    atom_ = preference;
    can_repeat_ = true;
  }

  Status Item() {
    const char c = Peek();
    switch (c) {
      case '\\':
        return Escape();
      case '[':
        return Bracket();
      case '(':
        return Open();
      case ')':
        return Close();
      case '*':
      case '+':
      case '?':
        return Repeat();
      case '{':
        if (IsDigit(Peek(1))) return Repeat();
        break;
      case '|':
        EndAtom();
        stack_.back().alternates = out_.alternates = true;
        Take();
        return Status::OK();
      case '^':
      case '$':
        EndAtom();
        Take();
        return Status::OK();
      case '.':
        BeginAtom();
        out_.pattern += out_.flags.newline_stops ? "[^\\n]" : ".";
        ++at_;
        return Status::OK();
      default:
        break;
    }
    if (out_.flags.expanded &&
        (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v')) {
      ++at_;
      return Status::OK();
    }
    if (out_.flags.expanded && c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      return Status::OK();
    }
    BeginAtom();
    if ((c & 0x80) == 0) {
      AppendLiteral(c);
      ++at_;
    } else {
      const std::string_view point = CodePointAt(text_, at_);
      out_.pattern += point;
      at_ += point.size();
    }
    return Status::OK();
  }

  void Take() { out_.pattern += text_[at_++]; }

  Status Open() {
    EndAtom();
    Level level;
    if (Peek(1) != '?') {
      ++out_.groups;
      Take();
    } else if (Peek(2) == '#') {
      const size_t end = text_.find(')', at_);
      if (end == text_.npos) return WrongPattern("parentheses () not balanced");
      at_ = end + 1;
      return Status::OK();
    } else {
      const std::string_view rest = text_.substr(at_);
      size_t size = 0;
      for (const std::string_view form : {"(?:", "(?=", "(?!", "(?<=", "(?<!"}) {
        if (rest.starts_with(form)) size = form.size();
      }
      if (size == 0) return WrongPattern("quantifier operand invalid");
      level.constraint = rest[2] != ':';
      out_.pattern += rest.substr(0, size);
      at_ += size;
    }
    stack_.push_back(level);
    return Status::OK();
  }

  Status Close() {
    EndAtom();
    if (stack_.size() == 1) return WrongPattern("parentheses () not balanced");
    const Level level = stack_.back();
    stack_.pop_back();
    Take();
    if (level.constraint) {
      EndAtom();
    } else {
      BeginAtom(level.Preferred());
    }
    return Status::OK();
  }

  Status Number(int* number) {
    int value = 0;
    const size_t begin = at_;
    while (IsDigit(Peek()) && value <= kRepeatMax) value = value * 10 + (text_[at_++] - '0');
    if (at_ == begin || value > kRepeatMax) return WrongPattern("invalid repetition count(s)");
    *number = value;
    return Status::OK();
  }

  Status Repeat() {
    if (!can_repeat_) return WrongPattern("quantifier operand invalid");
    const size_t begin = at_;
    bool fixed = false;
    if (Peek() == '{') {
      int least = 0, most = 0;
      ++at_;
      LEAT_RETURN(Number(&least));
      fixed = Peek() == '}';
      if (Peek() == ',') {
        ++at_;
        most = kRepeatMax;
        if (Peek() != '}') LEAT_RETURN(Number(&most));
        if (most < least) return WrongPattern("invalid repetition count(s)");
      }
      if (Peek() != '}') return WrongPattern("invalid repetition count(s)");
    }
    ++at_;
    const bool lazy = Peek() == '?';
    if (lazy) ++at_;
    out_.pattern += text_.substr(begin, at_ - begin);
    if (!fixed) atom_ = lazy ? Preference::kShort : Preference::kLong;
    EndAtom();
    return Status::OK();
  }

  Status Hex(size_t least, size_t most) {
    size_t count = 0;
    while (count < most && IsHex(Peek(count))) ++count;
    if (count < least) return WrongPattern("invalid escape \\ sequence");
    out_.pattern += fmt::format("\\x{{{}}}", text_.substr(at_, count));
    at_ += count;
    return Status::OK();
  }

  Status Digits(char c, bool bracket) {
    if (c == '0') {
      size_t count = 1;
      while (count < 3 && Peek(count - 1) >= '0' && Peek(count - 1) <= '7') ++count;
      out_.pattern += fmt::format("\\x{{{:x}}}", Octal(text_.substr(at_ - 1, count)));
      at_ += count - 1;
      return Status::OK();
    }
    int number = c - '0';
    while (IsDigit(Peek()) && number * 10 + (Peek() - '0') <= out_.groups) {
      number = number * 10 + (text_[at_++] - '0');
    }
    if (bracket || number > out_.groups) return WrongPattern("invalid backreference number");
    out_.references = true;
    out_.pattern += fmt::format("\\g{{{}}}", number);
    return Status::OK();
  }

  static int Octal(std::string_view digits) {
    int value = 0;
    for (const char c : digits) value = value * 8 + (c - '0');
    return value;
  }

  Status Escape(bool bracket = false) {
    if (at_ + 1 >= text_.size()) return WrongPattern("invalid escape \\ sequence");
    const char c = text_[at_ + 1];
    at_ += 2;
    static constexpr std::string_view kAnchors = "AmMyYZ";
    if (!bracket && kAnchors.find(c) != std::string_view::npos) {
      EndAtom();
      static constexpr std::string_view kForms[] = {"\\A", "\\b(?=\\w)", "\\b(?<=\\w)",
                                                    "\\b", "\\B",        "\\z"};
      out_.pattern += kForms[kAnchors.find(c)];
      return Status::OK();
    }
    if (!bracket) BeginAtom();
    if (!IsAlnum(c)) {
      out_.pattern += '\\';
      out_.pattern += c;
      return Status::OK();
    }
    if (IsDigit(c)) return Digits(c, bracket);
    switch (c) {
      case 'd':
      case 'w':
      case 's':
      case 'D':
      case 'W':
      case 'S':
      case 'a':
      case 'e':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        out_.pattern += '\\';
        out_.pattern += c;
        return Status::OK();
      case 'v':
        out_.pattern += "\\x0b";
        return Status::OK();
      case 'b':
        out_.pattern += "\\x08";
        return Status::OK();
      case 'B':
        out_.pattern += "\\\\";
        return Status::OK();
      case 'c':
        if (at_ >= text_.size()) return WrongPattern("invalid escape \\ sequence");
        out_.pattern += fmt::format("\\x{:02x}", text_[at_++] & 31);
        return Status::OK();
      case 'u':
        return Hex(4, 4);
      case 'U':
        return Hex(8, 8);
      case 'x':
        return Hex(1, 8);
      default:
        return WrongPattern("invalid escape \\ sequence");
    }
  }

  Status Bracket() {
    BeginAtom();
    Take();
    const bool negated = Peek() == '^';
    if (negated) Take();
    if (negated && out_.flags.newline_stops) out_.pattern += "\\n";
    for (bool first = true;; first = false) {
      if (at_ >= text_.size()) return WrongPattern("brackets [] not balanced");
      const char c = Peek();
      if (c == ']' && !first) break;
      if (c == '\\') {
        LEAT_RETURN(Escape(true));
      } else if (c == '[' && (Peek(1) == ':' || Peek(1) == '.' || Peek(1) == '=')) {
        const std::string close = {Peek(1), ']'};
        const size_t end = text_.find(close, at_ + 2);
        if (end == text_.npos) return WrongPattern("brackets [] not balanced");
        if (Peek(1) != ':') {
          return NotSupported("collating elements in a regular expression are not supported");
        }
        LEAT_RETURN(Class(text_.substr(at_ + 2, end - at_ - 2)));
        out_.pattern += text_.substr(at_, end + 2 - at_);
        at_ = end + 2;
      } else {
        if (c == '[' || c == ']' || c == '\\') out_.pattern += '\\';
        Take();
      }
    }
    Take();
    return Status::OK();
  }

  static Status Class(std::string_view name) {
    static constexpr std::string_view kClasses[] = {"alnum", "alpha",  "blank", "cntrl", "digit",
                                                    "graph", "lower",  "print", "punct", "space",
                                                    "upper", "xdigit", "word",  "<",     ">"};
    if (std::find(std::begin(kClasses), std::end(kClasses), name) != std::end(kClasses)) {
      return Status::OK();
    }
    return WrongPattern("invalid character class");
  }

  std::string_view text_;
  size_t at_ = 0;
  TranslatedRegex out_;
  std::vector<Level> stack_;
  Preference atom_ = Preference::kNone;
  bool can_repeat_ = false;
};

}  // namespace

Status ParseRegexFlags(std::string_view letters, RegexFlags* flags) {
  for (size_t at = 0; at < letters.size(); ++at) {
    switch (letters[at]) {
      case 'g':
        flags->global = true;
        break;
      case 'i':
        flags->ignore_case = true;
        break;
      case 'c':
        flags->ignore_case = false;
        break;
      case 'n':
      case 'm':
        flags->newline_stops = flags->newline_anchors = true;
        break;
      case 'p':
        flags->newline_stops = true;
        flags->newline_anchors = false;
        break;
      case 'w':
        flags->newline_stops = false;
        flags->newline_anchors = true;
        break;
      case 's':
        flags->newline_stops = flags->newline_anchors = false;
        break;
      case 'q':
        flags->literal = true;
        break;
      case 'x':
        flags->expanded = true;
        break;
      case 't':
        flags->expanded = false;
        break;
      case 'b':
      case 'e':
        return NotSupported("basic and extended POSIX regular expressions are not supported");
      default:
        return SqlStatus(
            fmt::format("invalid regular expression option: \"{}\"", CodePointAt(letters, at)),
            {.sqlstate = "22023"});
    }
  }
  return Status::OK();
}

Result<TranslatedRegex> TranslateRegex(std::string_view pattern, const RegexFlags& flags) {
  return Translator(pattern, flags).Translate();
}

}  // namespace leat
