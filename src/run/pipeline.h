// A pipeline: files of declarations, in any order, made into what the machine runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"
#include "plan/properties.h"
#include "sql/sql.h"

namespace leat {

// A standing INSERT: its query over sources alone (views are expanded), and its sink.
struct StandingSink {
  std::string name;
  LogicalPtr query;
  std::string hash;     // of the query: the definition's identity
  SinkSpec spec;        // state and statement are filled in by the machine
  bool unique = false;  // kUpsert: the key is provably unique
  FlushRules flush;     // when a commit is due
  std::string sql;
  int location = -1;
};

// A sink's table as it can be read: with its query's columns where it declares none.
Relation TargetOf(const StandingSink& sink, Relation declared);

// A source relation that some standing query reads.
struct StandingSource {
  std::string name;  // the relation's
  std::string server;
  std::string after;  // option `after`: read when that relation is drained; "" none
  std::optional<RejectLimit> reject_limit;  // option `max_rejects`
  SourceTraits traits;
  // The first of the sources that are read as one (SourceTraits::shared); else its own name.
  std::string leader;
};

// A materialized view whose rows leat keeps: WITH (key = …) or (stored = true).
struct StoredView {
  std::string name;
  LogicalPtr query;
  std::string hash;
  std::vector<int> key;
};

struct PipelineOptions {
  std::string path;         // a file, or a directory of *.sql
  Environment environment;  // for ${NAME}
  // Columns of `()` sources, as an earlier run pinned them: relation → columns.
  std::map<std::string, std::vector<Column>> pinned;
  bool offline = false;  // `check`: a `()` source that is not pinned may not be looked at
};

struct Pipeline {
  std::string name;                          // the file's or directory's name, without .sql
  std::string directory;                     // relative paths start here
  std::map<std::string, std::string> texts;  // file → its text, for errors
  Catalog catalog;
  std::vector<StandingSink> sinks;
  std::vector<StandingSource> sources;
  std::vector<StoredView> stored;
  std::vector<InsertRows> contents;  // of local tables, in file order
  std::map<std::string, std::vector<Column>> pinned;
  std::map<std::string, std::string> settings;  // SET …
  Micros clock_tick = 1'000'000;  // SET clock_tick: between epochs that only the clock makes

  // What the planner knows of a source relation.
  Properties PropertiesOfSource(const std::string& relation) const;
};

// Reads, parses, binds and checks it all. An error carries its place; `where` (if given) gets the
// name of the file it is in.
Result<Pipeline> LoadPipeline(const PipelineOptions& options, std::string* where);

// The query of an ad-hoc SELECT over the pipeline's relations: views expanded, down to sources and
// to those views whose rows are at hand.
Result<LogicalPtr> ExpandOver(const Catalog& catalog, const LogicalPtr& query,
                              const std::function<bool(const Relation& view)>& at_hand = nullptr);

}  // namespace leat
