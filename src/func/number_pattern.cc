#include "func/number_pattern.h"

#include <array>

#include "base/ascii.h"

namespace leat {
namespace {

using Kind = NumberPart::Kind;

struct Keyword {
  std::string_view text;  // upper case; the longest come first
  Kind kind;
};
constexpr std::array kKeywords = {
    Keyword{"EEEE", Kind::kOther},   Keyword{"FM", Kind::kOther}, Keyword{"MI", Kind::kMinus},
    Keyword{"PL", Kind::kPlus},      Keyword{"PR", Kind::kOther}, Keyword{"RN", Kind::kRoman},
    Keyword{"SG", Kind::kPlusMinus}, Keyword{"SP", Kind::kOther}, Keyword{"TH", Kind::kOrdinal},
    Keyword{",", Kind::kGroup},      Keyword{".", Kind::kPoint},  Keyword{"0", Kind::kZero},
    Keyword{"9", Kind::kNine},       Keyword{"B", Kind::kOther},  Keyword{"C", Kind::kOther},
    Keyword{"D", Kind::kPoint},      Keyword{"G", Kind::kGroup},  Keyword{"L", Kind::kCurrency},
    Keyword{"S", Kind::kOther},      Keyword{"V", Kind::kOther}};

// The keyword with which a text begins: all in upper case or all in lower case.
const Keyword* KeywordAt(std::string_view text) {
  for (const Keyword& keyword : kKeywords) {
    const std::string_view begin = text.substr(0, keyword.text.size());
    if (begin == keyword.text || begin == LowerAscii(keyword.text)) return &keyword;
  }
  return nullptr;
}

Status Wrong(std::string message) {
  return SqlStatus(std::move(message), {.sqlstate = kSyntaxError});
}

class Parser {
 public:
  using P = NumberPattern;

  Status Apply(std::string_view keyword) {
    if (has(P::kScientific) && keyword != "EEEE") {
      return Wrong("\"EEEE\" must be the last pattern used");
    }
    if (keyword == "9" || keyword == "0") return Digit(keyword[0]);
    if (keyword == "." || keyword == "D") return Point();
    if (keyword == "S") return SignHere();
    if (keyword == "MI" || keyword == "PL" || keyword == "SG") return Signs(keyword);
    if (keyword == "PR") {
      if (has(P::kSign) || has(P::kPlus) || has(P::kMinus)) {
        return Wrong("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      }
      flags() |= P::kBracket;
    }
    if (keyword == "V") {
      if (has(P::kDecimal)) return Wrong("cannot use \"V\" and decimal point together");
      flags() |= P::kMulti;
    }
    if (keyword == "EEEE") return Scientific();
    if (keyword == "FM") flags() |= P::kFillMode;
    if (keyword == "RN") flags() |= P::kRoman;
    if (keyword == "B" && pattern_.pre == 0 && pattern_.post == 0 && !has(P::kZero)) {
      flags() |= P::kBlank;
    }
    return Status::OK();
  }

  void Add(NumberPart part) { pattern_.parts.push_back(std::move(part)); }
  NumberPattern Take() { return std::move(pattern_); }

 private:
  bool has(int flag) const { return (pattern_.flags & flag) != 0; }
  int& flags() { return pattern_.flags; }

  Status Digit(char digit) {
    if (has(P::kBracket)) return Wrong(fmt::format("\"{}\" must be ahead of \"PR\"", digit));
    if (digit == '9' && has(P::kMulti)) {
      ++pattern_.multi;
      return Status::OK();
    }
    if (digit == '0' && !has(P::kZero) && !has(P::kDecimal)) {
      flags() |= P::kZero;
      pattern_.zero_start = pattern_.pre + 1;
    }
    ++(has(P::kDecimal) ? pattern_.post : pattern_.pre);
    if (digit == '0') pattern_.zero_end = pattern_.pre + pattern_.post;
    return Status::OK();
  }

  Status Point() {
    if (has(P::kDecimal)) return Wrong("multiple decimal points");
    if (has(P::kMulti)) return Wrong("cannot use \"V\" and decimal point together");
    flags() |= P::kDecimal;
    return Status::OK();
  }

  Status SignHere() {
    if (has(P::kSign)) return Wrong("cannot use \"S\" twice");
    if (has(P::kPlus) || has(P::kMinus) || has(P::kBracket)) {
      return Wrong("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
    }
    flags() |= P::kSign;
    pattern_.sign = has(P::kDecimal) ? P::Sign::kBehind : P::Sign::kBefore;
    if (!has(P::kDecimal)) pattern_.pre_sign_digits = pattern_.pre;
    return Status::OK();
  }

  Status Signs(std::string_view keyword) {
    if (has(P::kSign)) {
      return Wrong(fmt::format("cannot use \"S\" and \"{}\" together", keyword));
    }
    if (keyword != "PL") flags() |= P::kMinus;
    if (keyword != "MI") flags() |= P::kPlus;
    return Status::OK();
  }

  Status Scientific() {
    if (has(P::kScientific)) return Wrong("cannot use \"EEEE\" twice");
    if (has(P::kBlank | P::kFillMode | P::kSign | P::kBracket | P::kMinus | P::kPlus | P::kRoman |
            P::kMulti)) {
      return SqlStatus("\"EEEE\" is incompatible with other formats",
                       {.sqlstate = kSyntaxError,
                        .detail = "\"EEEE\" may only be used together with digit and decimal "
                                  "point patterns."});
    }
    flags() |= P::kScientific;
    return Status::OK();
  }

  NumberPattern pattern_;
};

// NUM_processor() as it reads: the pattern says how many characters of the text are looked at.
class NumberReader {
 public:
  NumberReader(std::string_view text, const NumberPattern& pattern)
      : text_(text), pattern_(pattern) {}

  std::string Read() {
    for (const NumberPart& part : pattern_.parts) {
      if (done()) break;
      Take(part);
    }
    if (!digits_.empty() && digits_.back() == '.') digits_.pop_back();
    return sign_ + digits_;
  }
  int digits_behind() const { return behind_; }

 private:
  bool done(size_t ahead = 0) const { return at_ + ahead >= text_.size(); }
  bool has(int flag) const { return (pattern_.flags & flag) != 0; }

  void Take(const NumberPart& part) {
    switch (part.kind) {
      case Kind::kNine:
      case Kind::kZero:
      case Kind::kPoint:
        TakeDigit(part.kind);
        ++at_;
        return;
      case Kind::kGroup:
        if (text_[at_] == ',') ++at_;
        return;
      case Kind::kOrdinal:
        return Skip(2);
      case Kind::kCurrency:
      case Kind::kMinus:
      case Kind::kPlus:
      case Kind::kPlusMinus:
        return Skip(1);
      case Kind::kLiteral:
        at_ += part.text.size();
        return;
      case Kind::kRoman:
      case Kind::kOther:
        return;
    }
  }

  void Skip(int count) {
    constexpr std::string_view kData = "0123456789.,+-";
    while (count-- > 0 && !done() && kData.find(text_[at_]) == kData.npos) {
      ++at_;
      while (!done() && (text_[at_] & 0xC0) == 0x80) ++at_;
    }
  }

  void TakeDigit(Kind kind) {
    if (done()) return;
    if (text_[at_] == ' ') ++at_;
    if (done()) return;
    if (sign_ == " " && kind != Kind::kPoint && before_ + behind_ == 0) TakeSign();
    if (done()) return;
    bool read = false;
    if (text_[at_] >= '0' && text_[at_] <= '9') {
      if (point_ && behind_ == pattern_.post) return;
      digits_ += text_[at_];
      ++(point_ ? behind_ : before_);
      read = true;
    } else if (has(NumberPattern::kDecimal) && !point_ && text_[at_] == '.') {
      digits_ += '.';
      point_ = true;
      read = true;
    }
    if (sign_ != " " || before_ + behind_ == 0) return;
    if (has(NumberPattern::kSign)) {
      const char next = done(1) ? '0' : text_[at_ + 1];
      if (read && (next == '-' || next == '+')) {
        sign_ = next;
        ++at_;
      }
    } else if (!read && has(NumberPattern::kPlus | NumberPattern::kMinus)) {
      if (text_[at_] == '-' || text_[at_] == '+') sign_ = text_[at_];
    }
  }

  void TakeSign() {
    const bool before = has(NumberPattern::kSign) && pattern_.sign == NumberPattern::Sign::kBefore;
    const char c = text_[at_];
    if (c == '-' || (c == '<' && !before && has(NumberPattern::kBracket))) {
      sign_ = "-";
      ++at_;
    } else if (c == '+') {
      sign_ = "+";
      ++at_;
    }
  }

  std::string_view text_;
  const NumberPattern& pattern_;
  size_t at_ = 0;
  std::string sign_ = " ";
  std::string digits_;
  int before_ = 0, behind_ = 0;
  bool point_ = false;
};

}  // namespace

Result<NumberPattern> NumberPattern::Parse(std::string_view text) {
  Parser parser;
  const auto literal = [&](std::string_view piece) {
    parser.Add({.kind = Kind::kLiteral, .text = std::string(piece)});
  };
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (const Keyword* keyword = KeywordAt(rest)) {
      LEAT_RETURN(parser.Apply(keyword->text));
      const bool upper = rest[0] >= 'A' && rest[0] <= 'Z';
      parser.Add({.kind = keyword->kind, .upper = upper, .locale = keyword->text == "G"});
      at += keyword->text.size();
    } else if (rest[0] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        literal(text.substr(at, 1));
      }
      ++at;
    } else {
      if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') ++at;
      size_t size = 1;
      while (at + size < text.size() && (text[at + size] & 0xC0) == 0x80) ++size;
      literal(text.substr(at, size));
      at += size;
    }
  }
  return parser.Take();
}

Result<Numeric> ReadNumber(std::string_view text, const NumberPattern& pattern) {
  if ((pattern.flags & NumberPattern::kScientific) != 0) {
    return SqlStatus("\"EEEE\" not supported for input", {.sqlstate = "0A000"});
  }
  if ((pattern.flags & NumberPattern::kRoman) != 0) {
    return SqlStatus("\"RN\" not supported for input", {.sqlstate = "0A000"});
  }
  NumberReader reader(text, pattern);
  const std::string digits = reader.Read();
  LEAT_ASSIGN(Numeric value, Numeric::Parse(digits));
  const int32_t scale = reader.digits_behind();
  LEAT_ASSIGN(value, value.Fit(pattern.pre + pattern.multi + scale, scale));
  if ((pattern.flags & NumberPattern::kMulti) == 0) return value;
  LEAT_ASSIGN(const Numeric power, Numeric(10).Power(Numeric(-pattern.multi)));
  return value * power;
}

}  // namespace leat
