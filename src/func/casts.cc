// Which type becomes which: pg_cast's table, the I/O conversions, and the rule for branches.
#include <array>

#include "func/function.h"
#include "func/resolve.h"

namespace leat {
namespace {

struct CastRow {
  TypeId from;
  TypeId to;
  CastContext context;  // the weakest in which it is made
};

using enum TypeId;
constexpr CastContext kI = CastContext::kImplicit;
constexpr CastContext kA = CastContext::kAssignment;
constexpr CastContext kE = CastContext::kExplicit;

constexpr std::array kCasts = {
    CastRow{kInt2, kInt4, kI},
    CastRow{kInt2, kInt8, kI},
    CastRow{kInt2, kNumeric, kI},
    CastRow{kInt2, kFloat4, kI},
    CastRow{kInt2, kFloat8, kI},
    CastRow{kInt4, kInt2, kA},
    CastRow{kInt4, kInt8, kI},
    CastRow{kInt4, kNumeric, kI},
    CastRow{kInt4, kFloat4, kI},
    CastRow{kInt4, kFloat8, kI},
    CastRow{kInt4, kBool, kE},
    CastRow{kInt8, kInt2, kA},
    CastRow{kInt8, kInt4, kA},
    CastRow{kInt8, kNumeric, kI},
    CastRow{kInt8, kFloat4, kI},
    CastRow{kInt8, kFloat8, kI},
    CastRow{kNumeric, kInt2, kA},
    CastRow{kNumeric, kInt4, kA},
    CastRow{kNumeric, kInt8, kA},
    CastRow{kNumeric, kFloat4, kI},
    CastRow{kNumeric, kFloat8, kI},
    CastRow{kFloat4, kInt2, kA},
    CastRow{kFloat4, kInt4, kA},
    CastRow{kFloat4, kInt8, kA},
    CastRow{kFloat4, kNumeric, kA},
    CastRow{kFloat4, kFloat8, kI},
    CastRow{kFloat8, kInt2, kA},
    CastRow{kFloat8, kInt4, kA},
    CastRow{kFloat8, kInt8, kA},
    CastRow{kFloat8, kNumeric, kA},
    CastRow{kFloat8, kFloat4, kA},
    CastRow{kBool, kInt4, kE},
    CastRow{kText, kChar, kI},
    CastRow{kText, kVarchar, kI},
    CastRow{kVarchar, kText, kI},
    CastRow{kVarchar, kChar, kI},
    CastRow{kChar, kText, kI},
    CastRow{kChar, kVarchar, kI},
    CastRow{kDate, kTimestamp, kI},
    CastRow{kDate, kTimestamptz, kI},
    CastRow{kTimestamp, kDate, kA},
    CastRow{kTimestamp, kTime, kA},
    CastRow{kTimestamp, kTimestamptz, kI},
    CastRow{kTimestamptz, kDate, kA},
    CastRow{kTimestamptz, kTime, kA},
    CastRow{kTimestamptz, kTimestamp, kA},
    CastRow{kTime, kInterval, kI},
    CastRow{kInterval, kTime, kA},
    CastRow{kJson, kJsonb, kA},
    CastRow{kJsonb, kJson, kA},
    CastRow{kJsonb, kBool, kE},
    CastRow{kJsonb, kNumeric, kE},
    CastRow{kJsonb, kInt2, kE},
    CastRow{kJsonb, kInt4, kE},
    CastRow{kJsonb, kInt8, kE},
    CastRow{kJsonb, kFloat4, kE},
    CastRow{kJsonb, kFloat8, kE},
};

}  // namespace

bool SameKind(const Type& a, const Type& b) {
  if (a.id != b.id) return false;
  if (a.labels && b.labels) return a.labels->name == b.labels->name;
  return a.id != kArray || SameKind(*a.element, *b.element);
}

TypeCategory CategoryOf(const Type& type) {
  switch (type.id) {
    case kUnknown:
      return TypeCategory::kUnknown;
    case kBool:
      return TypeCategory::kBoolean;
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
    case kNumeric:
      return TypeCategory::kNumber;
    case kText:
    case kVarchar:
    case kChar:
      return TypeCategory::kString;
    case kDate:
    case kTime:
    case kTimestamp:
    case kTimestamptz:
      return TypeCategory::kDateTime;
    case kInterval:
      return TypeCategory::kTimespan;
    case kArray:
      return TypeCategory::kArray;
    case kEnum:
      return TypeCategory::kEnum;
    case kBytea:
    case kUuid:
    case kJson:
    case kJsonb:
      return TypeCategory::kUser;
  }
  return TypeCategory::kUser;
}

bool IsPreferred(const Type& type) {
  return type.id == kBool || type.id == kFloat8 || type.id == kText || type.id == kTimestamptz ||
         type.id == kInterval;
}

std::string PlainTypeName(const Type& type) { return TypeName(type.Bare()); }

bool CanCast(const Type& from, const Type& to, CastContext context) {
  if (SameKind(from, to) || from.id == kUnknown) return true;
  if (to.id == kUnknown) return false;
  if (from.id == kArray && to.id == kArray) return CanCast(*from.element, *to.element, context);
  for (const CastRow& row : kCasts) {
    if (row.from == from.id && row.to == to.id) return row.context <= context;
  }
  // Any value has a text, and any text may be read as a value: CREATE CAST … WITH INOUT.
  if (to.is_string()) return context >= CastContext::kAssignment;
  return from.is_string() && context == CastContext::kExplicit;
}

Result<Type> CommonType(std::span<const Type> types, std::string_view construct, int location) {
  Type common;
  for (const Type& type : types) {
    if (type.id == kUnknown || SameKind(type, common)) continue;
    if (common.id == kUnknown) {
      common = type;
    } else if (CategoryOf(type) != CategoryOf(common)) {
      return SqlStatus(fmt::format("{} types {} and {} cannot be matched", construct,
                                   PlainTypeName(common), PlainTypeName(type)),
                       {.sqlstate = kDatatypeMismatch, .location = location});
    } else if (!IsPreferred(common) && CanCast(common, type, CastContext::kImplicit) &&
               !CanCast(type, common, CastContext::kImplicit)) {
      common = type;
    }
  }
  if (common.id == kUnknown) return Type(kText);
  // A modifier survives only where all branches agree on it.
  for (const Type& type : types) {
    if (type.id != kArray && !(type == common) && common.id != kArray) common = common.Bare();
    if (type.id == kUnknown || CanCast(type, common, CastContext::kImplicit)) continue;
    return SqlStatus(fmt::format("{} could not convert type {} to {}", construct,
                                 PlainTypeName(type), PlainTypeName(common)),
                     {.sqlstate = "42846", .location = location});
  }
  return common;
}

}  // namespace leat
