// Answers against what a sqllogictest file expects of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/batch.h"
#include "data/text.h"
#include "run/slt_file.h"

namespace leat {

using SltCells = std::vector<std::vector<std::string>>;  // by row

// An answer's values as text. NULL is "NULL", an empty text "(empty)", and what does not print '@'.
struct SltAnswer {
  size_t columns = 0;
  SltCells postgres;  // as PostgreSQL prints them
  SltCells classic;   // as the sqllogictest program does, by type letter: I %d, R %.3f, T text
};

// REQUIRES: `types` is empty or has a letter for each column.
SltAnswer MakeSltAnswer(const Schema& schema, const Batch& rows, const std::string& types,
                        const TextSettings& settings);

// What differs, to be read by a person; nullopt if the answer is the expected one. Expected values
// stand one per line, or one row per line between blanks or tabs, or are hashed; each may be in
// either of the two forms.
std::optional<std::string> DifferenceFrom(const SltRecord& record, const SltAnswer& answer);

// The same of two answers, in any order of rows.
std::optional<std::string> DifferenceOf(const SltAnswer& expected, const SltAnswer& actual);

// The lines to expect of this answer: one row per line, or its hash.
std::vector<std::string> ExpectedLines(const SltRecord& record, const SltAnswer& answer);

// The sum over an answer in its classic form, sorted as the record asks.
std::string HashOf(const SltRecord& record, const SltAnswer& answer);

}  // namespace leat
