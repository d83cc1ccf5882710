#include "format/json_walk.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "format/fast_parse.h"

namespace leat {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kArenaBlock = 64 << 10;
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

size_t SkipDigits(std::string_view text, size_t at) {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// JSON's grammar of numbers (RFC 8259, section 6).
bool IsNumber(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t whole = at;
  at = SkipDigits(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const size_t begin = ++at;
    at = SkipDigits(text, at);
    if (at == begin) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t begin = at;
    at = SkipDigits(text, at);
    if (at == begin) return false;
  }
  return at == text.size();
}

struct ViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// '$.a.b[0]' or 'a.b' as steps "a", "b", "[0]".
std::vector<std::string> StepsOf(std::string_view path) {
  if (path.starts_with('$')) path.remove_prefix(1);
  std::vector<std::string> steps;
  std::string step;
  const auto finish = [&] {
    if (!step.empty()) steps.push_back(std::move(step));
    step.clear();
  };
  for (const char c : path) {
    if (c == '.' || c == '[') finish();
    if (c != '.') step.push_back(c);
  }
  finish();
  return steps;
}

}  // namespace

struct JsonPaths::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, ViewHash, std::equal_to<>> children;
  std::vector<int> flat;    // columns whose own name leads here
  std::vector<int> nested;  // columns whose path leads here; a value by name goes before

  const Node* Child(std::string_view key) const {
    const auto found = children.find(key);
    return found == children.end() ? nullptr : found->second.get();
  }
  Node* Make(const std::string& key) {
    auto& child = children[key];
    if (child == nullptr) child = std::make_unique<Node>();
    return child.get();
  }
};

Result<JsonPaths> JsonPaths::Make(const std::vector<ReadColumn>& columns) {
  JsonPaths paths;
  paths.root_ = std::make_shared<Node>();
  for (size_t i = 0; i < columns.size(); ++i) {
    const ReadColumn& column = columns[i];
    const TypeId type = column.column.type.id;
    paths.raw_.push_back(type == TypeId::kJson || type == TypeId::kJsonb);
    const std::string& name =
        column.outside_name.empty() ? column.column.name : column.outside_name;
    const bool by_path = !column.path.empty();
    if (by_path && !column.path.starts_with('$')) {
      return SqlStatus(fmt::format("path \"{}\" of column \"{}\" does not begin with \"$\"",
                                   column.path, column.column.name),
                       {.sqlstate = "22023"});
    }
    if (!by_path) paths.root_->Make(name)->flat.push_back(static_cast<int>(i));
    const auto steps = StepsOf(by_path ? column.path : name);
    if (!by_path && steps.size() < 2) continue;
    Node* node = paths.root_.get();
    for (const auto& step : steps) node = node->Make(step);
    node->nested.push_back(static_cast<int>(i));
  }
  return paths;
}

std::string_view TextArena::Copy(std::string_view text) {
  const size_t wanted = text.size() + static_cast<size_t>(kReadAhead);
  if (used_ + wanted > size_) {
    size_ = std::max(kArenaBlock, wanted);
    blocks_.push_back(std::make_unique<char[]>(size_));
    used_ = 0;
  }
  char* const at = blocks_.back().get() + used_;
  std::memcpy(at, text.data(), text.size());
  used_ += wanted;
  return {at, text.size()};
}

struct JsonWalker::State {
  using Node = JsonPaths::Node;

  const JsonPaths& paths;
  TextArena* arena;
  ondemand::parser parser;
  std::vector<RawField>* values = nullptr;
  std::vector<bool> by_name;  // columns whose value came by their own name
  std::string error;

  State(const JsonPaths& the_paths, TextArena* the_arena) : paths(the_paths), arena(the_arena) {}

  bool Fail(std::string_view why) {
    if (error.empty()) error = why;
    return false;
  }
  bool Fail(simdjson::error_code code) { return Fail(simdjson::error_message(code)); }

  // A value without a data pointer is null.
  void Put(const Node& node, RawField text, std::string_view json) {
    const auto put = [&](int column) {
      const bool raw = paths.raw(column) && text.data != nullptr;
      (*values)[static_cast<size_t>(column)] = raw ? RawField{json.data(), json.size()} : text;
    };
    for (const int column : node.flat) {
      by_name[static_cast<size_t>(column)] = true;
      put(column);
    }
    for (const int column : node.nested) {
      if (!by_name[static_cast<size_t>(column)]) put(column);
    }
  }

  static bool Wanted(const Node* node) {
    return node != nullptr && !(node->flat.empty() && node->nested.empty());
  }

  bool VisitString(ondemand::value value, const Node* node) {
    const std::string_view token = Trim(value.raw_json_token());
    std::string_view text;
    if (token.find('\\') == token.npos) {
      text = token.substr(1, token.size() - 2);
    } else {
      if (const auto code = value.get_string().get(text)) return Fail(code);
      if (Wanted(node)) text = arena->Copy(text);
    }
    if (Wanted(node)) Put(*node, {text.data(), text.size()}, token);
    return true;
  }

  bool VisitScalar(ondemand::value value, ondemand::json_type type, const Node* node) {
    const std::string_view token = Trim(value.raw_json_token());
    const bool sound = type == ondemand::json_type::number    ? IsNumber(token)
                       : type == ondemand::json_type::boolean ? token == "true" || token == "false"
                                                              : token == "null";
    if (!sound) return Fail(fmt::format("token \"{}\" is invalid", token));
    if (!Wanted(node)) return true;
    const bool null = type == ondemand::json_type::null;
    Put(*node, null ? RawField{nullptr, 0} : RawField{token.data(), token.size()}, token);
    return true;
  }

  bool VisitFields(ondemand::object object, const Node* node) {
    for (auto field : object) {
      if (field.error()) return Fail(field.error());
      std::string_view key;
      if (const auto code = field.unescaped_key().get(key)) return Fail(code);
      const Node* const child = node == nullptr ? nullptr : node->Child(key);
      ondemand::value value;
      if (const auto code = field.value().get(value)) return Fail(code);
      if (!Visit(value, child)) return false;
    }
    return true;
  }

  bool VisitObject(ondemand::value value, const Node* node) {
    ondemand::object object;
    if (const auto code = value.get_object().get(object)) return Fail(code);
    if (Wanted(node)) {
      std::string_view json;
      if (const auto code = object.raw_json().get(json)) return Fail(code);
      Put(*node, {json.data(), json.size()}, json);
      if (const auto code = object.reset().error()) return Fail(code);
    }
    return VisitFields(object, node);
  }

  bool VisitArray(ondemand::value value, const Node* node) {
    ondemand::array array;
    if (const auto code = value.get_array().get(array)) return Fail(code);
    if (Wanted(node)) {
      std::string_view json;
      if (const auto code = array.raw_json().get(json)) return Fail(code);
      Put(*node, {json.data(), json.size()}, json);
      if (const auto code = array.reset().error()) return Fail(code);
    }
    int64_t index = 0;
    for (auto element : array) {
      ondemand::value inner;
      if (const auto code = element.get(inner)) return Fail(code);
      const bool inside = node != nullptr && !node->children.empty();
      if (!Visit(inner, inside ? node->Child(fmt::format("[{}]", index)) : nullptr)) return false;
      ++index;
    }
    return true;
  }

  bool Visit(ondemand::value value, const Node* node) {
    ondemand::json_type type;
    if (const auto code = value.type().get(type)) return Fail(code);
    switch (type) {
      case ondemand::json_type::object:
        return VisitObject(value, node);
      case ondemand::json_type::array:
        return VisitArray(value, node);
      case ondemand::json_type::string:
        return VisitString(value, node);
      default:
        return VisitScalar(value, type, node);
    }
  }

  bool Document(std::string_view text) {
    ondemand::document document;
    const simdjson::padded_string_view padded(text.data(), text.size(),
                                              text.size() + simdjson::SIMDJSON_PADDING);
    if (const auto code = parser.iterate(padded).get(document)) return Fail(code);
    ondemand::object object;
    if (const auto code = document.get_object().get(object)) return Fail(code);
    if (!VisitFields(object, &paths.root())) return false;
    // Behind the object's end nothing may stand.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ||
           Fail("text after the object");
  }
};

JsonWalker::JsonWalker(const JsonPaths& paths, TextArena* arena)
    : state_(std::make_unique<State>(paths, arena)) {}
JsonWalker::~JsonWalker() = default;

std::string JsonWalker::Walk(std::string_view text, std::vector<RawField>* values) {
  const size_t columns = state_->paths.columns();
  values->assign(columns, RawField{nullptr, 0});
  state_->values = values;
  state_->by_name.assign(columns, false);
  state_->error.clear();
  if (state_->Document(text)) return {};
  return "invalid input syntax for type json: " + state_->error;
}

std::string_view JsonOfLine(std::string_view line) {
  line = Trim(line);
  if (line.ends_with(',')) line = Trim(line.substr(0, line.size() - 1));
  // An object ends with '}': a bracket before or behind it belongs to an array around all lines.
  if (line.starts_with('[')) line = Trim(line.substr(1));
  if (line == "]" || (line.starts_with('{') && line.ends_with(']'))) {
    line = Trim(line.substr(0, line.size() - 1));
  }
  return line;
}

}  // namespace leat
