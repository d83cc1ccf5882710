#include "func/resolve.h"

#include <algorithm>

#include "base/edit_distance.h"
#include "func/function.h"

namespace leat {
namespace {

using Candidates = std::vector<std::vector<Type>>;

bool Accepts(const Type& parameter, const Type& arg) {
  if (parameter.id == TypeId::kUnknown) {
    return parameter.length != kNonArray || arg.id != TypeId::kArray;
  }
  if (parameter.id == TypeId::kArray && parameter.element->id == TypeId::kUnknown) {
    return arg.id == TypeId::kArray || arg.id == TypeId::kUnknown;
  }
  if (IsAnyEnum(parameter)) return arg.id == TypeId::kEnum || arg.id == TypeId::kUnknown;
  return CanCast(arg, parameter, CastContext::kImplicit);
}

bool AcceptsAll(const std::vector<Type>& parameters, std::span<const Type> args) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (!Accepts(parameters[i], args[i])) return false;
  }
  return true;
}

TypeCategory ParameterCategory(const Type& parameter) {
  return parameter.id == TypeId::kUnknown || IsAnyEnum(parameter) ? TypeCategory::kPolymorphic
                                                                  : CategoryOf(parameter);
}

// Keeps the candidates with the highest score.
template <typename Score>
void KeepBest(const Candidates& candidates, std::vector<int>* left, Score score) {
  int best = -1;
  std::vector<int> kept;
  for (const int i : *left) {
    const int points = score(candidates[static_cast<size_t>(i)]);
    if (points < best) continue;
    if (points > best) kept.clear();
    best = points;
    kept.push_back(i);
  }
  *left = std::move(kept);
}

struct Slot {
  TypeCategory category = TypeCategory::kUnknown;
  bool preferred = false;  // some candidate takes the category's preferred type here
  bool conflict = false;
};

// What the candidates agree that an untyped literal at `at` is; strings win.
Slot SlotOf(const Candidates& candidates, const std::vector<int>& left, size_t at) {
  Slot slot;
  for (const int i : left) {
    const Type& type = candidates[static_cast<size_t>(i)][at];
    const TypeCategory category = ParameterCategory(type);
    if (slot.category == TypeCategory::kUnknown) {
      slot = {category, IsPreferred(type), false};
    } else if (category == slot.category) {
      slot.preferred |= IsPreferred(type);
    } else if (category == TypeCategory::kString) {
      slot.category = category;
      slot.preferred = IsPreferred(type);
    } else {
      slot.conflict = true;
    }
  }
  if (slot.category == TypeCategory::kString) slot.conflict = false;
  return slot;
}

// Drops the candidates that do not take what the untyped literals are thought to be.
void ResolveUnknowns(const Candidates& candidates, std::span<const Type> args,
                     std::vector<int>* left) {
  std::vector<Slot> slots(args.size());
  for (size_t at = 0; at < args.size(); ++at) {
    if (args[at].id != TypeId::kUnknown) continue;
    slots[at] = SlotOf(candidates, *left, at);
    if (slots[at].conflict) return;
  }
  std::vector<int> kept;
  for (const int i : *left) {
    bool keep = true;
    for (size_t at = 0; at < args.size(); ++at) {
      if (args[at].id != TypeId::kUnknown) continue;
      const Type& type = candidates[static_cast<size_t>(i)][at];
      keep &= ParameterCategory(type) == slots[at].category &&
              (!slots[at].preferred || IsPreferred(type));
    }
    if (keep) kept.push_back(i);
  }
  if (!kept.empty()) *left = std::move(kept);
}

// The one type that all typed arguments have, or kUnknown.
Type OnlyKnownType(std::span<const Type> args) {
  Type known;
  for (const Type& arg : args) {
    if (arg.id == TypeId::kUnknown) continue;
    if (known.id != TypeId::kUnknown && !SameKind(known, arg)) return {};
    known = arg;
  }
  return known;
}

}  // namespace

int SelectCandidate(const std::vector<std::vector<Type>>& candidates, std::span<const Type> args) {
  std::vector<int> left;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (AcceptsAll(candidates[i], args)) left.push_back(static_cast<int>(i));
  }
  if (left.empty()) return -1;
  const auto exact = [&](const std::vector<Type>& candidate, size_t at) {
    return args[at].id != TypeId::kUnknown && SameKind(candidate[at], args[at]);
  };
  KeepBest(candidates, &left, [&](const std::vector<Type>& candidate) {
    int points = 0;
    for (size_t at = 0; at < args.size(); ++at) points += exact(candidate, at) ? 1 : 0;
    return points;
  });
  if (left.size() == 1) return left[0];
  KeepBest(candidates, &left, [&](const std::vector<Type>& candidate) {
    int points = 0;
    for (size_t at = 0; at < args.size(); ++at) {
      if (args[at].id == TypeId::kUnknown) continue;
      const bool preferred =
          IsPreferred(candidate[at]) && CategoryOf(candidate[at]) == CategoryOf(args[at]);
      points += exact(candidate, at) || preferred ? 1 : 0;
    }
    return points;
  });
  if (left.size() == 1) return left[0];
  ResolveUnknowns(candidates, args, &left);
  if (left.size() == 1) return left[0];
  const Type known = OnlyKnownType(args);
  if (known.id == TypeId::kUnknown) return -2;
  const std::vector<Type> assumed(args.size(), known);
  int found = -2;
  for (const int i : left) {
    if (!AcceptsAll(candidates[static_cast<size_t>(i)], assumed)) continue;
    if (found >= 0) return -2;
    found = i;
  }
  return found;
}

std::string NearestName(std::string_view name, std::span<const std::string_view> names) {
  std::string nearest;
  size_t best = name.size() / 3 + 1;  // further than this is another word
  for (const std::string_view other : names) {
    const size_t distance = EditDistance(name, other);
    if (distance >= best) continue;
    best = distance;
    nearest = other;
  }
  return nearest;
}

}  // namespace leat
