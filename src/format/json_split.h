// Finds the objects in JSON as the world writes it: a document, an array of objects, an array that
// nobody closed, documents one after another, commas and brackets left over, or the array under a
// key of a root object. Tolerant on purpose: it only says where a row begins and ends, and whatever
// is wrong inside is found by who reads the row. Where an object is broken, the next one that
// begins a line as far left is a row again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// text[begin, end): an object, or something that stands where an object should.
struct JsonExtent {
  uint32_t begin, end;
  bool in_root = true;  // false: a document without the root array
};

// Used by one thread. Looks at a growing text once, but for the object in progress.
class JsonSplitter {
 public:
  // `root`: the keys from a document's object down to the array of rows; none: rows lie at the top.
  explicit JsonSplitter(std::vector<std::string> root) : root_(std::move(root)) {}

  // A new text; `at` is where to look from, `in_root` whether that lies inside the root array
  // already, as every place behind an extent with in_root does.
  void Start(uint32_t at, bool in_root);
  // Looks on over text[0, size), whose beginning it has seen; `final`: nothing follows.
  void Scan(const char* text, uint32_t size, bool final);
  // The object in progress is too long to be one: ends it where a row may begin again; false if
  // there is no such place.
  bool GiveUp(const char* text, uint32_t size);

  const std::vector<JsonExtent>& extents() const { return extents_; }

 private:
  enum class Place : uint8_t { kTop, kRows, kBehind };
  static constexpr uint32_t kMore = UINT32_MAX;  // it takes more text to tell

  bool Step();
  bool StepTop();
  bool StepRows();
  bool Take(uint32_t begin, uint32_t end);
  uint32_t FindRoot(uint32_t at) const;
  uint32_t ObjectEnd(uint32_t begin, uint32_t at, std::vector<bool> in_object) const;
  uint32_t StringEnd(uint32_t quote) const;
  uint32_t NextRow(uint32_t begin, uint32_t from) const;
  uint32_t GarbageEnd(uint32_t at) const;
  uint32_t ColumnOf(uint32_t at) const;
  bool BeginsRow(uint32_t begin, uint32_t at) const;
  char Before(uint32_t at) const;

  std::vector<std::string> root_;
  const char* text_ = nullptr;
  uint32_t size_ = 0;
  bool final_ = false;
  uint32_t at_ = 0;  // everything before it is told
  Place place_ = Place::kRows;
  std::vector<JsonExtent> extents_;
};

}  // namespace leat
