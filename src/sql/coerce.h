// Constants, type names and casts, as PostgreSQL's parse_coerce.c has them.
#pragma once

#include <string_view>

#include "catalog/catalog.h"
#include "data/text.h"
#include "sql/build.h"
#include "sql/tree.h"

namespace leat {

// A constant as written; text and NULL are kUnknown until something says what they are.
Result<ExprPtr> BindConstant(const PgQuery__AConst& constant);
// The type that a TypeName node names; `fields` is an interval's typmod ("interval '1' hour"), or
// 0.
// A domain is its type, and is told to `domain`; where nobody asks for it, it is refused.
Result<Type> BindTypeName(const PgQuery__TypeName& name, const Catalog& catalog,
                          int* fields = nullptr, const Domain** domain = nullptr);
// The value, which fails where it breaks the domain's constraints: a cast to it (bind_type.cc).
ExprPtr AsDomain(ExprPtr value, const Domain& domain);
// What the name of a cast's result column is: "int4" for integer.
std::string InternalTypeName(const PgQuery__TypeName& name);

// `expr` as `type`: an untyped literal is read now, by the type's input function; anything else is
// cast, if PostgreSQL would in this context. Status names the types, without more.
Result<ExprPtr> Coerce(const ExprPtr& expr, const Type& type, CastContext context,
                       const TextSettings& settings);
// `expr` unless it is an untyped literal, which becomes text.
Result<ExprPtr> ResolveUnknown(const ExprPtr& expr, const TextSettings& settings);
// `expr` as a boolean, or "argument of WHERE must be type boolean, not type integer".
Result<ExprPtr> CoerceToBool(const ExprPtr& expr, std::string_view construct,
                             const TextSettings& settings);
// For an assignment to a column: "column "a" is of type integer but expression is of type text".
Result<ExprPtr> CoerceToColumn(const ExprPtr& expr, const Column& column,
                               const TextSettings& settings);
// An interval literal with a field: interval '1' hour.
Result<ExprPtr> IntervalLiteral(const Expr& literal, int fields, const TextSettings& settings);
// The type's name without its modifier, as errors print it.
std::string PlainName(const Type& type);

}  // namespace leat
