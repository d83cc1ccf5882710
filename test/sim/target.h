// A system outside that is written to: it keeps its rows and its mark whatever becomes of the
// process, and commits both at once, as databases do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connect/sink.h"
#include "test/sim/world.h"

namespace leat::sim {

// What a canary's sink does wrong.
struct SinkLies {
  bool mark_apart = false;    // the mark is written before the rows, in a transaction of its own
  bool mark_ignored = false;  // Open gives the mark of the commit before the last
};

// Rows by their exact bytes; for `upsert` by the exact bytes of their keys.
struct Target {
  std::optional<Mark> mark, mark_before;
  std::map<std::string, int64_t> rows;     // row → how often
  std::map<std::string, std::string> row;  // key → row
  int64_t commits = 0;

  // What it holds, row → how often.
  std::map<std::string, int64_t> Content(SinkMode mode) const;
};

struct SinkWatch {
  // A commit is about to be made of this epoch. Not OK: the engine broke its promise.
  std::function<void(const std::string& sink, int64_t epoch)> before_commit;
  std::function<void(const std::string& sink, int64_t epoch)> after_commit;
  // The engine asked for what it must not.
  std::function<void(std::string what)> complain;
};

// `world`, `target` and `watch` must outlive it.
std::unique_ptr<Sink> MakeSimSink(World* world, Target* target, const SinkWatch* watch,
                                  const SinkSpec& spec, const SinkLies& lies);

// The exact bytes of some of a batch's columns, row by row; all of them where `columns` is empty.
Result<std::vector<std::string>> RowBytes(const Schema& schema, const std::vector<int>& columns,
                                          const Batch& batch);

}  // namespace leat::sim
