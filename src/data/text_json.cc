// JSON as PostgreSQL checks it, and jsonb's normal form: keys by length, then bytes, the last of
// equal ones; numbers as numeric prints them; ": " and ", " between. One pass of our own, because a
// number must keep its digits, which parsers to doubles lose.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "data/numeric.h"
#include "data/text_internal.h"

namespace leat::text_internal {
namespace {

constexpr int kDepthMax = 6000;

// Appends `text`, which is UTF-8 without escapes, as a JSON string.
void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<uint8_t>(c));
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

void AppendUtf8(uint32_t c, std::string* out) {
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | (c >> shift & 0x3F)));
  };
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | c >> 12));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

class JsonReader {
 public:
  JsonReader(std::string_view text, const char* type, bool normalise)
      : text_(text), type_(type), normalise_(normalise) {}

  Status Read(std::string* out) {
    LEAT_RETURN(Value(0, out));
    SkipSpace();
    return at_ == text_.size() ? Status::OK() : Unexpected("end of input");
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool TakeIf(char c) {
    SkipSpace();
    if (Peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  Status Invalid(std::string detail) const {
    return SqlStatus(fmt::format("invalid input syntax for type {}", type_),
                     {.sqlstate = kInvalidText, .detail = std::move(detail)});
  }

  // The token here is not `expected`.
  Status Unexpected(std::string_view expected) const {
    if (at_ >= text_.size()) return Invalid("The input string ended unexpectedly.");
    size_t end = at_ + 1;
    const auto in_word = [](char c) {
      return IsAlpha(c) || IsDigit(c) || c == '_' || (c & 0x80) != 0;
    };
    if (in_word(text_[at_])) {
      while (end < text_.size() && in_word(text_[end])) ++end;
      const std::string_view word = text_.substr(at_, end - at_);
      if (!IsDigit(word[0]) && word != "true" && word != "false" && word != "null") {
        return Invalid(fmt::format("Token \"{}\" is invalid.", word));
      }
    } else if (std::string_view("{}[]:,\"-").find(text_[at_]) == std::string_view::npos) {
      return Invalid(fmt::format("Token \"{}\" is invalid.", text_[at_]));
    } else if (text_[at_] == '"') {
      end = std::min(text_.find('"', end), text_.size() - 1) + 1;
    }
    return Invalid(
        fmt::format("Expected {}, but found \"{}\".", expected, text_.substr(at_, end - at_)));
  }

  Status Value(int depth, std::string* out) {
    if (depth > kDepthMax) return SqlStatus("stack depth limit exceeded", {.sqlstate = "54001"});
    SkipSpace();
    switch (Peek()) {
      case '{':
        return Object(depth, out);
      case '[':
        return Array(depth, out);
      case '"': {
        std::string value;
        LEAT_RETURN(String(&value));
        if (normalise_) AppendJsonString(value, out);
        return Status::OK();
      }
      case 't':
        return Word("true", out);
      case 'f':
        return Word("false", out);
      case 'n':
        return Word("null", out);
      default:
        return Number(out);
    }
  }

  Status Word(std::string_view word, std::string* out) {
    const std::string_view rest = text_.substr(at_);
    const bool ends =
        rest.size() == word.size() || (rest.size() > word.size() && !IsAlpha(rest[word.size()]) &&
                                       !IsDigit(rest[word.size()]) && rest[word.size()] != '_');
    if (!rest.starts_with(word) || !ends) return Unexpected("JSON value");
    at_ += word.size();
    if (normalise_) out->append(word);
    return Status::OK();
  }

  size_t Digits() {
    const size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    return at_ - begin;
  }

  Status Number(std::string* out) {
    const size_t begin = at_;
    if (Peek() == '-') ++at_;
    bool good = true;
    if (Peek() == '0') {
      ++at_;
    } else {
      good = Digits() > 0;
    }
    if (good && Peek() == '.') {
      ++at_;
      good = Digits() > 0;
    }
    if (good && (Peek() == 'e' || Peek() == 'E')) {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      good = Digits() > 0;
    }
    if (at_ == begin) return Unexpected("JSON value");
    const bool joined = at_ < text_.size() && (IsAlpha(Peek()) || IsDigit(Peek()) || Peek() == '_');
    if (!good || joined) {
      while (at_ < text_.size() && (IsAlpha(Peek()) || IsDigit(Peek()) || Peek() == '_')) ++at_;
      return Invalid(fmt::format("Token \"{}\" is invalid.", text_.substr(begin, at_ - begin)));
    }
    if (!normalise_) return Status::OK();
    LEAT_ASSIGN(const leat::Numeric value, leat::Numeric::Parse(text_.substr(begin, at_ - begin)));
    out->append(value.ToString());
    return Status::OK();
  }

  Status Array(int depth, std::string* out) {
    ++at_;
    if (normalise_) out->push_back('[');
    if (!TakeIf(']')) {
      for (bool first = true;; first = false) {
        if (!first && normalise_) out->append(", ");
        LEAT_RETURN(Value(depth + 1, out));
        if (TakeIf(']')) break;
        if (!TakeIf(',')) return Unexpected("\",\" or \"]\"");
      }
    }
    if (normalise_) out->push_back(']');
    return Status::OK();
  }

  struct Member {
    std::string key, value;
  };

  Status Object(int depth, std::string* out) {
    ++at_;
    std::vector<Member> members;
    if (!TakeIf('}')) {
      for (;;) {
        SkipSpace();
        if (Peek() != '"') return Unexpected(members.empty() ? "string or \"}\"" : "string");
        Member member;
        LEAT_RETURN(String(&member.key));
        if (!TakeIf(':')) return Unexpected("\":\"");
        LEAT_RETURN(Value(depth + 1, &member.value));
        members.push_back(std::move(member));
        if (TakeIf('}')) break;
        if (!TakeIf(',')) return Unexpected("\",\" or \"}\"");
      }
    }
    if (normalise_) AppendObject(&members, out);
    return Status::OK();
  }

  static void AppendObject(std::vector<Member>* members, std::string* out) {
    std::stable_sort(members->begin(), members->end(), [](const Member& a, const Member& b) {
      return a.key.size() != b.key.size() ? a.key.size() < b.key.size() : a.key < b.key;
    });
    out->push_back('{');
    bool first = true;
    for (size_t i = 0; i < members->size(); ++i) {
      const Member& member = (*members)[i];
      if (i + 1 < members->size() && (*members)[i + 1].key == member.key) continue;
      if (!first) out->append(", ");
      first = false;
      AppendJsonString(member.key, out);
      out->append(": ");
      out->append(member.value);
    }
    out->push_back('}');
  }

  // Four hexadecimal digits; false where they are none.
  bool HexQuad(uint32_t* value) {
    *value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = LowerAscii(Peek());
      if (!IsDigit(c) && (c < 'a' || c > 'f')) return false;
      *value = *value * 16 + static_cast<uint32_t>(IsDigit(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
  }

  // jsonb holds text, so its escapes must be characters; json keeps them as they are written.
  Status UnicodeEscape(std::string* out) {
    uint32_t first, second;
    if (!HexQuad(&first)) return Invalid("\"\\u\" must be followed by four hexadecimal digits.");
    if (!normalise_) return Status::OK();
    if (first == 0) {
      return SqlStatus("unsupported Unicode escape sequence",
                       {.sqlstate = "22P05", .detail = "\\u0000 cannot be converted to text."});
    }
    if (first >= 0xDC00 && first <= 0xDFFF) {
      return Invalid("Unicode low surrogate must follow a high surrogate.");
    }
    if (first >= 0xD800 && first <= 0xDBFF) {
      if (!text_.substr(at_).starts_with("\\u")) {
        return Invalid("Unicode low surrogate must follow a high surrogate.");
      }
      at_ += 2;
      if (!HexQuad(&second)) return Invalid("\"\\u\" must be followed by four hexadecimal digits.");
      if (second < 0xDC00 || second > 0xDFFF) {
        return Invalid("Unicode low surrogate must follow a high surrogate.");
      }
      first = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
    AppendUtf8(first, out);
    return Status::OK();
  }

  Status Escape(std::string* out) {
    const char c = Peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out->push_back(c);
        return Status::OK();
      case 'b':
        out->push_back('\b');
        return Status::OK();
      case 'f':
        out->push_back('\f');
        return Status::OK();
      case 'n':
        out->push_back('\n');
        return Status::OK();
      case 'r':
        out->push_back('\r');
        return Status::OK();
      case 't':
        out->push_back('\t');
        return Status::OK();
      case 'u':
        return UnicodeEscape(out);
      default:
        return Invalid(fmt::format("Escape sequence \"\\{}\" is invalid.", c));
    }
  }

  Status String(std::string* out) {
    const size_t begin = at_;
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') return Status::OK();
      if (static_cast<uint8_t>(c) < 0x20) {
        return Invalid(
            fmt::format("Character with value 0x{:02x} must be escaped.", static_cast<uint8_t>(c)));
      }
      if (c != '\\') {
        out->push_back(c);
      } else {
        if (at_ == text_.size()) break;
        LEAT_RETURN(Escape(out));
      }
    }
    return Invalid(fmt::format("Token \"{}\" is invalid.", text_.substr(begin)));
  }

  std::string_view text_;
  const char* type_;
  bool normalise_;
  size_t at_ = 0;
};

}  // namespace

Status ParseJson(std::string_view text, const char* type, std::string* normal) {
  std::string ignored;
  if (normal != nullptr) normal->clear();
  return JsonReader(text, type, normal != nullptr).Read(normal != nullptr ? normal : &ignored);
}

}  // namespace leat::text_internal
