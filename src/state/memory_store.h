// Checkpoints and spilled runs in memory: for tests of operators and traces.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "state/store.h"

namespace leat {

// One checkpoint after another: Begin, write, Commit; what was handed over is written then, as a
// background thread would, and files that nobody keeps or reads are gone.
class MemoryStore : public StateWriter, public StateReader, public StateFiles {
 public:
  void Begin() {
    pending_blobs_.clear();
    contents_.clear();
    kept_.clear();
  }
  void Commit() {
    for (const auto& [name, content] : contents_) {
      LEAT_CHECK(content->Write(std::make_unique<Maker>(this, name)).ok(), "memory is full");
    }
    contents_.clear();
    blobs_ = pending_blobs_;
    std::erase_if(files_, [&](const auto& file) {
      return !kept_.contains(file.first) && file.second.use_count() == 1;
    });
  }

  Status PutBlob(std::string_view name, std::string bytes) override {
    if (!pending_blobs_.emplace(std::string(name), std::move(bytes)).second) {
      return Status::Invalid("blob \"", name, "\" is written twice");
    }
    return Status::OK();
  }
  Result<std::string> PutFile(std::string_view bytes) override {
    std::string name = NewName();
    files_[name] = std::make_shared<const std::string>(bytes);
    kept_.insert(name);
    return name;
  }
  Result<std::string> PutContent(std::shared_ptr<StateContent> content) override {
    std::string name = NewName();
    contents_.emplace_back(name, std::move(content));
    kept_.insert(name);
    return name;
  }
  Status KeepFile(std::string_view file) override {
    if (!files_.contains(std::string(file))) return Status::KeyError("no file ", file);
    kept_.insert(std::string(file));
    return Status::OK();
  }
  Result<std::unique_ptr<StateFileMaker>> NewFile() override {
    return std::make_unique<Maker>(this, NewName());
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
  Result<std::shared_ptr<const StateFile>> OpenFile(std::string_view file) override {
    const auto found = files_.find(std::string(file));
    if (found == files_.end()) return Status::KeyError("no file ", file);
    return std::make_shared<File>(found->first, found->second);
  }

  int64_t files() const { return static_cast<int64_t>(files_.size()); }
  int64_t files_made() const { return files_made_; }
  // Turns one bit of a file round.
  void Damage(const std::string& file, size_t at) {
    std::string bytes = *files_.at(file);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    files_[file] = std::make_shared<const std::string>(std::move(bytes));
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_) names.push_back(name);
    return names;
  }

 private:
  class File : public StateFile {
   public:
    File(std::string name, std::shared_ptr<const std::string> bytes)
        : name_(std::move(name)), bytes_(std::move(bytes)) {}
    const std::string& name() const override { return name_; }
    std::string path() const override { return name_; }
    int64_t size() const override { return static_cast<int64_t>(bytes_->size()); }
    Status ReadAt(int64_t offset, int64_t size, char* out) const override {
      if (offset + size > this->size()) return Status::IOError(name_, " ends before");
      bytes_->copy(out, static_cast<size_t>(size), static_cast<size_t>(offset));
      return Status::OK();
    }

   private:
    const std::string name_;
    const std::shared_ptr<const std::string> bytes_;
  };
  class Maker : public StateFileMaker {
   public:
    Maker(MemoryStore* store, std::string name) : store_(store), name_(std::move(name)) {}
    Status Append(std::string_view bytes) override {
      bytes_ += bytes;
      return Status::OK();
    }
    Result<std::shared_ptr<const StateFile>> Finish() override {
      auto bytes = std::make_shared<const std::string>(std::move(bytes_));
      store_->files_[name_] = bytes;
      return std::make_shared<File>(name_, std::move(bytes));
    }

   private:
    MemoryStore* store_;
    std::string name_, bytes_;
  };
  std::string NewName() { return "file-" + std::to_string(++files_made_); }

  std::map<std::string, std::string> blobs_, pending_blobs_;
  std::vector<std::pair<std::string, std::shared_ptr<StateContent>>> contents_;
  std::map<std::string, std::shared_ptr<const std::string>> files_;
  std::set<std::string> kept_;
  int64_t files_made_ = 0;
};

}  // namespace leat
