// Masks, constants and dictionaries: a row's error is that row's alone.
#include "func/evaluate.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <random>

#include "func/function.h"

namespace leat {
namespace {

using enum TypeId;

std::shared_ptr<arrow::Array> Ints(const std::vector<std::optional<int32_t>>& values) {
  arrow::Int32Builder builder;
  for (const auto& value : values) {
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return builder.Finish().ValueOrDie();
}

ExprPtr Int(int32_t value) { return LiteralExpr(arrow::MakeScalar(value), kInt4); }

ExprPtr Call(std::string_view name, std::vector<ExprPtr> args) {
  std::vector<Type> types;
  for (const auto& arg : args) types.push_back(arg->type);
  auto resolved = ResolveOperator(name, types, -1);
  if (!resolved.ok()) resolved = ResolveFunction(name, types, -1);
  EXPECT_TRUE(resolved.ok()) << resolved.status().ToString();
  for (size_t i = 0; i < args.size(); ++i) {
    if (!(resolved->args[i] == types[i])) args[i] = CastExpr(args[i], resolved->args[i]);
  }
  return CallExpr(resolved->function, std::move(args), resolved->result);
}

ExprPtr Of(ExprKind kind, Type type, std::vector<ExprPtr> args) {
  Expr expr;
  expr.kind = kind;
  expr.type = std::move(type);
  expr.args = std::move(args);
  return std::make_shared<const Expr>(std::move(expr));
}

struct Answer {
  std::string values;
  std::string errors;
};

Answer Answered(const ExprPtr& expr, const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  Batch batch;
  batch.columns = columns;
  batch.rows = columns[0]->length();
  ErrorMask errors(batch.rows);
  const auto result = Evaluate(*expr, batch, {}, {}, &errors);
  if (!result.ok()) return {result.status().ToString(), ""};
  EXPECT_EQ((*result)->length(), batch.rows);
  EXPECT_TRUE((*result)->ValidateFull().ok());
  Answer answer;
  for (int64_t row = 0; row < batch.rows; ++row) {
    answer.values += (*result)->GetScalar(row).ValueOrDie()->ToString() + " ";
  }
  for (const auto& error : errors.errors()) {
    answer.errors += fmt::format("{}:{} ", error.row, error.message);
  }
  return answer;
}

TEST(Evaluate, AnErrorIsOfItsRow) {
  const auto column = ColumnExpr(0, kInt4);
  const auto answer = Answered(Call("/", {Int(10), column}), {Ints({5, 0, std::nullopt, 2})});
  EXPECT_EQ(answer.values, "2 null null 5 ");
  EXPECT_EQ(answer.errors, "1:division by zero ");
}

TEST(Evaluate, ConditionsProtect) {
  const auto column = ColumnExpr(0, kInt4);
  const auto quotient = Call("/", {Int(10), column});
  const auto nonzero = Call("<>", {column, Int(0)});
  const auto big = Call(">", {quotient, Int(3)});
  const std::vector<std::shared_ptr<arrow::Array>> rows = {Ints({5, 0, std::nullopt, 2})};
  const auto both = Answered(Of(ExprKind::kAnd, kBool, {nonzero, big}), rows);
  EXPECT_EQ(both.values, "false false null true ");
  EXPECT_EQ(both.errors, "");
  const auto swapped = Answered(Of(ExprKind::kAnd, kBool, {big, nonzero}), rows);
  EXPECT_EQ(swapped.values, "false null null true ");
  EXPECT_EQ(swapped.errors, "1:division by zero ");
  const auto either = Answered(Of(ExprKind::kOr, kBool, {Call("=", {column, Int(0)}), big}), rows);
  EXPECT_EQ(either.values, "false true null true ");
  EXPECT_EQ(either.errors, "");
  const auto chosen = Answered(Of(ExprKind::kCase, kInt4, {nonzero, quotient, Int(-1)}), rows);
  EXPECT_EQ(chosen.values, "2 -1 -1 5 ");
  EXPECT_EQ(chosen.errors, "");
  const auto first = Answered(Of(ExprKind::kCoalesce, kInt4, {column, Call("/", {Int(1), Int(0)})}),
                              {Ints({1, std::nullopt, 3})});
  EXPECT_EQ(first.values, "1 null 3 ");
  EXPECT_EQ(first.errors, "1:division by zero ");
}

TEST(Evaluate, AConstantsErrorIsOfTheRowsThatNeedIt) {
  const auto column = ColumnExpr(0, kInt4);
  const auto failing = Call("/", {Int(1), Int(0)});
  const auto answer =
      Answered(Of(ExprKind::kCase, kInt4, {Call(">", {column, Int(1)}), failing, column}),
               {Ints({1, 2, 3})});
  EXPECT_EQ(answer.values, "1 null null ");
  EXPECT_EQ(answer.errors, "1:division by zero 2:division by zero ");
}

TEST(Evaluate, DictionariesAndSlicesAnswerAsPlainColumns) {
  std::mt19937_64 random(7);
  arrow::StringDictionary32Builder dictionary;
  for (int i = 0; i < 1000; ++i) {
    const auto value = random() % 20;
    const std::string text = value % 3 == 0 ? "x" : std::to_string(value);
    ASSERT_TRUE((value == 7 ? dictionary.AppendNull() : dictionary.Append(text)).ok());
  }
  const std::shared_ptr<arrow::Array> encoded = dictionary.Finish().ValueOrDie();
  const auto text = ColumnExpr(0, kText);
  const std::vector<ExprPtr> exprs = {
      Call("upper", {text}),
      CastExpr(text, kInt4),
      CastExpr(text, Type::Varchar(1)),
      Call("~~", {text, LiteralExpr(arrow::MakeScalar("1%"), kText)}),
      Call("is null", {text}),
      Call("||", {text, Call("lower", {text})}),
      Call("greatest", {text, LiteralExpr(arrow::MakeScalar("15"), kText)}),
      Of(ExprKind::kCase, kText,
         {Call("=", {Call("upper", {text}), Call("upper", {text})}), Call("upper", {text}), text})};
  for (const ExprPtr& expr : exprs) {
    for (const int64_t offset : {0, 3, 64}) {
      const auto column = encoded->Slice(offset, 900);
      const Answer plain = Answered(expr, {Plain(column)});
      const Answer coded = Answered(expr, {column});
      EXPECT_EQ(plain.values, coded.values) << ToString(*expr);
      EXPECT_EQ(plain.errors, coded.errors) << ToString(*expr);
    }
  }
}

// Every binary kernel gives the same for columns, slices and constants.
TEST(Evaluate, ShapesOfArgumentsDoNotMatter) {
  std::mt19937_64 random(11);
  std::vector<std::optional<int32_t>> left, right;
  for (int i = 0; i < 300; ++i) {
    left.push_back(random() % 5 == 0 ? std::nullopt : std::optional<int32_t>(random() % 7 - 3));
    right.push_back(random() % 5 == 0 ? std::nullopt : std::optional<int32_t>(random() % 7 - 3));
  }
  const auto a = Ints(left);
  const auto b = Ints(right);
  for (const char* symbol : {"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">="}) {
    const auto columns = Call(symbol, {ColumnExpr(0, kInt4), ColumnExpr(1, kInt4)});
    const Answer whole = Answered(columns, {a->Slice(5, 200), b->Slice(5, 200)});
    std::string values;
    std::string errors;
    for (int64_t row = 5; row < 205; ++row) {
      const auto at = static_cast<size_t>(row);
      const ExprPtr x = left[at] ? Int(*left[at]) : LiteralExpr(nullptr, kInt4);
      const Answer one = Answered(Call(symbol, {x, ColumnExpr(0, kInt4)}), {b->Slice(row, 1)});
      values += one.values;
      if (!one.errors.empty()) errors += fmt::format("{}{}", row - 5, one.errors.substr(1));
    }
    EXPECT_EQ(whole.values, values) << symbol;
    EXPECT_EQ(whole.errors, errors) << symbol;
  }
}

}  // namespace
}  // namespace leat
