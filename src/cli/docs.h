// The pages of `leat docs` that have a file of their own.
#pragma once

#include <string>
#include <string_view>

namespace leat {

// A cell of a Markdown table: a bar would end one.
std::string MarkdownCell(std::string_view text);

std::string SqlPage();

}  // namespace leat
