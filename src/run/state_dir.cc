#include "run/state_dir.h"

#include "base/md5.h"
#include "run/epoch_log.h"

namespace leat {

Result<std::unique_ptr<StateDirectory>> StateDirectory::Open(FileSystem* files, std::string path,
                                                             bool drop) {
  std::unique_ptr<StateDirectory> state(new StateDirectory(files, std::move(path)));
  LEAT_RETURN(files->CreateDirectories(state->path_));
  LEAT_ASSIGN(state->lock_, files->TryLock(state->path("lock")));
  if (!state->lock_) {
    return IOErrorF(
        "another leat works on the state \"{}\"; wait for it or stop it, or use --state for one of "
        "its own",
        state->path_);
  }
  // Of a damaged manifest, or one of another format, only the name can be dropped.
  if (drop && files->Exists(state->path("state/manifest"))) {
    LEAT_RETURN(files->Remove(state->path("state/manifest")));
  }
  LEAT_ASSIGN(state->store_, StateStore::Open(files, state->path("state")));
  return state;
}

Result<std::unique_ptr<StateDirectory>> StateDirectory::OpenToRead(FileSystem* files,
                                                                   std::string path) {
  std::unique_ptr<StateDirectory> state(new StateDirectory(files, std::move(path)));
  LEAT_ASSIGN(state->store_, StateStore::Open(files, state->path("state"), true));
  return state;
}

Status StateDirectory::Clear() {
  LEAT_RETURN(store_->Clear());
  return EpochLog::Remove(files_, path_);
}

Result<bool> StateDirectory::Load(Manifest* manifest) const {
  if (!store_->has_checkpoint()) return false;
  LEAT_ASSIGN(*manifest, Manifest::Decode(store_->extra()));
  return true;
}

Result<StateWriter*> StateDirectory::Writer(const std::string& name) {
  auto& writer = writers_[name];
  if (writer) return Status::UnknownError("two parts of one checkpoint are named \"", name, "\"");
  writer = store_->Writer(name);
  return writer.get();
}

Result<StateReader*> StateDirectory::Reader(const std::string& name) {
  auto& reader = readers_[name];
  if (!reader) reader = store_->Reader(name);
  return reader.get();
}

Status StateDirectory::Commit(const Manifest& manifest) { return Prepare(manifest)->Commit(); }

std::unique_ptr<PendingCheckpoint> StateDirectory::Prepare(const Manifest& manifest) {
  writers_.clear();
  return store_->Prepare(manifest.Encode());
}

std::map<std::string, std::string> DefinitionsOf(const Pipeline& pipeline) {
  std::map<std::string, std::string> definitions;
  for (const auto& sink : pipeline.sinks) definitions["sink " + sink.name] = sink.hash;
  for (const auto& view : pipeline.stored) definitions["view " + view.name] = view.hash;
  for (const auto& insert : pipeline.contents) {
    definitions["table " + insert.table] += HashOf(*insert.query.root);
  }
  for (const StandingSource& source : pipeline.sources) {
    if (!source.traits.shared) continue;  // of others nothing is kept but a place
    const Relation& relation = *pipeline.catalog.FindRelation(source.name);
    std::string text;
    for (const ColumnSpec& column : relation.columns) {
      text += fmt::format("{} {} {}\n", column.column.name, column.outside_name,
                          TypeName(column.column.type));
    }
    definitions["source " + source.name] = Md5(fmt::format(
        "{}{}{}", text, fmt::join(relation.primary_key, ","), source.traits.whole ? "whole" : ""));
  }
  return definitions;
}

Status CheckDefinitions(const Manifest& manifest, const Pipeline& pipeline) {
  const auto now = DefinitionsOf(pipeline);
  std::string changes;
  const auto add = [&](const char* what, const std::string& name) {
    changes += fmt::format("{}{} {}", changes.empty() ? "" : ", ", name, what);
  };
  for (const auto& [name, hash] : now) {
    const auto it = manifest.definitions.find(name);
    if (it == manifest.definitions.end())
      add("is new", name);
    else if (it->second != hash)
      add("changed", name);
  }
  for (const auto& [name, hash] : manifest.definitions) {
    if (!now.contains(name)) add("is gone", name);
  }
  if (changes.empty()) return Status::OK();
  return SqlStatus("the pipeline is not the one that its state was made by",
                   {.sqlstate = "55000",
                    .detail = changes + ".",
                    .hint = "`leat run --fresh` drops the state and the rows that leat wrote, and "
                            "reads all again."});
}

Status LoadPinned(FileSystem* files, const std::string& path,
                  std::map<std::string, std::vector<Column>>* pinned) {
  LEAT_ASSIGN(const auto state, StateDirectory::OpenToRead(files, path));
  Manifest manifest;
  LEAT_ASSIGN(const bool there, state->Load(&manifest));
  if (there) *pinned = manifest.pinned;
  return Status::OK();
}

}  // namespace leat
