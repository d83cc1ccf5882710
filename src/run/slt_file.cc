#include "run/slt_file.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/ascii.h"
#include "base/whole_file.h"

namespace leat {
namespace {

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

constexpr int kIncludeDepthMax = 16;

bool IsBlank(const std::string& line) { return line.find_first_not_of(" \t") == line.npos; }

// COPY … FROM stdin on one line: raw input follows it.
bool TakesInput(const std::string& line) {
  const auto words = WordsOf(LowerAscii(line));
  if (words.empty() || words[0] != "copy") return false;
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "from" && words[i + 1].starts_with("stdin")) return true;
  }
  return false;
}

// What stands behind the first `words` words of a line.
std::string Behind(const std::string& line, int words) {
  size_t at = line.find_first_not_of(" \t");
  for (int i = 0; i < words && at != line.npos; ++i) {
    at = line.find_first_of(" \t", at);
    if (at != line.npos) at = line.find_first_not_of(" \t", at);
  }
  return at == line.npos ? "" : line.substr(at, line.find_last_not_of(" \t") + 1 - at);
}

std::optional<SltRecord::Sort> SortOf(std::string_view word) {
  if (word == "nosort") return SltRecord::Sort::kNone;
  if (word == "rowsort") return SltRecord::Sort::kRows;
  if (word == "valuesort") return SltRecord::Sort::kValues;
  return std::nullopt;
}

// "con2", as some runners write in the place of a label: the connection to ask by.
bool IsConnection(std::string_view word) {
  return word.starts_with("con") && word.size() > 3 &&
         word.find_first_not_of("0123456789", 3) == word.npos;
}

// What steers other runners and changes no answer here: there is one connection, nothing is waited
// for.
bool IsForOthers(std::string_view word) {
  static constexpr std::string_view kWords[] = {"mode",  "control", "connection",
                                                "sleep", "subtest", "user"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

bool IsRecord(std::string_view word) {
  static constexpr std::string_view kWords[] = {"statement", "query",          "skipif",  "onlyif",
                                                "halt",      "hash-threshold", "epoch",   "clock",
                                                "restart",   "pipeline",       "include", "system"};
  return IsForOthers(word) ||
         std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// The files that a pattern with * and ? names, in their order.
std::vector<std::string> Matching(const std::string& directory, const std::string& pattern) {
  namespace fs = std::filesystem;
  const fs::path whole = fs::path(directory) / pattern;
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(whole.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (::fnmatch(whole.filename().c_str(), name.c_str(), 0) == 0) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Parser {
 public:
  explicit Parser(SltFile* file, int depth = 0) : file_(file), lines_(file->lines), depth_(depth) {}

  Status Parse() {
    while (at_ < lines_.size() && !halted_) LEAT_RETURN(ParseOne());
    return Status::OK();
  }

 private:
  int line() const { return static_cast<int>(at_) + 1; }
  Status Wrong(const std::string& what) const {
    return SqlStatus(fmt::format("{}:{}: {}", file_->path, line(), what));
  }

  Status ParseOne() {
    const std::string& text = lines_[at_];
    const auto words = WordsOf(text);
    if (words.empty() || words[0][0] == '#') {
      ++at_;
      return Status::OK();
    }
    const std::string& word = words[0];
    if (word == "skipif" || word == "onlyif") return ParseCondition(words);
    SltRecord record{.line = line(), .hash_threshold = hash_threshold_};
    if (word == "statement") {
      LEAT_RETURN(ParseStatement(words, &record));
    } else if (word == "query") {
      LEAT_RETURN(ParseQuery(words, &record));
    } else {
      LEAT_RETURN(ParseDirective(words, &record));
    }
    skip_ = false;
    return Status::OK();
  }

  // Holds for the next record, all conditions together.
  Status ParseCondition(const std::vector<std::string>& words) {
    if (words.size() < 2) return Wrong(fmt::format("{} of what?", words[0]));
    const std::string name = LowerAscii(words[1]);
    const bool us = name == "postgresql" || name == "postgres" || name == "leat";
    if (us == (words[0] == "skipif")) skip_ = true;
    ++at_;
    return Status::OK();
  }

  void Keep(SltRecord record) {
    if (!skip_) file_->records.push_back(std::move(record));
  }

  Status ParseDirective(const std::vector<std::string>& words, SltRecord* record) {
    const std::string& word = words[0];
    const std::string argument = Behind(lines_[at_], 1);
    if (word == "halt") {
      halted_ = !skip_;
    } else if (word == "hash-threshold") {
      std::from_chars(argument.data(), argument.data() + argument.size(), hash_threshold_);
    } else if (word == "epoch" || word == "restart") {
      record->kind = word == "epoch" ? SltRecord::Kind::kEpoch : SltRecord::Kind::kRestart;
      Keep(*record);
    } else if (word == "clock" || word == "pipeline") {
      record->kind = word == "clock" ? SltRecord::Kind::kClock : SltRecord::Kind::kPipeline;
      record->argument = argument;
      if (argument.size() >= 2 && argument.front() == '\'' && argument.back() == '\'') {
        record->argument = argument.substr(1, argument.size() - 2);
      }
      if (record->argument.empty()) return Wrong(fmt::format("{} of what?", word));
      Keep(*record);
    } else if (word == "control" && words.size() == 3 && words[1] == "sortmode") {
      const auto sort = SortOf(words[2]);
      if (!sort) return Wrong(fmt::format("\"{}\" is no sort mode", words[2]));
      if (!skip_) sort_ = *sort;
    } else if (word == "include") {
      if (argument.empty()) return Wrong("include of what?");
      if (!skip_) LEAT_RETURN(Include(argument));
    } else if (!IsForOthers(word)) {
      return Wrong(fmt::format("unknown record \"{}\"", word));
    }
    ++at_;
    return Status::OK();
  }

  // The records of other files, as if they stood here.
  Status Include(const std::string& pattern) {
    if (depth_ >= kIncludeDepthMax) return Wrong("files include one another too deeply");
    std::vector<std::string> paths;
    const std::string parent = std::filesystem::path(file_->path).parent_path().string();
    for (const std::string& path : Matching(parent.empty() ? "." : parent, pattern)) {
      paths.push_back(path);
    }
    if (paths.empty()) return Wrong(fmt::format("there is no file \"{}\"", pattern));
    for (const std::string& path : paths) {
      LEAT_ASSIGN(const std::string text, ReadWholeFile(path));
      SltFile other{.path = path, .lines = LinesOf(text)};
      Parser parser(&other, depth_ + 1);
      LEAT_RETURN(parser.Parse());
      for (SltRecord& record : other.records) {
        if (record.file.empty()) record.file = path;
        file_->records.push_back(std::move(record));
      }
    }
    return Status::OK();
  }

  Status ParseStatement(const std::vector<std::string>& words, SltRecord* record) {
    const std::string what = words.size() > 1 ? words[1] : "";
    if (what == "error") {
      record->fails = true;
      record->error = Behind(lines_[at_], 2);
    } else if (what == "count" && words.size() > 2) {
      const std::string& n = words[2];
      std::from_chars(n.data(), n.data() + n.size(), record->count);
    } else if (what != "ok" && what != "maybe") {
      return Wrong("a statement is `ok`, `error` or `count N`");
    }
    return ParseBody(record);
  }

  Status ParseQuery(const std::vector<std::string>& words, SltRecord* record) {
    record->kind = SltRecord::Kind::kQuery;
    record->sort = sort_;
    if (words.size() > 1 && words[1] == "error") {
      record->fails = true;
      record->error = Behind(lines_[at_], 2);
      return ParseBody(record);
    }
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (const auto sort = SortOf(word)) {
        record->sort = *sort;
      } else if (i == 1) {
        record->types = word;
      } else if (word == "retry") {  // … 3 backoff 1s: an answer here does not change by itself
        break;
      } else if (!IsConnection(word)) {
        record->label = word;
      }
    }
    return ParseBody(record);
  }

  // The SQL up to a blank line or "----", what COPY reads, and the lines that are expected.
  Status ParseBody(SltRecord* record) {
    ++at_;
    record->sql_line = line();
    bool input = false;
    while (at_ < lines_.size() && !IsBlank(lines_[at_]) && lines_[at_] != "----" && !input) {
      if (!record->sql.empty()) record->sql += '\n';
      record->sql += lines_[at_];
      input = TakesInput(lines_[at_++]);
    }
    if (record->sql.empty()) return Wrong("there is no SQL here");
    if (input) LEAT_RETURN(ParseInput(record));
    record->expected_begin = record->expected_end = line();
    if (at_ < lines_.size() && lines_[at_] == "----") ParseExpected(record);
    Keep(std::move(*record));
    return Status::OK();
  }

  Status ParseInput(SltRecord* record) {
    for (; at_ < lines_.size(); ++at_) {
      if (lines_[at_] == "\\.") {
        ++at_;
        return Status::OK();
      }
      record->input.push_back(lines_[at_]);
    }
    return Wrong("the input of COPY does not end with a line \"\\.\"");
  }

  // A blank line inside an error: what follows it begins no record.
  bool GoesOn() const {
    size_t next = at_;
    while (next < lines_.size() && IsBlank(lines_[next])) ++next;
    if (next == lines_.size() || next > at_ + 1) return false;
    const auto words = WordsOf(lines_[next]);
    return words[0][0] != '#' && !IsRecord(words[0]);
  }

  void ParseExpected(SltRecord* record) {
    record->has_expected = true;
    for (++at_; at_ < lines_.size(); ++at_) {
      if (IsBlank(lines_[at_]) && !(record->fails && GoesOn())) break;
      record->expected.push_back(lines_[at_]);
    }
    record->expected_end = line();
    if (!record->fails || !record->error.empty()) return;
    for (const std::string& text : record->expected) {
      record->error += (record->error.empty() ? "" : "\n") + text;
    }
  }

  SltFile* const file_;
  const std::vector<std::string>& lines_;
  size_t at_ = 0;
  const int depth_;  // of files that include one another
  SltRecord::Sort sort_ = SltRecord::Sort::kNone;
  bool skip_ = false;
  bool halted_ = false;
  int64_t hash_threshold_ = 0;
};

}  // namespace

std::vector<std::string> WordsOf(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = line.find_first_not_of(" \t"); at < line.size();) {
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return words;
}

Result<SltFile> ParseSlt(std::string path, std::string_view text) {
  SltFile file{.path = std::move(path), .lines = LinesOf(text)};
  LEAT_RETURN(Parser(&file).Parse());
  return file;
}

}  // namespace leat
