#include "format/json_split.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "format/json_scan.h"

namespace leat {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The first quote, brace or bracket at or behind `at`.
const char* FindStructural(const char* at, const char* end) {
  for (; end - at >= 32; at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    // [ and { differ by one bit, and so do ] and }.
    const __m256i folded = _mm256_or_si256(block, _mm256_set1_epi8(0x20));
    const __m256i found =
        _mm256_or_si256(_mm256_cmpeq_epi8(block, _mm256_set1_epi8('"')),
                        _mm256_or_si256(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8('{')),
                                        _mm256_cmpeq_epi8(folded, _mm256_set1_epi8('}'))));
    const auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(found));
    if (mask != 0) return at + std::countr_zero(mask);
  }
  return std::find_if(
      at, end, [](char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; });
}

}  // namespace

void JsonSplitter::Start(uint32_t at, bool in_root) {
  at_ = at;
  place_ = root_.empty() || in_root ? Place::kRows : Place::kTop;
  extents_.clear();
}

void JsonSplitter::Scan(const char* text, uint32_t size, bool final) {
  text_ = text;
  size_ = size;
  final_ = final;
  while (Step()) {
  }
}

bool JsonSplitter::GiveUp(const char* text, uint32_t size) {
  text_ = text;
  size_ = size;
  final_ = false;
  if (place_ != Place::kRows || at_ >= size) return false;
  return Take(at_, NextRow(at_, at_ + 1));
}

// One row, or whatever else stands between them; false when it takes more text.
bool JsonSplitter::Step() {
  const bool skips_brackets = place_ == Place::kTop || root_.empty();
  while (at_ < size_ && place_ != Place::kBehind &&
         (IsBlank(text_[at_]) || text_[at_] == ',' ||
          (skips_brackets && (text_[at_] == '[' || text_[at_] == ']')))) {
    ++at_;
  }
  if (at_ >= size_) return false;
  if (place_ == Place::kRows) return StepRows();
  if (place_ == Place::kTop) return StepTop();
  const uint32_t end = ObjectEnd(at_, at_, std::vector<bool>(root_.size(), true));
  if (end == kMore) return false;
  at_ = end;
  place_ = Place::kTop;
  return true;
}

bool JsonSplitter::StepRows() {
  if (!root_.empty() && text_[at_] == ']') {
    ++at_;
    place_ = Place::kBehind;
    return true;
  }
  return Take(at_, text_[at_] == '{' ? ObjectEnd(at_, at_ + 1, {true}) : GarbageEnd(at_));
}

bool JsonSplitter::StepTop() {
  if (text_[at_] != '{') return Take(at_, GarbageEnd(at_));
  const uint32_t root = FindRoot(at_);
  if (root == kMore && !final_) return false;
  if (root == kMore || root == 0) return Take(at_, ObjectEnd(at_, at_ + 1, {true}));
  at_ = root;
  place_ = Place::kRows;
  return true;
}

bool JsonSplitter::Take(uint32_t begin, uint32_t end) {
  if (end == kMore) return false;
  uint32_t last = end;  // without the separators behind it
  while (last > begin + 1 && (IsBlank(text_[last - 1]) || text_[last - 1] == ',')) --last;
  extents_.push_back({begin, last, place_ == Place::kRows});
  at_ = end;
  return true;
}

// Behind the bracket that opens the root array of the document at `at`; 0: it has none.
uint32_t JsonSplitter::FindRoot(uint32_t at) const {
  const std::string_view text(text_ + at, size_ - at);
  JsonScanner scanner(text);
  std::string_view key, ignored;
  std::string unescaped;
  for (const std::string& wanted : root_) {
    if (scanner.Peek() != JsonKind::kObject) return scanner.AtEnd() ? kMore : 0;
    scanner.Enter();
    bool found = false;
    for (bool first = true; !found && scanner.NextKey(first, &key); first = false) {
      found = UnescapeJson(key, &unescaped) && unescaped == wanted;
      if (!found && !scanner.Skip(&ignored)) return kMore;
    }
    if (!found) return scanner.ok() ? 0 : kMore;
  }
  const JsonKind kind = scanner.Peek();
  if (kind != JsonKind::kArray) return kind == JsonKind::kWrong ? kMore : 0;
  scanner.Enter();
  return at + static_cast<uint32_t>(scanner.offset());
}

// Behind the object that began at `begin`; `in_object` are the containers open at `at`, true for an
// object. One that is broken ends where the next row begins.
uint32_t JsonSplitter::ObjectEnd(uint32_t begin, uint32_t at, std::vector<bool> in_object) const {
  while (true) {
    at = static_cast<uint32_t>(FindStructural(text_ + at, text_ + size_) - text_);
    if (at >= size_) return final_ ? NextRow(begin, begin + 1) : kMore;
    const char c = text_[at];
    if (c == '"') {
      const uint32_t end = StringEnd(at);
      if (end == kMore) return final_ ? NextRow(begin, begin + 1) : kMore;
      if (end == 0) return NextRow(begin, at);
      at = end;
      continue;
    }
    if (c == '{' || c == '[') {
      if (c == '{' && in_object.back() && BeginsRow(begin, at)) return at;
      in_object.push_back(c == '{');
    } else if (c == '}') {
      while (!in_object.empty() && !in_object.back()) in_object.pop_back();
      if (!in_object.empty()) in_object.pop_back();
      if (in_object.empty()) return at + 1;
    } else if (!in_object.back()) {
      in_object.pop_back();
    }
    ++at;
  }
}

// Behind the string whose quote is at `quote`; 0 if a line ends in it, which no string holds.
uint32_t JsonSplitter::StringEnd(uint32_t quote) const {
  const char* const end = text_ + size_;
  const char* at = text_ + quote + 1;
  while (true) {
    at = FindJsonSpecial(at, end);
    if (at >= end || (*at == '\\' && end - at < 2)) return kMore;
    if (*at == '"') return static_cast<uint32_t>(at + 1 - text_);
    if (*at == '\n') return 0;
    at += *at == '\\' ? 2 : 1;
  }
}

char JsonSplitter::Before(uint32_t at) const {
  while (at > 0 && IsBlank(text_[at - 1])) --at;
  return at == 0 ? '\0' : text_[at - 1];
}

uint32_t JsonSplitter::ColumnOf(uint32_t at) const {
  const void* const newline = at == 0 ? nullptr : memrchr(text_, '\n', at);
  if (newline == nullptr) return at;
  return at - static_cast<uint32_t>(static_cast<const char*>(newline) - text_) - 1;
}

// Whether the brace at `at`, inside of the object from `begin` on, can only be the next row: it
// begins a line as far left, and stands where no value can.
bool JsonSplitter::BeginsRow(uint32_t begin, uint32_t at) const {
  const char before = Before(at);
  if (before == ':') return false;
  const uint32_t column = ColumnOf(at);
  for (uint32_t i = at - column; i < at; ++i) {
    if (!IsBlank(text_[i])) return false;
  }
  return column <= ColumnOf(begin) && at - column > begin;
}

// Where a row may begin behind `from`, after the one at `begin` turned out to be broken.
uint32_t JsonSplitter::NextRow(uint32_t begin, uint32_t from) const {
  const uint32_t left = ColumnOf(begin);
  while (true) {
    const void* const newline = std::memchr(text_ + from, '\n', size_ - from);
    if (newline == nullptr) return final_ ? size_ : kMore;
    const auto line = static_cast<uint32_t>(static_cast<const char*>(newline) - text_) + 1;
    uint32_t at = line;
    while (at < size_ && (text_[at] == ' ' || text_[at] == '\t' || text_[at] == ',')) ++at;
    if (at >= size_) return final_ ? size_ : kMore;
    if (text_[at] == '{' && at - line <= left) return at;
    from = line;
  }
}

uint32_t JsonSplitter::GarbageEnd(uint32_t at) const {
  if (text_[at] == '"') {
    const uint32_t end = StringEnd(at);
    if (end != 0 && end != kMore) return end;
  }
  for (uint32_t end = at + 1; end < size_; ++end) {
    const char c = text_[end];
    if (c == '\n' || c == ',' || c == '{' || c == ']') return end;
  }
  return final_ ? size_ : kMore;
}

}  // namespace leat
