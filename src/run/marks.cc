#include "run/marks.h"

namespace leat {
namespace {

Status Refuse(std::string message, std::string detail, std::string hint) {
  return SqlStatus(
      std::move(message),
      {.sqlstate = "55000", .location = -1, .detail = std::move(detail), .hint = std::move(hint)});
}

constexpr const char* kFresh =
    " `leat run --fresh` drops the state and all rows that leat wrote, and reads all again.";

}  // namespace

Status CheckMark(const MarkExpected& expected, const std::optional<Mark>& mark) {
  const std::string& name = expected.sink;
  const std::string anew = fmt::format(
      "`leat run --rebuild {}` drops the rows that leat wrote there, and writes them anew.", name);
  if (!mark) {
    if (expected.low == 0) return Status::OK();
    return Refuse(
        fmt::format("the target of sink \"{}\" has lost its mark", name),
        fmt::format("The state is at epoch {}; the target was dropped, emptied or restored.",
                    expected.low),
        anew + kFresh);
  }
  if (mark->state != expected.state) {
    return Refuse(
        fmt::format("the target of sink \"{}\" belongs to another state", name),
        fmt::format("Its mark names state {}, and this is {}.", mark->state, expected.state),
        std::string(
            "Run with the state that wrote it (--state), or take the target over: `leat run "
            "--adopt` drops the rows that leat wrote there, and writes them anew.") +
            kFresh);
  }
  if (mark->epoch < expected.low) {
    return Refuse(fmt::format("the target of sink \"{}\" was put back to an earlier time", name),
                  fmt::format("Its mark is at epoch {}; the state goes on from {}.", mark->epoch,
                              expected.low),
                  anew + kFresh);
  }
  if (mark->epoch > expected.high) {
    return Refuse(
        fmt::format("the target of sink \"{}\" is ahead of the state", name),
        fmt::format("Its mark is at epoch {}; the state and its log end at {}: they were put back "
                    "to an earlier time, or lost their end.",
                    mark->epoch, expected.high),
        anew + kFresh);
  }
  return Status::OK();
}

}  // namespace leat
