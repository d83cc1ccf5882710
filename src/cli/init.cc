// leat init: a starter pipeline that runs as it is.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "cli/command.h"

namespace leat {
namespace {

constexpr const char* kPipeline =
    R"(-- A starter pipeline: orders from CSV files, sums per customer into SQLite.
--   leat run pipeline.sql                                        read what is new, commit, stop
--   leat sql pipeline.sql -c 'SELECT * FROM customer_totals'     look at the result
-- Add another orders_*.csv to data/ and run it again: only that file is read.

CREATE SERVER files     FOREIGN DATA WRAPPER file     OPTIONS (url '${DATA:-./data}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url '${WAREHOUSE:-sqlite:warehouse.db}');

CREATE FOREIGN TABLE orders (
    order_id   bigint NOT NULL,
    customer   text,
    amount     numeric(10,2) CHECK (amount >= 0),
    ordered_on date
) SERVER files OPTIONS (path 'orders_*.csv');

CREATE FOREIGN TABLE customer_totals () SERVER warehouse OPTIONS (mode 'upsert', key 'customer');

INSERT INTO customer_totals
SELECT customer, count(*) AS orders, sum(amount) AS total, max(ordered_on) AS last_order
FROM   orders
GROUP  BY customer;
)";

constexpr const char* kOrders = R"(order_id,customer,amount,ordered_on
1,Ada,20.00,2024-01-03
2,Grace,5.50,2024-01-03
3,Ada,12.25,2024-01-05
4,Grace,-3.00,2024-01-06
)";

constexpr const char* kTest = R"(# Unit tests of the pipeline: leat test tests/*.slt
pipeline ../pipeline.sql

statement ok
INSERT INTO orders VALUES (1, 'Ada', 20.00, '2024-01-03'), (2, 'Ada', 12.25, '2024-01-05')

query TIRT
SELECT customer, orders, total, last_order FROM customer_totals
----
Ada 2 32.25 2024-01-05
)";

Status Write(const std::filesystem::path& path, const char* text) {
  if (std::filesystem::exists(path)) {
    return SqlStatus(fmt::format("\"{}\" exists already; nothing was written over", path.string()));
  }
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream out(path);
  out << text;
  out.close();
  return out ? Status::OK() : IOErrorF("could not write \"{}\"", path.string());
}

int Init(const std::string& directory) {
  const std::filesystem::path home(directory);
  for (const auto& [name, text] : {std::pair{"pipeline.sql", kPipeline},
                                   {"data/orders_2024-01.csv", kOrders},
                                   {"tests/pipeline.slt", kTest}}) {
    if (const Status status = Write(home / name, text); !status.ok())
      return ReportError(status, "", "");
  }
  const std::string prefix = directory == "." ? "" : "cd " + directory + " && ";
  fmt::print(
      "Made pipeline.sql, data/orders_2024-01.csv and tests/pipeline.slt. Now:\n"
      "  {}leat run pipeline.sql\n  leat sql pipeline.sql -c 'SELECT * FROM customer_totals'\n"
      "  leat test tests/*.slt\n",
      prefix);
  return kExitDone;
}

}  // namespace

void AddInit(CLI::App* app, int* exit_code) {
  auto directory = std::make_shared<std::string>(".");
  CLI::App* init = app->add_subcommand("init", "write a starter pipeline with data and a test");
  init->add_option("directory", *directory, "where (default: here)");
  init->callback([directory, exit_code] { *exit_code = Init(*directory); });
}

}  // namespace leat
