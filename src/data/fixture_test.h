// Reads the tables of PostgreSQL's answers in src/data/testdata.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/status.h"

namespace leat {

inline std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c == 's' ? ' ' : c;
  }
  return out;
}

inline std::vector<std::vector<std::string>> ReadFixture(const std::string& name) {
  // __FILE__ is relative to the root of the sources, and tests run somewhere below it.
  const auto fixture = std::filesystem::path(__FILE__).parent_path() / "testdata" / name;
  auto root = std::filesystem::current_path();
  while (!std::filesystem::exists(root / fixture) && root.has_relative_path()) {
    root = root.parent_path();
  }
  std::ifstream file(root / fixture);
  EXPECT_TRUE(file.good()) << name;
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == '\t') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    for (std::string& field : fields) field = Unescape(field);
    lines.push_back(std::move(fields));
  }
  return lines;
}

// An error as the fixtures write it; without DETAIL, which only some of PostgreSQL's have with us.
inline std::string AnswerOf(const Status& status) {
  const SqlError* error = SqlErrorOf(status);
  return "!" + (error ? error->sqlstate : std::string("?")) + " " + status.message() + "|" +
         (error ? error->detail : "");
}

}  // namespace leat
