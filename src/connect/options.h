// Options of servers, tables and columns: which there are, what they mean, how their values read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"

namespace leat {

// Which tables of a schema are wanted, by name.
using TableChoice = std::function<bool(const std::string& table)>;

enum class OptionPlace : uint8_t { kServer, kTable, kColumn };

// One option of a connector, from which the check, the error's hint and the docs are made.
struct OptionSpec {
  std::string_view name;
  OptionPlace place = OptionPlace::kTable;
  std::string_view default_value;  // as written; empty: none
  std::string_view meaning;        // a sentence
};

// `invalid option "pth"` with the nearest name, or all of them, as the hint.
Status CheckOptions(const Options& options, OptionPlace place,
                    std::span<const OptionSpec* const> specs, int location);

// The value of an option, or `fallback`.
std::string OptionOr(const Options& options, std::string_view name, std::string_view fallback);
// As PostgreSQL's booleans: true, on, yes, 1 and their shortenings.
Result<bool> BoolOption(const Options& options, std::string_view name, bool fallback);
// A whole number, at least `min`.
Result<int64_t> CountOption(const Options& options, std::string_view name, int64_t fallback,
                            int64_t min = 0);
// Bytes with PostgreSQL's units: B, kB, MB, GB, TB.
Result<int64_t> BytesOption(const Options& options, std::string_view name, int64_t fallback);
// A span of time with PostgreSQL's units: us, ms, s, min, h, d. Without one: seconds.
Result<std::chrono::microseconds> TimeOption(const Options& options, std::string_view name,
                                             std::chrono::microseconds fallback);
// One of `choices`; the first is the default.
Result<std::string> ChoiceOption(const Options& options, std::string_view name,
                                 std::span<const std::string_view> choices);
// `invalid value for option "name": "value"` with a hint.
Status InvalidValue(std::string_view name, std::string_view value, std::string hint);

// 'a, "B c"' to names: folded to lower case unless quoted.
Result<std::vector<std::string>> NameList(std::string_view option, std::string_view text);
// The same as indices of `columns`; `column "x" … does not exist` with the nearest.
Result<std::vector<int>> ColumnList(const Options& options, std::string_view option,
                                    const Schema& schema);

// `on_error` of the table: kReject unless it says otherwise.
Result<OnError> OnErrorOf(const Relation& relation);
// `on_error` of a column: its own, else the table's.
Result<OnError> OnErrorOf(const Relation& relation, const ColumnSpec& column);

// `max_rejects`: a count, or a share that counts after 1,000 rows.
struct RejectLimit {
  int64_t rows = -1;  // -1: not a count
  double share = -1;  // 0.01 for '1%'; negative: not a share
  bool Exceeded(int64_t rows_rejected, int64_t rows_read) const;
};
// Nothing where the relation sets no limit.
Result<std::optional<RejectLimit>> RejectLimitOf(const Relation& relation);

// When a sink commits, besides at the end of a drain: at the end of an epoch, as soon as one of
// these is reached. `interval` is counted from the first row that is not committed; zero, every
// epoch that changes something is committed, or as many as come while the sink commits.
struct FlushRules {
  int64_t bytes = 0;  // 0: no such bound, like `rows`
  int64_t rows = 0;
  std::chrono::microseconds interval{0};
};
// Options `flush_bytes`, `flush_rows`, `flush_interval`.
Result<FlushRules> FlushRulesOf(const Server& server, const Options& options);

}  // namespace leat
