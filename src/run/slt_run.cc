#include "run/slt_run.h"

#include <arrow/scalar.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <regex>
#include <thread>

#include "base/whole_file.h"
#include "run/slt_answer.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHistoryRowsMax = 20'000;            // longer ones are only played whole
constexpr Micros kFirstClock = 1'704'067'200'000'000;  // 2024-01-01 00:00:00 UTC

// std::regex throws on a pattern that it does not take, which then is no match.
bool MatchesRegex(const std::string& text, const std::string& pattern) {
  try {
    return std::regex_search(text, std::regex(pattern));
  } catch (const std::regex_error&) {
    return false;
  }
}

bool IsExpectedError(const Status& status, const std::string& expected) {
  const SqlError* error = SqlErrorOf(status);
  if (expected.empty() || (error != nullptr && error->sqlstate == expected)) return true;
  const std::string& message = status.message();
  return message.find(expected) != message.npos || MatchesRegex(message, expected);
}

// The number at the end of "INSERT 0 3".
int64_t CountIn(const std::string& tag) {
  const size_t at = tag.find_last_of(' ');
  return at == tag.npos ? -1 : std::strtoll(tag.c_str() + at, nullptr, 10);
}

class Player {
 public:
  Player(const SltFile& file, const SltOptions& options)
      : file_(file), options_(options), clock_(kFirstClock), session_(SettingsOf(file.path)) {}

  SltReport Play() {
    report_.path = file_.path;
    for (const SltRecord& record : file_.records) {
      const size_t before = report_.failures.size();
      Play(record);
      ++(report_.failures.size() == before ? report_.passed : report_.failed);
    }
    if (options_.update) report_.updated = Updated();
    return std::move(report_);
  }

 private:
  SessionOptions SettingsOf(const std::string& path) const {
    SessionOptions settings{
        .files = options_.files, .clock = &clock_, .environment = options_.environment};
    settings.without_rule = options_.without_rule;
    settings.directory = DirectoryOf(path);
    return settings;
  }
  static std::string DirectoryOf(const std::string& path) {
    const std::string parent = fs::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
  }

  void Fail(const SltRecord& record, std::string what, std::string details = "",
            const Way& way = {}) {
    if (!record.file.empty()) what = fmt::format("{}:{}: {}", record.file, record.line, what);
    report_.failures.push_back({record.line, way, std::move(what), record.sql, std::move(details)});
  }

  void Play(const SltRecord& record) {
    switch (record.kind) {
      case SltRecord::Kind::kEpoch:
        return session_.EndEpoch(Change::Then::kEpoch);
      case SltRecord::Kind::kRestart:
        return session_.EndEpoch(Change::Then::kRestart);
      case SltRecord::Kind::kClock:
        return SetClock(record);
      case SltRecord::Kind::kPipeline:
        return OpenPipeline(record);
      case SltRecord::Kind::kStatement:
      case SltRecord::Kind::kQuery:
        return PlaySql(record);
    }
  }

  void SetClock(const SltRecord& record) {
    const auto time = ParseValue(record.argument, TypeId::kTimestamptz, {});
    if (!time.ok()) return Fail(record, time.status().message());
    clock_.Set(std::static_pointer_cast<arrow::TimestampScalar>(*time)->value);
  }

  void OpenPipeline(const SltRecord& record) {
    const std::string path = (fs::path(DirectoryOf(file_.path)) / record.argument).string();
    std::string where = path;
    const Status status = session_.OpenFixtures(path, &where);
    if (!status.ok()) Fail(record, fmt::format("{}: {}", where, status.message()));
  }

  Result<StatementResult> Execute(const SltRecord& record, const ParsedStatement& statement,
                                  const Way& way) {
    if (way.cut == Way::Cut::kPlain) {
      size_t at = 0;
      const auto input = [&]() -> std::optional<std::string> {
        if (at == record.input.size()) return std::nullopt;
        return record.input[at++];
      };
      return session_.ExecuteIn(way, statement, input);
    }
    if (options_.answer) return options_.answer(&session_, statement, way);
    return session_.ExecuteIn(way, statement);
  }

  void PlaySql(const SltRecord& record) {
    const auto statements = ParseSql(record.sql, options_.environment);
    if (!statements.ok()) {
      if (!record.fails || !IsExpectedError(statements.status(), record.error)) {
        Fail(record, "error", FormatError(statements.status(), record.sql));
      }
      return;
    }
    Result<StatementResult> result = StatementResult{};
    for (const auto& statement : *statements) {
      result = Execute(record, *statement, {});
      if (!result.ok()) break;
    }
    if (!CheckPlain(record, result) || statements->empty()) return;
    if (IsSelect(*statements->back())) PlayWays(record, *statements->back(), result);
  }

  bool IsSelect(const ParsedStatement& statement) const {
    const auto bound = Bind(statement, session_.catalog());
    const auto* select = bound.ok() ? std::get_if<Select>(&*bound) : nullptr;
    return select != nullptr && !DrawsNumbers(*select->query.root);
  }

  // Whether the plain answer is what the file expects.
  bool CheckPlain(const SltRecord& record, const Result<StatementResult>& result) {
    if (record.fails) {
      if (!result.ok() && IsExpectedError(result.status(), record.error)) return true;
      if (result.ok())
        Fail(record, "this should have failed");
      else
        Fail(record, fmt::format("another error than \"{}\"", record.error),
             FormatError(result.status(), record.sql));
      return false;
    }
    if (!result.ok()) {
      Fail(record, "error", FormatError(result.status(), record.sql));
      return false;
    }
    if (record.kind == SltRecord::Kind::kQuery) return CheckAnswer(record, *result);
    if (record.count < 0 || CountIn(result->tag) == record.count) return true;
    Fail(record, fmt::format("{} rows expected, and it says \"{}\"", record.count, result->tag));
    return false;
  }

  bool CheckAnswer(const SltRecord& record, const StatementResult& result) {
    const size_t columns = result.schema.columns.size();
    if (!record.types.empty() && record.types.size() != columns) {
      Fail(record, fmt::format("{} columns expected, {} came", record.types.size(), columns));
      return false;
    }
    const SltAnswer answer = AnswerOf(record, result);
    if (options_.update && record.file.empty())
      answers_[record.line] = ExpectedLines(record, answer);
    bool good = true;
    // A query without "----" only has to work (and to be the same in all ways).
    if (const auto difference = DifferenceFrom(record, answer);
        record.has_expected && !options_.update && difference) {
      Fail(record, "wrong answer (- expected, + came)", *difference);
      good = false;
    }
    if (!record.label.empty()) {
      const std::string hash = HashOf(record, answer);
      const auto [other, first] = labels_.try_emplace(record.label, hash);
      if (first || other->second == hash) return good;
      Fail(record,
           fmt::format("another answer than an earlier query labelled \"{}\" gave", record.label));
      good = false;
    }
    return good;
  }

  SltAnswer AnswerOf(const SltRecord& record, const StatementResult& result) const {
    const bool known = record.types.size() == result.schema.columns.size();
    return MakeSltAnswer(result.schema, result.rows, known ? record.types : "",
                         {.timezone = session_.timezone(), .now = clock_.Now()});
  }

  void PlayWays(const SltRecord& record, const ParsedStatement& statement,
                const Result<StatementResult>& plain) {
    const bool long_history = session_.history_rows() > kHistoryRowsMax;
    for (const Way::Cut cut : options_.ways) {
      if (long_history && cut != Way::Cut::kWhole) continue;
      const Way way{.cut = cut, .seed = SeedOf(options_.seed, record.line, cut)};
      CheckWay(record, plain, Execute(record, statement, way), way);
    }
  }

  void CheckWay(const SltRecord& record, const Result<StatementResult>& plain,
                const Result<StatementResult>& result, const Way& way) {
    if (!result.ok()) {
      if (!plain.ok() && IsExpectedError(result.status(), record.error)) return;
      return Fail(record, "an error that the plain way does not give",
                  FormatError(result.status(), record.sql), way);
    }
    if (!plain.ok()) return Fail(record, "no error, where the plain way gives one", "", way);
    const auto difference = DifferenceOf(AnswerOf(record, *plain), AnswerOf(record, *result));
    if (difference) Fail(record, "another answer than plain (- plain, + came)", *difference, way);
  }

  // The file with the answers that came in the place of those it has.
  std::string Updated() const {
    std::string text;
    size_t at = 0;
    const auto copy_until = [&](size_t end) {
      for (; at < end; ++at) text += file_.lines[at] + "\n";
    };
    for (const SltRecord& record : file_.records) {
      const auto answer = answers_.find(record.line);
      if (answer == answers_.end() || !record.file.empty()) continue;
      copy_until(static_cast<size_t>(record.expected_begin) - 1);
      text += "----\n";
      for (const std::string& line : answer->second) text += line + "\n";
      at = static_cast<size_t>(record.expected_end) - 1;
    }
    copy_until(file_.lines.size());
    return text;
  }

  const SltFile& file_;
  const SltOptions& options_;
  ManualClock clock_;
  Session session_;
  SltReport report_;
  std::map<std::string, std::string> labels_;        // label → the hash of its answer
  std::map<int, std::vector<std::string>> answers_;  // line of the query → what to expect
};

SltReport Unplayable(const std::string& path, const Status& status) {
  SltReport report{.path = path, .failed = 1};
  report.failures.push_back({.line = 1, .what = status.message()});
  return report;
}

}  // namespace

std::vector<Way::Cut> IncrementalWays() {
  using Cut = Way::Cut;
  return {Cut::kWhole,   Cut::kRows,    Cut::kRandom,     Cut::kRetract,
          Cut::kRestart, Cut::kThreads, Cut::kOnceThreads};
}

uint64_t SeedOf(uint64_t seed, int line, Way::Cut cut) {
  uint64_t mixed = seed;
  for (const uint64_t part : {static_cast<uint64_t>(line), static_cast<uint64_t>(cut)}) {
    mixed = (mixed ^ part) * 0x9E3779B97F4A7C15ull;
    mixed ^= mixed >> 29;
  }
  return mixed;
}

SltReport PlaySltText(const std::string& path, std::string_view text, const SltOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto file = ParseSlt(path, text);
  if (!file.ok()) return Unplayable(path, file.status());
  SltReport report = Player(*file, options).Play();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

SltReport PlaySlt(const std::string& path, const SltOptions& options) {
  const auto text = ReadWholeFile(path);
  return text.ok() ? PlaySltText(path, *text, options) : Unplayable(path, text.status());
}

void PlaySltFiles(const std::vector<std::string>& paths, const SltOptions& options, int jobs,
                  const std::function<void(const SltReport&)>& done) {
  std::vector<std::promise<SltReport>> promises(paths.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < paths.size(); i = next++) {
      promises[i].set_value(PlaySlt(paths[i], options));
    }
  };
  std::vector<std::thread> threads;
  const size_t count = std::min(paths.size(), static_cast<size_t>(std::max(jobs, 1)));
  for (size_t i = 0; i < count; ++i) threads.emplace_back(work);
  for (auto& promise : promises) done(promise.get_future().get());
  for (auto& thread : threads) thread.join();
}

}  // namespace leat
