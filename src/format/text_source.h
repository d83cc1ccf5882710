// Cuts a text file into chunks of whole rows: what the readers of CSV and NDJSON share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "format/bytes.h"
#include "format/read_ahead.h"

namespace leat {

// What comes behind the text at hand: at the file's end the last row needs no newline, and before a
// damage it is not complete without one.
enum class Follows : uint8_t { kMore, kNothing, kDamage };

// A chunk ends with the last row that ends by chunk_bytes, or with its first: where it is cut
// depends on where it begins and on the bytes alone, so that reading a range again cuts it alike.
class TextSource : public ChunkSource {
 public:
  // Every text has this many readable bytes behind it.
  static constexpr int64_t kPadding = 64;

  TextSource(std::unique_ptr<ByteReader> bytes, std::string path, const ReadRange& range,
             int64_t chunk_bytes);
  Result<std::optional<ParseJob>> Next() override;
  bool is_small() const override;

 protected:
  // A new text, whose first row begins at `begin`.
  virtual void StartText(uint32_t begin) = 0;
  // Looks on over text[0, size), whose beginning it has seen.
  virtual void Scan(const char* text, uint32_t size, Follows follows) = 0;
  // The end of the last row that ends by `limit`, else of the first row; 0 if there is none, or if
  // it takes `more` text to tell.
  virtual uint32_t CutBy(const char* text, uint32_t size, uint32_t limit, bool more) = 0;
  // The row in progress has grown too long: false if nothing can be given up to go on.
  virtual bool GiveUpRow(const char* text, uint32_t size) = 0;
  // The job for the rows up to the cut; `begin` is the text's place in the file.
  virtual ParseJob Cut(std::shared_ptr<std::string> text, int64_t begin) = 0;

 private:
  Status Start();
  Status Fill();
  void Reserve(int64_t bytes);
  // How much is read next at once: a small file takes little room.
  int64_t PieceBytes() const;
  Result<std::optional<ParseJob>> CutAt(size_t cut);

  std::unique_ptr<ByteReader> bytes_;
  std::string path_;
  int64_t position_;  // of text_[0] in the file
  const int64_t end_, chunk_bytes_;
  std::shared_ptr<Recycler<std::string>> texts_ = std::make_shared<Recycler<std::string>>();
  std::shared_ptr<std::string> text_;
  int64_t size_ = 0;  // bytes of text_ that are the file's
  std::string rest_;  // behind the last whole row
  bool at_end_ = false, done_ = false;
  Status damage_;
};

}  // namespace leat
