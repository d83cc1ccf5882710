#include "format/json_walk.h"

#include <algorithm>
#include <cstring>

#include "format/fast_parse.h"
#include "format/json_scan.h"

namespace leat {
namespace {

constexpr size_t kArenaBlock = 64 << 10;
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

void AppendQuoted(std::string_view text, std::string* out) {
  *out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') *out += '\\';
    *out += c;
  }
  *out += '"';
}

// A JSON array as PostgreSQL spells arrays: {1,NULL,"text"}. False where no text can hold it.
bool AppendArrayText(JsonScanner* scanner, std::string* out) {
  std::string_view token;
  std::string unescaped;
  scanner->Enter();
  *out += '{';
  for (bool first = true; scanner->NextElement(first); first = false) {
    if (!first) *out += ',';
    switch (scanner->Peek()) {
      case JsonKind::kArray:
        if (!AppendArrayText(scanner, out)) return false;
        break;
      case JsonKind::kString:
        if (!scanner->String(&token) || !UnescapeJson(token, &unescaped)) return false;
        AppendQuoted(unescaped, out);
        break;
      case JsonKind::kObject:
        if (!scanner->Skip(&token)) return false;
        AppendQuoted(token, out);
        break;
      default:
        if (!scanner->Scalar(&token)) return false;
        *out += token == "null" ? "NULL" : token;
    }
  }
  *out += '}';
  return scanner->ok();
}

// Keys mostly come in the order of the object before: `from` on so many are compared before a key
// is looked up.
constexpr size_t kKeysAhead = 4, kKeysMax = 256;

struct ViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace

std::vector<std::string> JsonSteps(std::string_view path) {
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

struct JsonPaths::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, ViewHash, std::equal_to<>> children;
  std::vector<int> flat;    // columns whose own name leads here
  std::vector<int> nested;  // columns whose path leads here; a value by name goes before
  int only = -1;        // the one column that wants something, if it takes text by its name alone
  int number = 0;       // of the node, among all
  bool dotted = false;  // a column of `flat` is somewhere in `nested`, too

  const Node* Child(std::string_view key) const {
    const auto found = children.find(key);
    return found == children.end() ? nullptr : found->second.get();
  }
  Node* Make(const std::string& key) {
    auto& child = children[key];
    if (child == nullptr) child = std::make_unique<Node>();
    return child.get();
  }
  void Finish(const std::vector<Takes>& takes, int* count) {
    number = (*count)++;
    if (flat.size() == 1 && nested.empty() && takes[static_cast<size_t>(flat[0])] == Takes::kText &&
        !dotted) {
      only = flat[0];
    }
    for (auto& [key, child] : children) child->Finish(takes, count);
  }
};

Result<JsonPaths> JsonPaths::Make(const std::vector<ReadColumn>& columns) {
  JsonPaths paths;
  paths.root_ = std::make_shared<Node>();
  for (size_t i = 0; i < columns.size(); ++i) {
    const ReadColumn& column = columns[i];
    const TypeId type = column.column.type.id;
    paths.takes_.push_back(type == TypeId::kJson || type == TypeId::kJsonb ? Takes::kJson
                           : type == TypeId::kArray                        ? Takes::kList
                                                                           : Takes::kText);
    const std::string& name =
        column.outside_name.empty() ? column.column.name : column.outside_name;
    const bool by_path = !column.path.empty();
    if (by_path && !column.path.starts_with('$')) {
      return SqlStatus(fmt::format("path \"{}\" of column \"{}\" does not begin with \"$\"",
                                   column.path, column.column.name),
                       {.sqlstate = "22023"});
    }
    const auto steps = JsonSteps(by_path ? column.path : name);
    const bool dotted = steps.size() > 1;  // a name that may be a path, too
    if (!by_path) {
      Node* const flat = paths.root_->Make(name);
      flat->flat.push_back(static_cast<int>(i));
      flat->dotted |= dotted;
    }
    if (!by_path && !dotted) continue;
    Node* node = paths.root_.get();
    for (const auto& step : steps) node = node->Make(step);
    node->nested.push_back(static_cast<int>(i));
  }
  paths.nodes_ = 0;
  paths.root_->Finish(paths.takes_, &paths.nodes_);
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
  std::vector<std::vector<RawField>>* columns = nullptr;
  size_t row = 0;
  struct Seen {
    std::string key;  // as it stands between the quotes
    const Node* child;
  };
  std::vector<std::vector<Seen>> seen;  // by node: the keys in the order in which they came
  std::vector<bool> by_name;            // columns whose value came by their own name
  std::string scratch, key;
  std::string error;  // beyond what the scanner finds

  State(const JsonPaths& the_paths, TextArena* the_arena)
      : paths(the_paths), arena(the_arena), seen(static_cast<size_t>(the_paths.nodes())) {}

  // A value without a data pointer is null. The value's JSON, and its text.
  void Put(const Node& node, RawField text, std::string_view json) {
    if (node.only >= 0) {
      (*columns)[static_cast<size_t>(node.only)][row] = text;
      return;
    }
    const auto put = [&](int column) {
      RawField& value = (*columns)[static_cast<size_t>(column)][row];
      value = text;
      if (text.data == nullptr) return;
      if (paths.takes(column) == JsonPaths::Takes::kJson) value = {json.data(), json.size()};
      if (paths.takes(column) == JsonPaths::Takes::kList && json.starts_with('[')) {
        value = ListText(json);
      }
    };
    for (const int column : node.flat) {
      by_name[static_cast<size_t>(column)] = true;
      put(column);
    }
    for (const int column : node.nested) {
      if (!by_name[static_cast<size_t>(column)]) put(column);
    }
  }

  RawField ListText(std::string_view json) {
    JsonScanner scanner(json);
    scanner.Peek();
    std::string list;
    if (!AppendArrayText(&scanner, &list)) list = json;
    const std::string_view kept = arena->Copy(list);
    return {kept.data(), kept.size()};
  }

  static bool Wanted(const Node& node) { return !(node.flat.empty() && node.nested.empty()); }

  bool VisitString(JsonScanner* scanner, const Node& node) {
    std::string_view inside;
    if (!scanner->String(&inside)) return false;
    if (!Wanted(node)) return true;
    const std::string_view json(inside.data() - 1, inside.size() + 2);
    if (inside.find('\\') != inside.npos) {
      if (UnescapeJson(inside, &scratch)) {
        inside = arena->Copy(scratch);
      } else if (!OnlyRaw(node)) {
        error = "unsupported Unicode escape sequence";
        return false;
      }
    }
    Put(node, {inside.data(), inside.size()}, json);
    return true;
  }

  bool OnlyRaw(const Node& node) const {
    const auto raw = [this](int column) { return paths.takes(column) == JsonPaths::Takes::kJson; };
    return std::all_of(node.flat.begin(), node.flat.end(), raw) &&
           std::all_of(node.nested.begin(), node.nested.end(), raw);
  }

  bool VisitScalar(JsonScanner* scanner, JsonKind kind, const Node& node) {
    std::string_view token;
    if (!scanner->Scalar(&token)) return false;
    if (!Wanted(node)) return true;
    const bool null = kind == JsonKind::kNull;
    Put(node, null ? RawField{nullptr, 0} : RawField{token.data(), token.size()}, token);
    return true;
  }

  // An object or array that somebody wants something of: as a whole, and then what is inside.
  bool VisitContainer(JsonScanner* scanner, JsonKind kind, const Node& node) {
    if (Wanted(node)) {
      JsonScanner ahead = *scanner;
      std::string_view json;
      if (!ahead.Skip(&json)) return scanner->Skip(&json);
      Put(node, {json.data(), json.size()}, json);
    }
    scanner->Enter();
    return kind == JsonKind::kObject ? VisitFields(scanner, node) : VisitElements(scanner, node);
  }

  bool VisitFields(JsonScanner* scanner, const Node& node) {
    std::vector<Seen>& known = seen[static_cast<size_t>(node.number)];
    size_t next = 0;  // the place in `known` where the next key is expected
    const Node* child = nullptr;
    for (bool first = true; NextField(scanner, first, node, &known, &next, &child); first = false) {
      if (!Visit(scanner, child)) return false;
    }
    return scanner->ok();
  }

  bool NextField(JsonScanner* scanner, bool first, const Node& node, std::vector<Seen>* known,
                 size_t* next, const Node** child) {
    const size_t end = std::min(*next + kKeysAhead, known->size());
    for (size_t i = *next; i < end; ++i) {
      if (!scanner->NextKeyIs(first, (*known)[i].key)) continue;
      *next = i + 1;
      *child = (*known)[i].child;
      return true;
    }
    std::string_view name;
    if (!scanner->NextKey(first, &name)) return false;
    const std::string_view raw = name;
    if (name.find('\\') != name.npos && UnescapeJson(name, &key)) name = key;
    *child = node.Child(name);
    // What comes at no fixed place pushes the others about: the table is small, and begun anew.
    if (known->size() < kKeysMax) {
      known->insert(known->begin() + static_cast<ptrdiff_t>(*next), {std::string(raw), *child});
      ++*next;
    } else {
      known->clear();
      *next = 0;
    }
    return true;
  }

  bool VisitElements(JsonScanner* scanner, const Node& node) {
    int64_t index = 0;
    for (bool first = true; scanner->NextElement(first); first = false) {
      if (!Visit(scanner, node.Child(fmt::format("[{}]", index++)))) return false;
    }
    return scanner->ok();
  }

  bool Visit(JsonScanner* scanner, const Node* node) {
    std::string_view ignored;
    const JsonKind kind = scanner->Peek();
    if (node == nullptr) return scanner->Skip(&ignored);
    if (kind == JsonKind::kString) return VisitString(scanner, *node);
    if (kind != JsonKind::kObject && kind != JsonKind::kArray) {
      return VisitScalar(scanner, kind, *node);
    }
    if (node->children.empty() && !Wanted(*node)) return scanner->Skip(&ignored);
    return VisitContainer(scanner, kind, *node);
  }

  bool Document(JsonScanner* scanner) {
    if (scanner->Peek() != JsonKind::kObject) {
      std::string_view value;
      if (scanner->Skip(&value) && scanner->AtEnd()) error = "A row must be a JSON object.";
      return false;
    }
    scanner->Enter();
    return VisitFields(scanner, paths.root()) && scanner->AtEnd();
  }
};

JsonWalker::JsonWalker(const JsonPaths& paths, TextArena* arena)
    : state_(std::make_unique<State>(paths, arena)) {}
JsonWalker::~JsonWalker() = default;

std::string JsonWalker::Walk(std::string_view text, size_t row,
                             std::vector<std::vector<RawField>>* columns) {
  state_->columns = columns;
  state_->row = row;
  state_->by_name.assign(columns->size(), false);
  state_->error.clear();
  JsonScanner scanner(text);
  if (state_->Document(&scanner)) return {};
  for (auto& column : *columns) column[row] = {};
  if (scanner.ok() && state_->error.starts_with("unsupported")) return state_->error;
  return "invalid input syntax for type json: " + (scanner.ok() ? state_->error : scanner.error());
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
