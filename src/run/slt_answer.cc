#include "run/slt_answer.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/md5.h"

namespace leat {
namespace {

constexpr size_t kDiffLinesMax = 8;

using Lines = std::vector<std::string>;

double NumberIn(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string Printable(std::string text) {
  for (char& c : text) {
    if ((c >= 0 && c < ' ') || c == '\x7f') c = '@';
  }
  return text.empty() ? "(empty)" : text;
}

std::string ClassicText(const std::string& text, const Type& type, char letter) {
  if (letter == 'I' && type.id == TypeId::kBool) return text == "t" ? "1" : "0";
  if (letter == 'I' && !type.is_integer()) {
    return fmt::format("{}", static_cast<int64_t>(std::clamp(NumberIn(text), -9.2e18, 9.2e18)));
  }
  if (letter == 'R') return fmt::format("{:.3f}", NumberIn(text));
  return Printable(text);
}

std::string Join(const Lines& row, std::string_view between) {
  return fmt::format("{}", fmt::join(row, between));
}

// Two blanks between the values; a tab where a value could not be told from its neighbours.
std::string RowLine(const Lines& row) {
  const bool hard = std::any_of(row.begin(), row.end(), [](const std::string& value) {
    return value.find("  ") != value.npos || value.front() == ' ' || value.back() == ' ';
  });
  return Join(row, hard ? "\t" : "  ");
}

Lines RowLines(const SltCells& cells) {
  Lines lines;
  for (const auto& row : cells) lines.push_back(RowLine(row));
  return lines;
}

Lines SplitAt(const std::string& line, std::string_view between) {
  Lines parts;
  for (size_t at = 0;;) {
    const size_t end = line.find(between, at);
    parts.push_back(line.substr(at, end == line.npos ? line.npos : end - at));
    if (end == line.npos) return parts;
    at = line.find_first_not_of(between == "\t" ? "" : " ", end + between.size());
    if (at == line.npos) at = line.size();
  }
}

// The values of a line that holds a row; fewer or more than `columns` if they cannot be told apart.
Lines RowIn(const std::string& line, size_t columns) {
  if (columns == 1) return {line};
  if (line.find('\t') != line.npos) return SplitAt(line, "\t");
  Lines wide = SplitAt(line, "  ");
  return wide.size() == columns ? wide : WordsOf(line);
}

// A whole line against a row, where blanks within values blur the columns.
bool SameWords(const Lines& words, const Lines& row) {
  return Join(WordsOf(Join(words, " ")), " ") == Join(WordsOf(Join(row, " ")), " ");
}

bool SameRow(const Lines& expected, const Lines& postgres, const Lines& classic) {
  if (expected.size() != postgres.size()) {
    return SameWords(expected, postgres) || SameWords(expected, classic);
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string& value = expected[i].empty() ? "(empty)" : expected[i];
    if (value != postgres[i] && value != classic[i]) return false;
  }
  return true;
}

bool SameInOrder(const SltCells& expected, const SltAnswer& answer) {
  if (expected.size() != answer.postgres.size()) return false;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!SameRow(expected[i], answer.postgres[i], answer.classic[i])) return false;
  }
  return true;
}

// Values as rows of one, sorted; or rows, sorted; or as they are.
SltCells Sorted(SltCells cells, SltRecord::Sort sort) {
  if (sort == SltRecord::Sort::kNone) return cells;
  if (sort == SltRecord::Sort::kValues) {
    SltCells values;
    for (const auto& row : cells) {
      for (const auto& value : row) values.push_back({value});
    }
    cells = std::move(values);
  }
  std::sort(cells.begin(), cells.end());
  return cells;
}

// The lines that are expected, as rows.
SltCells ExpectedRows(const SltRecord& record, const SltAnswer& answer) {
  const Lines& lines = record.expected;
  SltCells rows;
  const size_t values = answer.postgres.size() * answer.columns;
  if (answer.columns > 1 && lines.size() == values && values > 0) {
    for (size_t at = 0; at < lines.size(); at += answer.columns) {
      rows.emplace_back(lines.begin() + static_cast<int64_t>(at),
                        lines.begin() + static_cast<int64_t>(at + answer.columns));
    }
    return rows;
  }
  for (const std::string& line : lines) rows.push_back(RowIn(line, answer.columns));
  return rows;
}

// What stands between the common beginning and the common end: "-" expected, "+" came.
std::string Diff(const Lines& expected, const Lines& actual) {
  size_t begin = 0, end = 0;
  const size_t shorter = std::min(expected.size(), actual.size());
  while (begin < shorter && expected[begin] == actual[begin]) ++begin;
  while (end < shorter - begin &&
         expected[expected.size() - 1 - end] == actual[actual.size() - 1 - end]) {
    ++end;
  }
  std::string text;
  const auto add = [&](const Lines& lines, char mark) {
    const size_t last = lines.size() - end;
    for (size_t i = begin; i < last; ++i) {
      if (i == begin + kDiffLinesMax) {
        text += fmt::format("{} … {} more\n", mark, last - i);
        return;
      }
      text += fmt::format("{} {}\n", mark, lines[i]);
    }
  };
  add(expected, '-');
  add(actual, '+');
  return text;
}

bool IsHash(const Lines& expected) {
  return expected.size() == 1 && expected[0].find(" values hashing to ") != std::string::npos;
}

std::string HashLine(const SltRecord& record, const SltAnswer& answer) {
  return fmt::format("{} values hashing to {}", answer.postgres.size() * answer.columns,
                     HashOf(record, answer));
}

}  // namespace

SltAnswer MakeSltAnswer(const Schema& schema, const Batch& rows, const std::string& types,
                        const TextSettings& settings) {
  SltAnswer answer{.columns = schema.columns.size()};
  answer.postgres.resize(static_cast<size_t>(rows.rows));
  answer.classic.resize(static_cast<size_t>(rows.rows));
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    const Type& type = schema.columns[c].type;
    const char letter = types.empty() ? 'T' : types[c];
    const auto column = Plain(rows.columns[c]);
    for (int64_t i = 0; i < rows.rows; ++i) {
      std::string text = "NULL", classic = "NULL";
      if (!column->IsNull(i)) {
        text.clear();
        AppendText(*column, i, type, settings, &text);
        classic = ClassicText(text, type, letter);
        text = Printable(std::move(text));
      }
      answer.postgres[static_cast<size_t>(i)].push_back(std::move(text));
      answer.classic[static_cast<size_t>(i)].push_back(std::move(classic));
    }
  }
  return answer;
}

std::string HashOf(const SltRecord& record, const SltAnswer& answer) {
  std::string text;
  for (const auto& row : Sorted(answer.classic, record.sort)) {
    for (const auto& value : row) text += value + "\n";
  }
  return Md5(text);
}

std::optional<std::string> DifferenceFrom(const SltRecord& record, const SltAnswer& answer) {
  if (IsHash(record.expected)) {
    const std::string line = HashLine(record, answer);
    if (line == record.expected[0]) return std::nullopt;
    return Diff(record.expected, {line});
  }
  const SltCells given = ExpectedRows(record, answer);
  if (record.sort == SltRecord::Sort::kNone) {
    if (SameInOrder(given, answer)) return std::nullopt;
    return Diff(RowLines(given), RowLines(answer.postgres));
  }
  // Each form sorts in its own way; and what the file has may be sorted by another rule than ours.
  const SltCells expected = Sorted(given, record.sort);
  for (const SltCells* form : {&answer.postgres, &answer.classic}) {
    const SltCells sorted = Sorted(*form, record.sort);
    if (SameInOrder(expected, {answer.columns, sorted, sorted})) return std::nullopt;
  }
  return Diff(RowLines(expected), RowLines(Sorted(answer.postgres, record.sort)));
}

std::optional<std::string> DifferenceOf(const SltAnswer& expected, const SltAnswer& actual) {
  const SltCells a = Sorted(expected.postgres, SltRecord::Sort::kRows);
  const SltCells b = Sorted(actual.postgres, SltRecord::Sort::kRows);
  if (a == b) return std::nullopt;
  return Diff(RowLines(a), RowLines(b));
}

std::vector<std::string> ExpectedLines(const SltRecord& record, const SltAnswer& answer) {
  const auto values = static_cast<int64_t>(answer.postgres.size() * answer.columns);
  if (record.hash_threshold > 0 && values > record.hash_threshold) {
    return {HashLine(record, answer)};
  }
  return RowLines(Sorted(answer.postgres, record.sort));
}

}  // namespace leat
