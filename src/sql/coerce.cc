#include "sql/coerce.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "func/function.h"

namespace leat {
namespace {

// PostgreSQL's INTERVAL_MASK bits, least field first, and the unit that a bare number then has.
struct IntervalField {
  int bit;
  std::string_view unit;
};
constexpr IntervalField kIntervalFields[] = {{1 << 12, "second"}, {1 << 11, "minute"},
                                             {1 << 10, "hour"},   {1 << 3, "day"},
                                             {1 << 1, "month"},   {1 << 2, "year"}};
constexpr int kIntervalFull = 0x7FFF;

Status AtLocation(const Status& status, int location) {
  const SqlError* error = SqlErrorOf(status);
  if (error == nullptr || error->location >= 0 || location < 0) return status;
  SqlError copy = *error;
  copy.location = location;
  return SqlStatus(status.message(), std::move(copy));
}

std::string Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return LowerAscii(text);
}

// 'now' and 'today' are whenever the statement is read, which a standing query never is again.
Status RefuseClockWords(std::string_view text, const Type& type, int location) {
  if (type.id < TypeId::kDate || type.id > TypeId::kTimestamptz) return Status::OK();
  const std::string word = Trimmed(text);
  if (word != "now" && word != "today" && word != "tomorrow" && word != "yesterday") {
    return Status::OK();
  }
  return NotSupported(fmt::format("the literal '{}' is not supported", word), location,
                      "Write now() or current_date, which move with the clock.");
}

Result<ExprPtr> ReadLiteral(const Expr& literal, const Type& type, const TextSettings& settings) {
  if (!literal.literal || !literal.literal->is_valid) {
    return WithLocation(NullLiteral(type), literal.location);
  }
  const auto& scalar = static_cast<const arrow::BaseBinaryScalar&>(*literal.literal);
  const std::string_view text = scalar.view();
  LEAT_RETURN(RefuseClockWords(text, type, literal.location));
  auto value = ParseValue(text, type, settings);
  if (!value.ok()) return AtLocation(value.status(), literal.location);
  return WithLocation(LiteralExpr(*value, type), literal.location);
}

bool HasModifier(const Type& type) { return !(type.Bare() == type); }

// A literal's cast that nobody wrote, as a literal; one that fails stays, and fails when it runs.
ExprPtr Folded(const ExprPtr& cast, const TextSettings& settings) {
  const bool written = cast->cast == CastContext::kExplicit;
  if (written || cast->args[0]->kind != ExprKind::kLiteral) return cast;
  EvalContext context;
  context.timezone = settings.timezone;
  const auto value = EvaluateConstant(*cast, context);
  return value.ok() ? WithLocation(LiteralExpr(*value, cast->type), cast->location) : cast;
}

std::shared_ptr<arrow::Scalar> Text(std::string_view text) {
  return std::make_shared<arrow::StringScalar>(std::string(text));
}

Result<ExprPtr> NumberLiteral(const char* text) {
  int64_t integer = 0;
  const std::string_view digits(text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    const auto narrow = static_cast<int32_t>(integer);  // -2147483648 is written as a larger one
    if (narrow != integer) return Int8Literal(integer);
    return LiteralExpr(std::make_shared<arrow::Int32Scalar>(narrow), Type(TypeId::kInt4));
  }
  LEAT_ASSIGN(auto value, ParseValue(digits, Type(TypeId::kNumeric), {}));
  return LiteralExpr(value, Type(TypeId::kNumeric));
}

Result<int32_t> Modifier(const Node* node) {
  if (Is(node, PG_QUERY__NODE__NODE_A_CONST) &&
      node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
    return node->a_const->ival->ival;
  }
  return SqlStatus("type modifiers must be simple constants or identifiers",
                   {.sqlstate = kSyntaxError, .location = LocationOf(node)});
}

}  // namespace

Result<ExprPtr> BindConstant(const PgQuery__AConst& constant) {
  const int location = constant.location;
  if (constant.isnull != 0) {
    return WithLocation(LiteralExpr(arrow::MakeNullScalar(arrow::utf8()), Type(TypeId::kUnknown)),
                        location);
  }
  switch (constant.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return WithLocation(LiteralExpr(std::make_shared<arrow::Int32Scalar>(constant.ival->ival),
                                      Type(TypeId::kInt4)),
                          location);
    case PG_QUERY__A__CONST__VAL_FVAL: {
      LEAT_ASSIGN(ExprPtr number, NumberLiteral(constant.fval->fval));
      return WithLocation(number, location);
    }
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      return WithLocation(BoolLiteral(constant.boolval->boolval != 0), location);
    case PG_QUERY__A__CONST__VAL_SVAL:
      return WithLocation(LiteralExpr(Text(constant.sval->sval), Type(TypeId::kUnknown)), location);
    default:
      return NotSupported("bit strings are not supported", location);
  }
}

namespace {

// What CREATE TYPE or CREATE DOMAIN made of this name.
Result<Type> OwnType(const std::string& name, const Catalog& catalog, bool array, int location,
                     const Domain** domain) {
  if (const auto* labels = catalog.FindEnum(name)) return Type::Enum(*labels);
  const Domain* found = catalog.FindDomain(name);
  if (found == nullptr) {
    return SqlStatus(fmt::format("type \"{}\" does not exist", name),
                     {.sqlstate = "42704", .location = location});
  }
  if (domain == nullptr || array) {
    return NotSupported(fmt::format("domain {} is not supported here", name), location,
                        fmt::format("Use its type, {}.", TypeName(found->type)));
  }
  *domain = found;
  return found->type;
}

}  // namespace

Result<Type> BindTypeName(const PgQuery__TypeName& name, const Catalog& catalog, int* fields,
                          const Domain** domain) {
  if (name.setof != 0 || name.pct_type != 0) {
    return NotSupported("SETOF and %TYPE are not supported", name.location);
  }
  const auto names = StringsOf(Items(name.n_names, name.names));
  const bool known = names.size() == 1 || names[0] == "pg_catalog" || names[0] == "public";
  if (!known) {
    return SqlStatus(fmt::format("schema \"{}\" does not exist", names[0]),
                     {.sqlstate = "3F000", .location = name.location});
  }
  std::vector<int32_t> modifiers;
  for (const Node* node : Items(name.n_typmods, name.typmods)) {
    LEAT_ASSIGN(int32_t modifier, Modifier(node));
    modifiers.push_back(modifier);
  }
  if (names.back() == "interval" && !modifiers.empty()) {
    if (fields != nullptr && modifiers[0] != kIntervalFull) *fields = modifiers[0];
    modifiers.erase(modifiers.begin());
  }
  // "char" in quotes is a type of PostgreSQL's own; char without is bpchar(1).
  auto type = TypeFromName(names.back(), modifiers);
  const SqlError* error = SqlErrorOf(type.status());
  if (error != nullptr && error->sqlstate == "42704") {
    type = OwnType(names.back(), catalog, name.n_array_bounds > 0, name.location, domain);
  }
  if (!type.ok()) return AtLocation(type.status(), name.location);
  for (size_t i = 0; i < std::min<size_t>(name.n_array_bounds, 1); ++i) {
    type = Type::Array(*type);
  }
  return type;
}

std::string InternalTypeName(const PgQuery__TypeName& name) {
  return name.n_names == 0 ? "" : std::string(StringOf(name.names[name.n_names - 1]));
}

Result<ExprPtr> Coerce(const ExprPtr& expr, const Type& type, CastContext context,
                       const TextSettings& settings) {
  if (expr->type == type) return expr;
  const bool literal = expr->kind == ExprKind::kLiteral && expr->type.id == TypeId::kUnknown;
  if (literal) {
    const Type bare = type.Bare();
    LEAT_ASSIGN(ExprPtr read, ReadLiteral(*expr, bare, settings));
    if (!HasModifier(type)) return read;
    if (!read->literal->is_valid) return WithLocation(NullLiteral(type), expr->location);
    return Folded(CastExpr(std::move(read), type, context), settings);
  }
  if (!CanCast(expr->type, type, context)) {
    return SqlStatus(
        fmt::format("cannot cast type {} to {}", PlainName(expr->type), PlainName(type)),
        {.sqlstate = "42846", .location = expr->location});
  }
  return Folded(CastExpr(expr, type, context), settings);
}

Result<ExprPtr> ResolveUnknown(const ExprPtr& expr, const TextSettings& settings) {
  if (expr->type.id != TypeId::kUnknown) return expr;
  return Coerce(expr, Type(TypeId::kText), CastContext::kImplicit, settings);
}

Result<ExprPtr> CoerceToBool(const ExprPtr& expr, std::string_view construct,
                             const TextSettings& settings) {
  const Type type = expr->type;
  if (type.id == TypeId::kBool || type.id == TypeId::kUnknown) {
    return Coerce(expr, Type(TypeId::kBool), CastContext::kImplicit, settings);
  }
  return SqlStatus(
      fmt::format("argument of {} must be type boolean, not type {}", construct, PlainName(type)),
      {.sqlstate = kDatatypeMismatch, .location = expr->location});
}

Result<ExprPtr> CoerceToColumn(const ExprPtr& expr, const Column& column,
                               const TextSettings& settings) {
  if (!CanCast(expr->type, column.type, CastContext::kAssignment)) {
    return SqlStatus(fmt::format("column \"{}\" is of type {} but expression is of type {}",
                                 column.name, PlainName(column.type), PlainName(expr->type)),
                     {.sqlstate = kDatatypeMismatch,
                      .location = expr->location,
                      .hint = "You will need to rewrite or cast the expression."});
  }
  return Coerce(expr, column.type, CastContext::kAssignment, settings);
}

std::string PlainName(const Type& type) { return TypeName(type.Bare()); }

Result<ExprPtr> IntervalLiteral(const Expr& literal, int fields, const TextSettings& settings) {
  const auto& scalar = static_cast<const arrow::BaseBinaryScalar&>(*literal.literal);
  std::string text(scalar.view());
  const bool number = text.find_first_not_of("0123456789+- ") == text.npos;
  const bool single = (fields & (fields - 1)) == 0;
  const bool minutes = fields == ((1 << 11) | (1 << 12));
  if ((number && !single && text.find('-', 1) == text.npos) || minutes) {
    return NotSupported("this form of interval literal is not supported", literal.location,
                        "Write the units into the literal: interval '1 hour 20 minutes'.");
  }
  for (const IntervalField& field : kIntervalFields) {
    if (number && single && fields == field.bit) text += fmt::format(" {}", field.unit);
  }
  auto unknown = LiteralExpr(Text(text), Type(TypeId::kUnknown));
  return Coerce(WithLocation(unknown, literal.location), Type(TypeId::kInterval),
                CastContext::kExplicit, settings);
}

}  // namespace leat
