#include "cli/shell.h"

namespace leat {
namespace {

// Where a quoted piece that begins at `at` ends (after its closing quote); npos if it does not.
size_t EndOfQuoted(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '\'' && at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e');
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote)
        ++i;
      else
        return i + 1;
    }
  }
  return std::string_view::npos;
}

// $tag$ … $tag$
size_t EndOfDollarQuoted(std::string_view text, size_t at) {
  const size_t tag_end = text.find('$', at + 1);
  if (tag_end == text.npos) return text.npos;
  const std::string_view tag = text.substr(at, tag_end + 1 - at);
  if (tag.find_first_of(" \n\t;'\"(),") != tag.npos) return at + 1;
  const size_t close = text.find(tag, tag_end + 1);
  return close == text.npos ? text.npos : close + tag.size();
}

// Block comments nest.
size_t EndOfComment(std::string_view text, size_t at) {
  if (text[at] == '-') {
    const size_t end = text.find('\n', at);
    return end == text.npos ? text.size() : end;
  }
  int depth = 1;
  for (size_t i = at + 2; i + 1 < text.size(); ++i) {
    if (text.substr(i, 2) == "/*")
      ++depth, ++i;
    else if (text.substr(i, 2) == "*/" && (++i, --depth == 0))
      return i + 1;
  }
  return text.npos;
}

}  // namespace

size_t EndOfStatements(std::string_view text) {
  size_t last = text.npos;
  int depth = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::string_view two = text.substr(at, 2);
    size_t next = at + 1;
    if (c == '\'' || c == '"')
      next = EndOfQuoted(text, at);
    else if (c == '$' && at + 1 < text.size() &&
             !std::isdigit(static_cast<unsigned char>(text[at + 1])))
      next = EndOfDollarQuoted(text, at);
    else if (two == "--" || two == "/*")
      next = EndOfComment(text, at);
    else if (c == '(')
      ++depth;
    else if (c == ')')
      depth = std::max(0, depth - 1);
    else if (c == ';' && depth == 0)
      last = at + 1;
    if (next == text.npos) return last;
    at = next;
  }
  return last;
}

}  // namespace leat
