// leat topic: what a topic in a folder holds, and emptying it.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/summary.h"
#include "connect/stream/file_topic.h"

namespace leat {
namespace {

struct TopicFlags {
  std::string folder;
  bool empty = false, yes = false;
};

Status Show(const std::string& folder) {
  LEAT_ASSIGN(const auto state, ReadTopicState(folder));
  if (!state) return IOErrorF("there is no topic in \"{}\"", folder);
  const std::vector<int64_t>& first = state->segments.front().first;
  for (size_t i = 0; i < state->ends.size(); ++i) {
    fmt::print("partition {}: {} records, offsets {} to {}\n", i, state->ends[i] - first[i],
               first[i], state->ends[i]);
  }
  for (const auto& [writer, mark] : state->marks) {
    fmt::print("written by {}, up to epoch {} of state {}\n", writer, mark.epoch, mark.state);
  }
  return Status::OK();
}

int Topic(const TopicFlags& flags) {
  Status status = Status::OK();
  if (flags.empty && !flags.yes) {
    status = AskForLeave("--empty deletes all records", "Delete all records?");
  }
  if (status.ok()) status = flags.empty ? EmptyFileTopic(flags.folder) : Show(flags.folder);
  return status.ok() ? kExitDone : ReportError(status, "", "");
}

}  // namespace

void AddTopic(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<TopicFlags>();
  CLI::App* topic =
      app->add_subcommand("topic", "show what a topic in a folder holds, or empty it");
  topic->add_option("folder", flags->folder, "the topic's folder: topics/outflow")
      ->required()
      ->check(CLI::ExistingDirectory);
  topic->add_flag("--empty", flags->empty,
                  "delete all records, whoever wrote them (asks); offsets go on");
  topic->add_flag("--yes,-y", flags->yes, "do not ask");
  topic->callback([flags, exit_code] { *exit_code = Topic(*flags); });
}

}  // namespace leat
