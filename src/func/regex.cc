#define PCRE2_CODE_UNIT_WIDTH 8
#include "func/regex.h"

#include <pcre2.h>

#include <array>

namespace leat {
namespace {

constexpr uint32_t kStepsMax = 10'000'000;  // of one match: PCRE2's match limit

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct DataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct ContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Code = std::unique_ptr<pcre2_code, CodeDeleter>;
using Data = std::unique_ptr<pcre2_match_data, DataDeleter>;
using Context = std::unique_ptr<pcre2_match_context, ContextDeleter>;

Result<Code> CompileCode(const std::string& pattern, uint32_t options) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options,
                          &error, &offset, nullptr));
  if (code) return code;
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return SqlStatus(
      fmt::format("invalid regular expression: {}", reinterpret_cast<const char*>(text.data())),
      {.sqlstate = "2201B"});
}

Status Failed(int error) {
  if (error == PCRE2_ERROR_MATCHLIMIT || error == PCRE2_ERROR_HEAPLIMIT ||
      error == PCRE2_ERROR_DEPTHLIMIT) {
    return SqlStatus("regular expression failed: it takes too many steps", {.sqlstate = "54000"});
  }
  return SqlStatus(fmt::format("regular expression failed: error {}", error),
                   {.sqlstate = "XX000"});
}

// Tries all ways in which the pattern matches [begin, end), and keeps the one whose groups end
// last, the first groups first: what PostgreSQL's longest subexpressions come to.
struct Best {
  size_t end = 0;
  bool found = false;
  std::vector<RegexSpan> groups;
};

int ConsiderMatch(pcre2_callout_block* block, void* data) {
  auto* best = static_cast<Best*>(data);
  if (block->current_position != best->end) return 1;
  std::vector<RegexSpan> groups;
  for (uint32_t i = 1; i < block->capture_top; ++i) {
    const PCRE2_SIZE begin = block->offset_vector[2 * i], end = block->offset_vector[2 * i + 1];
    const bool set = begin != PCRE2_UNSET;
    groups.push_back(
        {set ? static_cast<int64_t>(begin) : -1, set ? static_cast<int64_t>(end) : -1});
  }
  const auto later = [&] {
    for (size_t i = 0; i < std::max(groups.size(), best->groups.size()); ++i) {
      const int64_t now = i < groups.size() ? groups[i].end : -1;
      const int64_t before = i < best->groups.size() ? best->groups[i].end : -1;
      if (now != before) return now > before;
    }
    return false;
  };
  if (!best->found || later()) best->groups = std::move(groups);
  best->found = true;
  return 1;  // go on looking
}

}  // namespace

struct Regex::State {
  TranslatedRegex translated;
  Code code;
  Code ended;  // with a callout at its end; made for groups among alternatives
  Data data;
  Context context;
  mutable std::vector<int> workspace = std::vector<int>(4096);
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::Compile(std::string_view pattern, const RegexFlags& flags) {
  auto state = std::make_unique<State>();
  LEAT_ASSIGN(state->translated, TranslateRegex(pattern, flags));
  const TranslatedRegex& translated = state->translated;
  uint32_t options = PCRE2_UTF | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
  if (translated.flags.ignore_case) options |= PCRE2_CASELESS;
  if (translated.flags.newline_anchors) options |= PCRE2_MULTILINE;
  // PCRE2 would make a last X+ possessive, which is right for the longest match alone.
  if (translated.shortest) options |= PCRE2_NO_AUTO_POSSESS;
  LEAT_ASSIGN(state->code, CompileCode(translated.pattern, options));
  if (translated.groups > 0 && !translated.flags.literal) {
    LEAT_ASSIGN(state->ended, CompileCode("(?:" + translated.pattern + ")(?C1)", options));
  }
  pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE);  // where it is not there, slower
  state->data.reset(pcre2_match_data_create_from_pattern(state->code.get(), nullptr));
  state->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(state->context.get(), kStepsMax);
  return Regex(std::move(state));
}

int Regex::groups() const { return state_->translated.groups; }

Result<bool> Regex::Matches(std::string_view text) const {
  const int count = pcre2_match(state_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                text.size(), 0, 0, state_->data.get(), state_->context.get());
  if (count >= 0) return true;
  if (count == PCRE2_ERROR_NOMATCH) return false;
  return Failed(count);
}

Result<bool> Regex::Find(std::string_view text, int64_t from, std::vector<RegexSpan>* spans) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  pcre2_match_data* data = state_->data.get();
  const int count = pcre2_match(state_->code.get(), subject, text.size(),
                                static_cast<PCRE2_SIZE>(from), 0, data, state_->context.get());
  if (count == PCRE2_ERROR_NOMATCH) return false;
  if (count < 0) return Failed(count);
  spans->assign(static_cast<size_t>(groups()) + 1, {});
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(data);
  for (size_t i = 0; i < spans->size(); ++i) {
    if (static_cast<int>(i) >= count || offsets[2 * i] == PCRE2_UNSET) continue;
    (*spans)[i] = {static_cast<int64_t>(offsets[2 * i]), static_cast<int64_t>(offsets[2 * i + 1])};
  }
  const TranslatedRegex& translated = state_->translated;
  if (translated.flags.literal) return true;
  RegexSpan& whole = (*spans)[0];
  const int64_t first_end = whole.end;
  if (translated.references) {
    // The other matcher knows no back references.
    if (!translated.alternates && !translated.shortest) return true;
    return NotSupported(
        "a regular expression with a back reference and alternatives is not supported here");
  }
  const uint32_t options = PCRE2_ANCHORED | (translated.shortest ? PCRE2_DFA_SHORTEST : 0);
  const int found = pcre2_dfa_match(
      state_->code.get(), subject, text.size(), static_cast<PCRE2_SIZE>(whole.begin), options, data,
      state_->context.get(), state_->workspace.data(), state_->workspace.size());
  if (found < 0) return Failed(found);
  whole.end = static_cast<int64_t>(pcre2_get_ovector_pointer(data)[1]);
  if (groups() == 0 || (whole.end == first_end && !translated.alternates)) return true;
  Best best;
  best.end = static_cast<size_t>(whole.end);
  pcre2_set_callout(state_->context.get(), ConsiderMatch, &best);
  const int tried =
      pcre2_match(state_->ended.get(), subject, text.size(), static_cast<PCRE2_SIZE>(whole.begin),
                  PCRE2_ANCHORED, data, state_->context.get());
  pcre2_set_callout(state_->context.get(), nullptr, nullptr);
  if (tried != PCRE2_ERROR_NOMATCH) return Failed(tried);
  for (size_t i = 1; i < spans->size(); ++i) {
    (*spans)[i] = i <= best.groups.size() ? best.groups[i - 1] : RegexSpan{};
  }
  return true;
}

}  // namespace leat
