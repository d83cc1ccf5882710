// jsonb changed at a path: jsonb_set, jsonb_insert, #-; and pretty printing.
#include <charconv>
#include <functional>

#include "data/text_internal.h"
#include "func/families.h"
#include "func/json_scan.h"
#include "func/list.h"
#include "func/spec.h"

namespace leat {
namespace {

using enum TypeId;

// What is done at the end of a path.
enum class Edit : uint8_t { kReplace, kReplaceOrAdd, kInsertBefore, kInsertAfter, kDelete };

struct PathStep {
  std::string_view text;
  bool null = false;
};

struct PathEdit {
  const std::vector<PathStep>& path;
  Edit edit = Edit::kReplace;
  std::string_view value;
};

Status BadElement(size_t step, std::string_view text) {
  return SqlStatus(
      fmt::format("path element at position {} is not an integer: \"{}\"", step + 1, text),
      {.sqlstate = kInvalidText});
}

Status ApplyEdit(std::string_view json, size_t step, const PathEdit& change, std::string* out);

// The members of an object, the one that the path names changed.
Status ApplyToObject(std::string_view json, size_t step, const PathEdit& change, std::string* out) {
  const std::string_view name = change.path[step].text;
  const bool last = step + 1 == change.path.size();
  const bool inserts = change.edit == Edit::kInsertBefore || change.edit == Edit::kInsertAfter;
  Status status;
  bool found = false;
  bool first = true;
  const auto begin = [&](std::string_view key) {
    *out += first ? "" : ",";
    first = false;
    *out += key;
    *out += ':';
  };
  *out += '{';
  EachJsonMember(json, [&](std::string_view key, std::string_view value) {
    if (JsonUnquoted(key) != name) {
      begin(key);
      *out += value;
      return true;
    }
    found = true;
    if (last && inserts) {
      status = SqlStatus(
          "cannot replace existing key",
          {.sqlstate = "22023", .hint = "Try using the function jsonb_set to replace key value."});
      return false;
    }
    if (last && change.edit == Edit::kDelete) return true;
    begin(key);
    if (last) {
      *out += change.value;
    } else {
      status = ApplyEdit(value, step + 1, change, out);
    }
    return status.ok();
  });
  LEAT_RETURN(status);
  if (!found && last && change.edit != Edit::kReplace && change.edit != Edit::kDelete) {
    std::string key;
    AppendJsonQuoted(name, &key);
    begin(key);
    *out += change.value;
  }
  *out += '}';
  return Status::OK();
}

int64_t CountOf(std::string_view json) {
  int64_t length = 0;
  EachJsonElement(json, [&](std::string_view) { return ++length > 0; });
  return length;
}

// What stands in the place of an element at the end of the path.
void ReplaceElement(std::string_view value, const PathEdit& change,
                    const std::function<void(std::string_view)>& put) {
  if (change.edit == Edit::kInsertBefore) put(change.value);
  const bool replaced = change.edit == Edit::kReplace || change.edit == Edit::kReplaceOrAdd;
  if (replaced) put(change.value);
  if (!replaced && change.edit != Edit::kDelete) put(value);
  if (change.edit == Edit::kInsertAfter) put(change.value);
}

Status ApplyToArray(std::string_view json, size_t step, const PathEdit& change, std::string* out) {
  const std::string_view text = change.path[step].text;
  int64_t place = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place);
  if (error != std::errc() || end != text.data() + text.size()) return BadElement(step, text);
  const bool last = step + 1 == change.path.size();
  const int64_t length = CountOf(json);
  if (place < 0) place += length;
  const bool adds = last && change.edit != Edit::kReplace && change.edit != Edit::kDelete;
  bool first = true;
  const auto put = [&](std::string_view value) {
    *out += first ? "" : ",";
    first = false;
    *out += value;
  };
  Status status;
  int64_t at = 0;
  *out += '[';
  if (adds && place < 0) put(change.value);  // before the beginning
  EachJsonElement(json, [&](std::string_view value) {
    if (at++ != place) {
      put(value);
    } else if (last) {
      ReplaceElement(value, change, put);
    } else {
      std::string inner;
      status = ApplyEdit(value, step + 1, change, &inner);
      put(inner);
    }
    return status.ok();
  });
  if (adds && place >= length) put(change.value);  // behind the end
  *out += ']';
  return status;
}

Status ApplyEdit(std::string_view json, size_t step, const PathEdit& change, std::string* out) {
  const char kind = JsonKindOf(json);
  if (kind != '{' && kind != '[') {
    *out += json;
    return Status::OK();
  }
  if (change.path[step].null) {
    return SqlStatus(fmt::format("path element at position {} is null", step + 1),
                     {.sqlstate = "22004"});
  }
  return kind == '{' ? ApplyToObject(json, step, change, out)
                     : ApplyToArray(json, step, change, out);
}

std::vector<PathStep> PathStepsOf(const Lists& paths, int64_t row) {
  const auto& texts = static_cast<const arrow::StringArray&>(*paths.values());
  std::vector<PathStep> steps;
  for (int64_t i = paths.begin(row); i < paths.end(row); ++i) {
    steps.push_back(texts.IsNull(i) ? PathStep{.null = true} : PathStep{.text = texts.GetView(i)});
  }
  return steps;
}

// The edit of each row; the last argument of jsonb_set and jsonb_insert is a flag.
Result<ArrayPtr> EditRows(const Call& call, Arguments args, Edit plain, Edit flagged,
                          std::string_view scalar_error) {
  const Texts json(args[0]);
  const Lists paths(args[1]);
  const size_t flag_at = args.size() - 1;
  return MapRowsToText(call, args, [&](int64_t row, std::string* out) {
    const std::string_view value = json[row];
    const char kind = JsonKindOf(value);
    if (kind != '{' && kind != '[') {
      call.errors->Set(row, "22023", std::string(scalar_error));
      return;
    }
    const auto path = PathStepsOf(paths, row);
    const bool flag = args.size() > 3 && Bools(args[flag_at])[row];
    const PathEdit change{path, flag ? flagged : plain,
                          args.size() > 2 ? Texts(args[2])[row] : std::string_view()};
    std::string changed(value), normal;
    if (!path.empty()) {
      changed.clear();
      if (const Status status = ApplyEdit(value, 0, change, &changed); !status.ok()) {
        SetError(call, row, status);
        return;
      }
    }
    const Status status = text_internal::ParseJson(changed, "json", &normal);
    if (!status.ok()) SetError(call, row, status);
    *out += normal;
  });
}

Result<ArrayPtr> SetAt(const Call& call, Arguments args) {
  const bool given = args.size() > 3;
  return EditRows(call, args, given ? Edit::kReplace : Edit::kReplaceOrAdd, Edit::kReplaceOrAdd,
                  "cannot set path in scalar");
}

Result<ArrayPtr> InsertAt(const Call& call, Arguments args) {
  return EditRows(call, args, Edit::kInsertBefore, Edit::kInsertAfter, "cannot set path in scalar");
}

Result<ArrayPtr> DeleteAt(const Call& call, Arguments args) {
  return EditRows(call, args, Edit::kDelete, Edit::kDelete, "cannot delete path in scalar");
}

void AppendPretty(std::string_view json, int depth, std::string* out) {
  const char kind = JsonKindOf(json);
  if (kind != '{' && kind != '[') {
    *out += json;
    return;
  }
  bool first = true;
  const auto line = [&](int at) {
    *out += '\n';
    out->append(static_cast<size_t>(at) * 4, ' ');
  };
  const auto begin = [&] {
    if (!first) *out += ',';
    first = false;
    line(depth + 1);
  };
  *out += kind;
  if (kind == '[') {
    EachJsonElement(json, [&](std::string_view value) {
      begin();
      AppendPretty(value, depth + 1, out);
      return true;
    });
  } else {
    EachJsonMember(json, [&](std::string_view key, std::string_view value) {
      begin();
      *out += fmt::format("{}: ", key);
      AppendPretty(value, depth + 1, out);
      return true;
    });
  }
  line(depth);
  *out += kind == '[' ? ']' : '}';
}

Result<ArrayPtr> Pretty(const Call& call, Arguments args) {
  const Texts json(args[0]);
  return MapRowsToText(call, args,
                       [&](int64_t row, std::string* out) { AppendPretty(json[row], 0, out); });
}

}  // namespace

void AddJsonEditFunctions(std::vector<Function>* out) {
  const Type path = Type::Array(kText);
  const auto add = [&](const char* name, std::vector<Type> args, Kernel kernel,
                       const Documentation& documentation) {
    out->push_back(Spec(name, std::move(args), kJsonb, kernel, documentation));
  };
  add("jsonb_set", {kJsonb, path, kJsonb}, SetAt,
      {"With another value at a path", "jsonb_set('[{\"f1\":1},2]', '{0,f1}', '3')",
       "[{\"f1\": 3}, 2]"});
  add("jsonb_set", {kJsonb, path, kJsonb, kBool}, SetAt,
      {"With another value at a path, which is added if it lacks and the last argument is true",
       "jsonb_set('{\"a\":1}', '{b}', '2', false)", "{\"a\": 1}"});
  add("jsonb_insert", {kJsonb, path, kJsonb}, InsertAt,
      {"With a value more at a path", "jsonb_insert('{\"a\": [0,1]}', '{a,1}', '\"x\"')",
       "{\"a\": [0, \"x\", 1]}"});
  add("jsonb_insert", {kJsonb, path, kJsonb, kBool}, InsertAt,
      {"With a value more at a path, or behind it",
       "jsonb_insert('{\"a\": [0,1]}', '{a,1}', '\"x\"', true)", "{\"a\": [0, 1, \"x\"]}"});
  add("#-", {kJsonb, path}, DeleteAt,
      {"Without what lies at a path", "'[\"a\", {\"b\":1}]'::jsonb #- '{1,b}'", "[\"a\", {}]"});
  out->push_back(Spec("jsonb_pretty", {kJsonb}, kText, Pretty,
                      {"Written over several lines", "jsonb_pretty('[1]')", "[\n    1\n]"}));
}

}  // namespace leat
