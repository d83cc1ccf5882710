// The text of a sqllogictest file (https://sqlite.org/sqllogictest): records of statements, queries
// and what they should answer. Ours adds `epoch`, `restart`, `clock '…'` and `pipeline PATH`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace leat {

struct SltRecord {
  enum class Kind : uint8_t { kStatement, kQuery, kEpoch, kRestart, kClock, kPipeline };
  enum class Sort : uint8_t { kNone, kRows, kValues };

  Kind kind = Kind::kStatement;
  int line = 0;          // of its first word, from 1
  std::string file;      // that it was included from; "" the file itself
  std::string argument;  // kClock: the time; kPipeline: the path
  std::string sql;
  int sql_line = 0;
  std::vector<std::string> input;  // the lines behind a COPY … FROM stdin, up to "\."
  bool fails = false;              // an error is what should come,
  std::string error;               // … matching this (a regex, a part of it, a SQLSTATE); "" any
  int64_t count = -1;              // rows that a statement should touch; -1 any
  std::string types;               // one letter a column; "" any
  Sort sort = Sort::kNone;
  std::string label;                  // queries with one label have one answer
  int64_t hash_threshold = 0;         // more values than this are written as a hash; 0 never
  bool has_expected = false;          // a "----" was there
  std::vector<std::string> expected;  // the lines below it
  int expected_begin = 0;             // lines [begin, end) from 1: "----" and what is below it
  int expected_end = 0;
};

struct SltFile {
  std::string path;
  std::vector<std::string> lines;
  std::vector<SltRecord> records;  // without those that skipif, onlyif and halt leave out
};

// We are `postgresql` to skipif and onlyif, and `leat` to what is ours alone.
Result<SltFile> ParseSlt(std::string path, std::string_view text);

// The words of a line, between blanks and tabs.
std::vector<std::string> WordsOf(std::string_view line);

}  // namespace leat
