#include "connect/postgres/types.h"

#include <algorithm>
#include <array>

namespace leat {
namespace {

struct BuiltIn {
  uint32_t oid, array_oid;
  TypeId id;
};

// The first of an id is what a type of ours is there.
constexpr std::array kBuiltIn = {
    BuiltIn{postgres_oid::kBool, 1000, TypeId::kBool},
    BuiltIn{postgres_oid::kBytea, 1001, TypeId::kBytea},
    BuiltIn{postgres_oid::kInt8, 1016, TypeId::kInt8},
    BuiltIn{postgres_oid::kInt2, 1005, TypeId::kInt2},
    BuiltIn{postgres_oid::kInt4, 1007, TypeId::kInt4},
    BuiltIn{postgres_oid::kText, 1009, TypeId::kText},
    BuiltIn{postgres_oid::kName, 1003, TypeId::kText},
    BuiltIn{postgres_oid::kJson, 199, TypeId::kJson},
    BuiltIn{postgres_oid::kFloat4, 1021, TypeId::kFloat4},
    BuiltIn{postgres_oid::kFloat8, 1022, TypeId::kFloat8},
    BuiltIn{postgres_oid::kUnknown, 1009, TypeId::kText},
    BuiltIn{postgres_oid::kBpchar, 1014, TypeId::kChar},
    BuiltIn{postgres_oid::kVarchar, 1015, TypeId::kVarchar},
    BuiltIn{postgres_oid::kDate, 1182, TypeId::kDate},
    BuiltIn{postgres_oid::kTime, 1183, TypeId::kTime},
    BuiltIn{postgres_oid::kTimestamp, 1115, TypeId::kTimestamp},
    BuiltIn{postgres_oid::kTimestamptz, 1185, TypeId::kTimestamptz},
    BuiltIn{postgres_oid::kInterval, 1187, TypeId::kInterval},
    BuiltIn{postgres_oid::kNumeric, 1231, TypeId::kNumeric},
    BuiltIn{postgres_oid::kUuid, 2951, TypeId::kUuid},
    BuiltIn{postgres_oid::kJsonb, 3807, TypeId::kJsonb},
};

// A modifier is 4 more than what it says, -1 where it says nothing.
constexpr int32_t kModifierBase = 4;

Type WithModifier(TypeId id, int32_t modifier) {
  if (modifier < kModifierBase) return id;
  const int32_t said = modifier - kModifierBase;
  if (id == TypeId::kVarchar) return Type::Varchar(said);
  if (id == TypeId::kChar) return Type::Char(said);
  if (id != TypeId::kNumeric) return id;
  // numeric_typmod_scale of src/backend/utils/adt/numeric.c: 11 bits with a sign, from 15 on.
  return Type::Numeric((said >> 16) & 0xffff, ((said & 0x7ff) ^ 1024) - 1024);
}

const BuiltIn* FindBuiltIn(TypeId id) {
  const auto* const found = std::find_if(kBuiltIn.begin(), kBuiltIn.end(),
                                         [&](const BuiltIn& entry) { return entry.id == id; });
  return found == kBuiltIn.end() ? nullptr : found;
}

// Digits of an integer type's greatest value.
int32_t DigitsOf(TypeId id) {
  if (id == TypeId::kInt2) return 5;
  return id == TypeId::kInt4 ? 10 : 19;
}

bool NumericHolds(const Type& here, const Type& there) {
  // numeric(p,s) of ours is a decimal128, which has neither NaN nor infinities; a bounded one there
  // may hold NaN. Such a value is a reject, and the column is not refused for it.
  if (here.precision < 0) return there.is_integer() || there.id == TypeId::kNumeric;
  if (there.is_integer()) return here.precision - here.scale >= DigitsOf(there.id);
  return there.id == TypeId::kNumeric && there.precision >= 0 && here.scale >= there.scale &&
         here.precision - here.scale >= there.precision - there.scale;
}

}  // namespace

PostgresMeaning MeaningOfBuiltIn(const PostgresType& type) {
  PostgresMeaning meaning{.type = TypeId::kText, .base = type};
  for (const BuiltIn& entry : kBuiltIn) {
    if (entry.oid == type.oid) {
      meaning.type = WithModifier(entry.id, type.modifier);
      meaning.binary = true;
      return meaning;
    }
    if (entry.array_oid == type.oid) {
      meaning.type = Type::Array(WithModifier(entry.id, type.modifier));
      meaning.binary = true;
      return meaning;
    }
  }
  if (type.oid == postgres_oid::kOid) meaning.type = TypeId::kInt8;
  return meaning;
}

Result<PostgresMeaning> PostgresTypes::MeaningOf(const PostgresType& type) {
  constexpr uint32_t kFirstOfUsers = 16384;  // FirstNormalObjectId
  if (type.oid < kFirstOfUsers) return MeaningOfBuiltIn(type);
  if (const auto found = known_.find(type); found != known_.end()) return found->second;
  LEAT_ASSIGN(PostgresMeaning meaning, Ask(type));
  return known_[type] = std::move(meaning);
}

Result<PostgresMeaning> PostgresTypes::Ask(const PostgresType& type) {
  LEAT_ASSIGN(
      const PostgresRows rows,
      connection_->Query(
          "SELECT format_type(t.oid, $2::int4), t.typtype, t.typbasetype, t.typtypmod, t.typelem, "
          "t.typcategory, e.typtype FROM pg_catalog.pg_type t "
          "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem WHERE t.oid = $1::oid",
          "look up a type", {std::to_string(type.oid), std::to_string(type.modifier)}));
  PostgresMeaning meaning{.type = TypeId::kText, .base = type};
  if (rows.rows() == 0) {
    return IOErrorF("could not look up a type in \"{}\": there is none of OID {} any more",
                    connection_->place(), type.oid);
  }
  meaning.name = rows.Text(0, 0);
  if (rows.Text(0, 1) == "d") {
    LEAT_ASSIGN(const PostgresMeaning base,
                MeaningOf({.oid = static_cast<uint32_t>(rows.Integer(0, 2)),
                           .modifier = static_cast<int32_t>(rows.Integer(0, 3))}));
    meaning.type = base.type;
    meaning.binary = base.binary;
    meaning.base = base.base;
  } else if (rows.Text(0, 1) == "e") {
    meaning.binary = true;  // an enum travels as its label
  } else if (rows.Text(0, 5) == "A" && rows.Text(0, 6) == "e") {
    meaning.type = Type::Array(TypeId::kText);
    meaning.binary = true;
  }
  return meaning;
}

std::string PostgresTypeName(const Type& type) {
  if (type.id == TypeId::kUnknown) return "text";
  if (type.id == TypeId::kArray) return PostgresTypeName(*type.element) + "[]";
  return TypeName(type);
}

bool CanHold(const Type& here, const Type& there) {
  if (here == there) return true;
  if (here.id == TypeId::kText) return true;
  if (here.id == TypeId::kVarchar || here.id == TypeId::kChar) {
    if (here.id != there.id && !(here.id == TypeId::kVarchar && there.id == TypeId::kChar)) {
      return false;
    }
    return here.length < 0 || (there.length >= 0 && there.length <= here.length);
  }
  if (here.id == TypeId::kNumeric) return NumericHolds(here, there);
  if (here.is_integer()) return there.is_integer() && there.id <= here.id;
  if (here.id == TypeId::kFloat8) {
    return there.id == TypeId::kFloat4 || there.id == TypeId::kInt2 || there.id == TypeId::kInt4;
  }
  if (here.id == TypeId::kFloat4) return there.id == TypeId::kInt2;
  if (here.id == TypeId::kArray) {
    return there.id == TypeId::kArray && CanHold(*here.element, *there.element);
  }
  return false;
}

uint32_t OidOf(const Type& type) {
  const bool array = type.id == TypeId::kArray;
  const TypeId id = array ? type.element->id : type.id;
  const BuiltIn* const found = FindBuiltIn(id == TypeId::kUnknown ? TypeId::kText : id);
  if (found == nullptr) return postgres_oid::kText;
  return array ? found->array_oid : found->oid;
}

}  // namespace leat
