// Plays sqllogictest files: plainly against what they expect, and then every query again in the
// incremental ways, which must give the plain answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "run/session.h"
#include "run/slt_file.h"

namespace leat {

struct SltFailure {
  int line = 0;
  Way way;           // kPlain: against the expectation
  std::string what;  // one line
  std::string sql;
  std::string details;  // lines: a diff, or an error as psql shows it
};

struct SltReport {
  std::string path;
  int64_t passed = 0, failed = 0;  // records; a record with several failures is one
  std::vector<SltFailure> failures;
  std::string updated;  // the file with the answers that came, if asked for
  double seconds = 0;
};

struct SltOptions {
  FileSystem* files = nullptr;
  Environment environment;
  std::vector<Way::Cut> ways;  // those after kPlain, which is always played first
  uint64_t seed = 0;
  bool update = false;
  std::string without_rule;  // a rule of the planner that is left out
  // Answers a SELECT in a way other than kPlain; empty: by the session itself.
  std::function<Result<StatementResult>(Session*, const ParsedStatement&, const Way&)> answer;
};

// All ways but kPlain.
std::vector<Way::Cut> IncrementalWays();

// The seed of one query's play: a record, asked again with the same seed, is cut in the same way.
uint64_t SeedOf(uint64_t seed, int line, Way::Cut cut);

// Never fails itself: a file that cannot be read or understood is a report with one failure.
SltReport PlaySlt(const std::string& path, const SltOptions& options);
// The same of a file's text; paths in it start at the directory of `path`.
SltReport PlaySltText(const std::string& path, std::string_view text, const SltOptions& options);

// Plays files on up to `jobs` threads; `done` is called on the caller's, in their order.
void PlaySltFiles(const std::vector<std::string>& paths, const SltOptions& options, int jobs,
                  const std::function<void(const SltReport&)>& done);

}  // namespace leat
