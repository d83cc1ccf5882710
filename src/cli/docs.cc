// leat docs: the references under docs/, from the specs that the binder and the connectors use.
#include "cli/docs.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "connect/connectors.h"
#include "func/aggregate.h"
#include "func/function.h"
#include "serve/metrics.h"

namespace leat {
namespace {

std::string ArgumentsOf(const std::vector<Type>& args, bool variadic) {
  std::string text;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string name = args[i].id == TypeId::kUnknown ? "any" : TypeName(args[i]);
    text += (i > 0 ? ", " : "") + (variadic && i + 1 == args.size() ? name + " …" : name);
  }
  return text;
}

std::string ResultOf(const Type& result, bool resolved) {
  return resolved ? "as its arguments" : TypeName(result);
}

std::string FunctionsPage() {
  std::string text =
      "# Functions and operators\n\nMade by `leat docs functions` from the specs in `src/func/`; "
      "every example "
      "is played by the tests and answers what PostgreSQL 15 answers.\n\n## Aggregates\n\n"
      "| aggregate | result | meaning | example | answer |\n|---|---|---|---|---|\n";
  for (const Aggregate& aggregate : AllAggregates()) {
    text += fmt::format("| `{}({})` | {} | {} | `{}` | {} |\n", aggregate.name,
                        aggregate.args.empty() ? "*" : ArgumentsOf(aggregate.args, false),
                        ResultOf(aggregate.result, aggregate.resolve != nullptr),
                        MarkdownCell(aggregate.description), MarkdownCell(aggregate.example),
                        MarkdownCell(aggregate.answer));
  }
  text +=
      "\n## Scalar functions and operators\n\n| function | result | meaning | example | answer "
      "|\n|---|---|---|---|---|\n";
  for (const Function& function : AllFunctions()) {
    const std::string call =
        function.is_operator()
            ? fmt::format("{} {}", function.name, ArgumentsOf(function.args, function.variadic))
            : fmt::format("{}({})", function.name, ArgumentsOf(function.args, function.variadic));
    text += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", MarkdownCell(call),
                        ResultOf(function.result, function.resolve != nullptr),
                        MarkdownCell(function.description), MarkdownCell(function.example),
                        MarkdownCell(function.answer));
  }
  return text;
}

std::string ConnectorsPage() {
  return "# Connectors and their options\n\nMade by `leat docs connectors` from the specs in "
         "`src/connect/`.\n\n" +
         DescribeConnectors();
}

}  // namespace

std::string MarkdownCell(std::string_view text) {
  std::string cell;
  for (char c : text)
    cell += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
  return cell;
}

void AddDocs(CLI::App* app, int* exit_code) {
  auto page = std::make_shared<std::string>();
  CLI::App* docs = app->add_subcommand(
      "docs", "print a reference as Markdown: sql, functions, connectors or metrics");
  docs->add_option("page", *page, "sql, functions, connectors or metrics")
      ->required()
      ->check(CLI::IsMember({"sql", "functions", "connectors", "metrics"}));
  docs->callback([page, exit_code] {
    fmt::print("{}", *page == "sql"          ? SqlPage()
                     : *page == "functions"  ? FunctionsPage()
                     : *page == "connectors" ? ConnectorsPage()
                                             : DescribeMetrics());
    *exit_code = kExitDone;
  });
}

}  // namespace leat
