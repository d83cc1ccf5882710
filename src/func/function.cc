#include "func/function.h"

#include <algorithm>
#include <unordered_map>

#include "func/date_format.h"
#include "func/families.h"
#include "func/format_text.h"
#include "func/regex.h"
#include "func/resolve.h"

namespace leat {
namespace {

std::vector<Function> MakeFunctions() {
  std::vector<Function> all;
  AddComparisonFunctions(&all);
  AddConditionalFunctions(&all);
  AddArithmeticFunctions(&all);
  AddNumericFunctions(&all);
  AddMathFunctions(&all);
  AddDateArithmeticFunctions(&all);
  AddDateFunctions(&all);
  AddDateTruncFunctions(&all);
  AddDateExtractFunctions(&all);
  AddStringFunctions(&all);
  AddStringEditFunctions(&all);
  AddPatternFunctions(&all);
  AddConcatFunctions(&all);
  AddArrayFunctions(&all);
  AddArraySearchFunctions(&all);
  AddSetFunctions(&all);
  AddJsonFunctions(&all);
  AddJsonBuildFunctions(&all);
  AddEncodingFunctions(&all);
  AddRegexFunctions(&all);
  AddDateFormatFunctions(&all);
  AddDateParseFunctions(&all);
  AddFormatFunctions(&all);
  AddNumberFunctions(&all);
  AddNumberFormatFunctions(&all);
  AddBitFunctions(&all);
  AddAngleFunctions(&all);
  AddByteFunctions(&all);
  AddEnumFunctions(&all);
  AddDomainFunctions(&all);
  AddSequenceFunctions(&all);
  AddJsonEditFunctions(&all);
  AddJsonSetFunctions(&all);
  return all;
}

const std::vector<Function>& Functions() {
  static const std::vector<Function> kFunctions = MakeFunctions();
  return kFunctions;
}

using ByName = std::unordered_map<std::string_view, std::vector<const Function*>>;

const ByName& FunctionsByName() {
  static const ByName kByName = [] {
    ByName by_name;
    for (const Function& function : Functions()) by_name[function.name].push_back(&function);
    return by_name;
  }();
  return kByName;
}

// The parameters of a call with `count` arguments; false if it cannot have so many.
bool Expand(const Function& function, size_t count, std::vector<Type>* parameters) {
  const size_t declared = function.args.size();
  if (function.variadic ? count + 1 < declared : count != declared) return false;
  parameters->clear();
  for (size_t i = 0; i < count; ++i) {
    parameters->push_back(function.args[std::min(i, declared - 1)]);
  }
  return true;
}

std::string TypeList(std::span<const Type> args) {
  std::string text;
  for (const Type& arg : args) {
    if (!text.empty()) text += ", ";
    text += PlainTypeName(arg);
  }
  return text;
}

bool IsPolymorphic(const Type& parameter) {
  if (parameter.id == TypeId::kArray) return IsPolymorphic(*parameter.element);
  return parameter.id == TypeId::kUnknown || IsAnyEnum(parameter);
}

// What each argument is cast to: itself where it is the parameter's type already (with its
// modifier) or where any type will do.
Result<std::vector<Type>> ArgTypes(const Function& function, const std::vector<Type>& parameters,
                                   std::span<const Type> args, int location) {
  std::vector<Type> types;
  Type common;
  if (function.common) {
    std::string construct = function.name;
    std::transform(construct.begin(), construct.end(), construct.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    std::vector<Type> agreeing;
    for (size_t i = 0; i < args.size(); ++i) {
      if (!IsPolymorphic(parameters[i])) continue;
      const bool list = parameters[i].id == TypeId::kArray && args[i].id == TypeId::kArray;
      if (parameters[i].id == TypeId::kArray && !list) continue;
      agreeing.push_back(list ? *args[i].element : args[i]);
    }
    LEAT_ASSIGN(common, CommonType(agreeing, construct, location));
  }
  for (size_t i = 0; i < args.size(); ++i) {
    if (!IsPolymorphic(parameters[i])) {
      types.push_back(SameKind(parameters[i], args[i]) ? args[i] : parameters[i]);
    } else if (function.common) {
      types.push_back(parameters[i].id == TypeId::kArray ? Type::Array(common) : common);
    } else {
      types.push_back(args[i].id == TypeId::kUnknown ? Type(TypeId::kText) : args[i]);
    }
  }
  return types;
}

Result<Resolved> Finish(const Function& function, const std::vector<Type>& parameters,
                        std::span<const Type> args, int location) {
  Resolved resolved{.function = &function};
  LEAT_ASSIGN(resolved.args, ArgTypes(function, parameters, args, location));
  resolved.result = function.result;
  if (function.resolve != nullptr) {
    LEAT_ASSIGN(resolved.result, function.resolve(resolved.args));
  }
  return resolved;
}

std::string OperatorText(std::string_view name, std::span<const Type> args) {
  if (args.size() == 1) return fmt::format("{} {}", name, PlainTypeName(args[0]));
  return fmt::format("{} {} {}", PlainTypeName(args[0]), name, PlainTypeName(args[1]));
}

Status DoesNotExist(std::string_view name, std::span<const Type> args, bool is_operator,
                    int location) {
  SqlError error{.sqlstate = kUndefinedFunction, .location = location};
  if (is_operator) {
    error.hint = args.size() == 1
                     ? "No operator matches the given name and argument type. You might need to "
                       "add an explicit type cast."
                     : "No operator matches the given name and argument types. You might need to "
                       "add explicit type casts.";
    return SqlStatus("operator does not exist: " + OperatorText(name, args), std::move(error));
  }
  error.hint =
      "No function matches the given name and argument types. You might need to add explicit type "
      "casts.";
  if (!FunctionsByName().contains(name)) {
    std::vector<std::string_view> names;
    for (const auto& [known, overloads] : FunctionsByName()) {
      if (!overloads[0]->is_operator() && known.find(' ') == known.npos) names.push_back(known);
    }
    std::sort(names.begin(), names.end());
    const std::string nearest = NearestName(name, names);
    if (!nearest.empty()) error.hint = fmt::format("Perhaps you meant \"{}\".", nearest);
  }
  return SqlStatus(fmt::format("function {}({}) does not exist", name, TypeList(args)),
                   std::move(error));
}

Status NotUnique(std::string_view name, std::span<const Type> args, bool is_operator,
                 int location) {
  const std::string_view what = is_operator ? "operator" : "function";
  const std::string text = is_operator
                               ? "operator is not unique: " + OperatorText(name, args)
                               : fmt::format("function {}({}) is not unique", name, TypeList(args));
  return SqlStatus(text, {.sqlstate = "42725",
                          .location = location,
                          .hint = fmt::format("Could not choose a best candidate {}. You might "
                                              "need to add explicit type casts.",
                                              what)});
}

struct Overloads {
  std::vector<const Function*> functions;
  std::vector<std::vector<Type>> parameters;
};

Overloads OverloadsOf(std::string_view name, size_t count) {
  Overloads overloads;
  std::vector<Type> parameters;
  for (const Function* function : FindFunctions(name)) {
    if (!Expand(*function, count, &parameters)) continue;
    overloads.functions.push_back(function);
    overloads.parameters.push_back(parameters);
  }
  return overloads;
}

// The overload that takes just these types, or -1.
int ExactMatch(const Overloads& overloads, std::span<const Type> args) {
  for (size_t i = 0; i < overloads.parameters.size(); ++i) {
    if (std::equal(args.begin(), args.end(), overloads.parameters[i].begin(), SameKind)) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

Result<Resolved> Choose(const Overloads& overloads, std::string_view name,
                        std::span<const Type> args, bool is_operator, int location) {
  int chosen = -1;
  const bool typed = std::none_of(args.begin(), args.end(),
                                  [](const Type& arg) { return arg.id == TypeId::kUnknown; });
  if (typed) chosen = ExactMatch(overloads, args);
  if (chosen < 0) chosen = SelectCandidate(overloads.parameters, args);
  if (chosen == -1) return DoesNotExist(name, args, is_operator, location);
  if (chosen == -2) return NotUnique(name, args, is_operator, location);
  const auto at = static_cast<size_t>(chosen);
  return Finish(*overloads.functions[at], overloads.parameters[at], args, location);
}

}  // namespace

bool Function::is_operator() const {
  const char first = name.empty() ? 'x' : name[0];
  return std::string_view("+-*/<>=~!@#%^&|`?").find(first) != std::string_view::npos ||
         name == "not";
}

std::span<const Function> AllFunctions() { return Functions(); }

std::vector<const Function*> FindFunctions(std::string_view name) {
  const auto found = FunctionsByName().find(name);
  return found == FunctionsByName().end() ? std::vector<const Function*>{} : found->second;
}

Result<Resolved> ResolveFunction(std::string_view name, std::span<const Type> args, int location) {
  return Choose(OverloadsOf(name, args.size()), name, args, false, location);
}

Result<Resolved> ResolveOperator(std::string_view symbol, std::span<const Type> args,
                                 int location) {
  if (symbol == "!=") symbol = "<>";
  const Overloads overloads = OverloadsOf(symbol, args.size());
  if (args.size() == 2 && (args[0].id == TypeId::kUnknown) != (args[1].id == TypeId::kUnknown)) {
    // An untyped literal is first thought to be what stands at the other side.
    const Type& known = args[0].id == TypeId::kUnknown ? args[1] : args[0];
    const Type assumed[] = {known, known};
    const int chosen = ExactMatch(overloads, assumed);
    if (chosen >= 0) {
      const auto at = static_cast<size_t>(chosen);
      const Type bare = known.id == TypeId::kArray ? known : known.Bare();
      const Type types[] = {args[0].id == TypeId::kUnknown ? bare : known,
                            args[1].id == TypeId::kUnknown ? bare : known};
      return Finish(*overloads.functions[at], overloads.parameters[at], types, location);
    }
    if (known.id == TypeId::kArray) {
      const int fits = SelectCandidate(overloads.parameters, assumed);
      if (fits >= 0) {
        const auto at = static_cast<size_t>(fits);
        return Finish(*overloads.functions[at], overloads.parameters[at], assumed, location);
      }
    }
  }
  const bool enums = args.size() == 2 && args[0].labels && args[1].labels;
  if (enums && !SameKind(args[0], args[1])) return DoesNotExist(symbol, args, true, location);
  return Choose(overloads, symbol, args, true, location);
}

}  // namespace leat
