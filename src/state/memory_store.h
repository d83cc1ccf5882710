// Checkpoints in memory: for tests of operators and traces.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "state/store.h"

namespace leat {

// One checkpoint after another: Begin, write, Commit; files that the commit did not keep are gone.
class MemoryStore : public StateWriter, public StateReader {
 public:
  void Begin() {
    pending_blobs_.clear();
    kept_.clear();
  }
  void Commit() {
    blobs_ = pending_blobs_;
    std::erase_if(files_, [&](const auto& file) { return !kept_.contains(file.first); });
  }

  Status PutBlob(std::string_view name, std::string bytes) override {
    if (!pending_blobs_.emplace(std::string(name), std::move(bytes)).second) {
      return Status::Invalid("blob \"", name, "\" is written twice");
    }
    return Status::OK();
  }
  Result<std::string> PutFile(std::string_view bytes) override {
    std::string name = "file-" + std::to_string(++files_made_);
    files_[name] = std::make_shared<const std::string>(bytes);
    kept_.insert(name);
    return name;
  }
  Status KeepFile(std::string_view file) override {
    if (!files_.contains(std::string(file))) return Status::KeyError("no file ", file);
    kept_.insert(std::string(file));
    return Status::OK();
  }
  Result<std::string> GetBlob(std::string_view name) override {
    const auto found = blobs_.find(std::string(name));
    if (found == blobs_.end()) return Status::KeyError("no blob ", name);
    return found->second;
  }
  Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) override {
    const auto found = files_.find(std::string(file));
    if (found == files_.end()) return Status::KeyError("no file ", file);
    struct Held {
      std::shared_ptr<const std::string> bytes;
      std::string_view view;
    };
    auto held = std::make_shared<Held>(Held{found->second, *found->second});
    return std::shared_ptr<const std::string_view>(held, &held->view);
  }
  int64_t files() const { return static_cast<int64_t>(files_.size()); }

 private:
  std::map<std::string, std::string> blobs_, pending_blobs_;
  std::map<std::string, std::shared_ptr<const std::string>> files_;
  std::set<std::string> kept_;
  int64_t files_made_ = 0;
};

}  // namespace leat
