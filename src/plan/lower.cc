#include "plan/lower.h"

#include <arrow/builder.h>

#include "flow/operators.h"

namespace leat {
namespace {

Result<std::unique_ptr<Operator>> LowerJoin(const Logical& node, const SourceProperties& sources) {
  return MakeJoin({.type = node.join,
                   .left = node.children[0]->schema,
                   .right = node.children[1]->schema,
                   .left_keys = node.left_keys,
                   .right_keys = node.right_keys,
                   .residual = node.residual,
                   .null_safe = node.null_safe,
                   .left_properties = PropertiesOf(*node.children[0], sources),
                   .right_properties = PropertiesOf(*node.children[1], sources)});
}

}  // namespace

Result<std::unique_ptr<Operator>> LowerNode(const Logical& node, const SourceProperties& sources) {
  if (node.kind == LogicalKind::kJoin) return LowerJoin(node, sources);
  if (node.kind == LogicalKind::kUnionAll)
    return MakeUnionAll(static_cast<int>(node.children.size()));
  const Schema& input = node.children[0]->schema;
  const Properties properties = PropertiesOf(*node.children[0], sources);
  switch (node.kind) {
    case LogicalKind::kFilter:
      return MakeFilter({.input = input, .predicate = node.exprs[0]});
    case LogicalKind::kProject:
      return MakeProject({.input = input, .exprs = node.exprs, .output = node.schema});
    case LogicalKind::kMoving:
      return MakeMoving({.input = input,
                         .predicate = node.residual,
                         .exprs = node.exprs,
                         .output = node.schema,
                         .properties = properties});
    case LogicalKind::kUnnest:
      return MakeUnnest({.input = input, .lists = node.exprs, .output = node.schema});
    case LogicalKind::kDistinct:
      return MakeDistinct({.input = input, .properties = properties});
    case LogicalKind::kAggregate:
      return MakeAggregate({.input = input,
                            .keys = node.exprs,
                            .calls = node.calls,
                            .output = node.schema,
                            .properties = properties});
    case LogicalKind::kTop:
      return MakeTop({.input = input,
                      .partition = node.exprs,
                      .order = node.order,
                      .offset = node.offset,
                      .limit = node.limit,
                      .properties = properties});
    case LogicalKind::kWindow:
      return MakeWindow(WindowSpecOf(node, properties));
    default:
      break;
  }
  return NotSupported("this plan node has no operator", node.location);
}

WindowSpec WindowSpecOf(const Logical& node, const Properties& input) {
  return {.input = node.children[0]->schema,
          .partition = node.exprs,
          .order = node.order,
          .frame = node.frame,
          .calls = node.windows,
          .output = node.schema,
          .properties = input};
}

Result<Batch> ValuesBatch(const Logical& node, const EvalContext& context) {
  Batch batch;
  batch.rows = static_cast<int64_t>(node.rows.size());
  for (size_t column = 0; column < node.schema.columns.size(); ++column) {
    const Type& type = node.schema.columns[column].type;
    std::unique_ptr<arrow::ArrayBuilder> builder;
    LEAT_RETURN(arrow::MakeBuilder(arrow::default_memory_pool(), ArrowType(type), &builder));
    for (const auto& row : node.rows) {
      LEAT_ASSIGN(auto value, EvaluateConstant(*row[column], context));
      LEAT_RETURN(builder->AppendScalar(*value));
    }
    LEAT_ASSIGN(auto array, builder->Finish());
    batch.columns.push_back(std::move(array));
  }
  return batch;
}

}  // namespace leat
