// Takes the wanted values out of one JSON object.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/column_parser.h"
#include "format/format.h"

namespace leat {

// '$.a.b[0]' or 'a.b' as steps "a", "b", "[0]".
std::vector<std::string> JsonSteps(std::string_view path);

// Which keys lead to which columns.
class JsonPaths {
 public:
  static Result<JsonPaths> Make(const std::vector<ReadColumn>& columns);

  struct Node;
  const Node& root() const { return *root_; }
  int nodes() const { return nodes_; }
  // What a column is given of a value: its text, a string without quotes; its JSON as it stands
  // (json, jsonb); its text, but a list as PostgreSQL spells arrays.
  enum class Takes : uint8_t { kText, kJson, kList };
  Takes takes(int column) const { return takes_[static_cast<size_t>(column)]; }

 private:
  std::shared_ptr<Node> root_;
  int nodes_ = 0;
  std::vector<Takes> takes_;
};

// Strings that live as long as it does, with room behind them for fast_parse.h.
class TextArena {
 public:
  std::string_view Copy(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t used_ = 0, size_ = 0;
};

// Walks objects one after another. Used by one thread.
class JsonWalker {
 public:
  // `paths` and `arena` are borrowed.
  JsonWalker(const JsonPaths& paths, TextArena* arena);
  ~JsonWalker();
  // Puts the values of the object `text` at place `row` of their columns; they lie in `text` or in
  // the arena. The whole text is validated: the reason why it is no JSON object, or "".
  // REQUIRES: each column is null at `row`, and is again after an error.
  std::string Walk(std::string_view text, size_t row, std::vector<std::vector<RawField>>* columns);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The line without blanks around it, a comma at its end, and the brackets of an array around all
// lines; empty: no row.
std::string_view JsonOfLine(std::string_view line);

}  // namespace leat
