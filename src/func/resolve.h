// What resolution knows about types (PostgreSQL's pg_type.typcategory); private to func.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/type.h"

namespace leat {

enum class TypeCategory : uint8_t {
  kUnknown,
  kPolymorphic,  // a parameter that takes any type
  kBoolean,
  kNumber,
  kString,
  kDateTime,
  kTimespan,
  kArray,
  kEnum,
  kUser,
};

TypeCategory CategoryOf(const Type& type);
// The type of its category that wins where several would do.
bool IsPreferred(const Type& type);
// A parameter that takes every enum.
inline bool IsAnyEnum(const Type& type) { return type.id == TypeId::kEnum && !type.labels; }
// The same type, whatever the modifiers.
bool SameKind(const Type& a, const Type& b);
// Its name without modifiers, as errors print it.
std::string PlainTypeName(const Type& type);

// PostgreSQL's func_select_candidate over parameter lists, each already expanded to `args.size()`
// types, where kUnknown takes any type. Gives the index of the best, -1 if none accepts the
// arguments, -2 if several are as good.
int SelectCandidate(const std::vector<std::vector<Type>>& candidates, std::span<const Type> args);

// The name among `names` nearest to `name`, or "" if none is near.
std::string NearestName(std::string_view name, std::span<const std::string_view> names);

}  // namespace leat
