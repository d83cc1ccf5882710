// Whether what a sink remembers fits the state that is about to write to it.
#pragma once

#include <optional>
#include <string>

#include "connect/sink.h"

namespace leat {

struct MarkExpected {
  std::string sink;   // its name
  std::string state;  // the state's id
  int64_t low = 0;    // an epoch that the sink is known to have committed; 0: none
  int64_t high = 0;   // the last that the log knows of
};

// SqlStatus with the ways out when the target belongs to another state, lost its mark, was put back
// to an earlier time, or is ahead of the log.
Status CheckMark(const MarkExpected& expected, const std::optional<Mark>& mark);

}  // namespace leat
