// Values in PostgreSQL's binary form (what types' send functions write: COPY … (FORMAT binary),
// pgoutput with `binary`) as columns.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"

namespace leat {

// A value that the column cannot hold: where, and why.
struct BinaryReject {
  int64_t row = 0;
  std::string reason;
};

// Builds one column of ArrowType(type). A value that it cannot hold (NaN in a numeric(p,s), a
// timestamp beyond the year 294246, text that is not UTF-8) becomes null and is noted.
class BinaryColumn {
 public:
  // REQUIRES: values come from a type there whose meaning is `type` (connect/postgres/types.h).
  static std::unique_ptr<BinaryColumn> Make(const Type& type);
  virtual ~BinaryColumn() = default;

  // False: these are no bytes of such a value; whoever sent them speaks another protocol.
  virtual bool Append(std::string_view bytes) = 0;
  virtual void AppendNull() = 0;
  virtual int64_t rows() const = 0;
  // The values since the last Finish.
  virtual Result<std::shared_ptr<arrow::Array>> Finish() = 0;

  const std::vector<BinaryReject>& rejects() const { return rejects_; }
  void ClearRejects() { rejects_.clear(); }

 protected:
  std::vector<BinaryReject> rejects_;
};

// Reads numbers in network order from the front of bytes; false where there are too few.
bool TakeUint16(std::string_view* bytes, uint16_t* value);
bool TakeUint32(std::string_view* bytes, uint32_t* value);
bool TakeUint64(std::string_view* bytes, uint64_t* value);

// Splits the rows of COPY … TO STDOUT (FORMAT binary), which come in pieces cut at rows, into
// fields; the header in front of the first is passed over.
class BinaryRows {
 public:
  explicit BinaryRows(int fields) : fields_(static_cast<size_t>(fields)) {}
  // One piece: `field(i, bytes)` for every value, or with nothing for null; then `row()`. False: no
  // such rows. The trailer is passed over.
  template <typename Field, typename Row>
  bool Read(std::string_view piece, const Field& field, const Row& row) {
    if (IsHeader(piece) && !TakeHeader(&piece)) return false;
    uint16_t count = 0;
    while (!ended_ && !piece.empty()) {
      if (!TakeUint16(&piece, &count)) return false;
      ended_ = count == kTrailer;
      if (ended_) break;
      if (count != fields_) return false;
      for (int i = 0; i < static_cast<int>(fields_); ++i) {
        uint32_t length = 0;
        if (!TakeUint32(&piece, &length)) return false;
        if (length == kNull) {
          field(i, nullptr);
          continue;
        }
        if (length > piece.size()) return false;
        const std::string_view bytes = piece.substr(0, length);
        field(i, &bytes);
        piece.remove_prefix(length);
      }
      row();
    }
    return piece.empty();
  }
  bool ended() const { return ended_; }

 private:
  static constexpr uint16_t kTrailer = 0xffff;
  static constexpr uint32_t kNull = 0xffffffff;
  static bool IsHeader(std::string_view piece);  // no row begins so: it would have 20,551 fields
  static bool TakeHeader(std::string_view* piece);

  const size_t fields_;
  bool ended_ = false;
};

}  // namespace leat
