#include "run/marks.h"

namespace leat {
namespace {

Status Refuse(std::string message, std::string detail) {
  return SqlStatus(std::move(message), {.sqlstate = "55000",
                                        .detail = std::move(detail),
                                        .hint = "`leat run --fresh` drops the state and the rows "
                                                "that leat wrote, and reads all again."});
}

}  // namespace

Status CheckMark(const MarkExpected& expected, const std::optional<Mark>& mark) {
  const std::string& name = expected.sink;
  if (!mark) {
    if (expected.low == 0) return Status::OK();
    return Refuse(
        fmt::format("the target of sink \"{}\" has lost its mark", name),
        fmt::format("The state is at epoch {}; the target was dropped, emptied or restored.",
                    expected.low));
  }
  if (mark->state != expected.state) {
    return Refuse(
        fmt::format("the target of sink \"{}\" belongs to another state", name),
        fmt::format("Its mark names state {}, and this is {}.", mark->state, expected.state));
  }
  if (mark->epoch < expected.low || mark->epoch > expected.high) {
    return Refuse(fmt::format("the mark of sink \"{}\" does not fit this state", name),
                  fmt::format("It is at epoch {}; the state can go on from {} to {}.", mark->epoch,
                              expected.low, expected.high));
  }
  return Status::OK();
}

}  // namespace leat
