#include "format/text_source.h"

#include <algorithm>
#include <cstring>

namespace leat {
namespace {

constexpr int64_t kPieceBytes = 256 << 10;  // inflated and looked at while in the nearest cache
constexpr int64_t kPieceBytesMin = 4 << 10;
constexpr int64_t kLookAhead = 256;  // to be sure of a row's end
constexpr int64_t kRowBytesMax = 16 << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

TextSource::TextSource(std::unique_ptr<ByteReader> bytes, std::string path, const ReadRange& range,
                       int64_t chunk_bytes)
    : bytes_(std::move(bytes)),
      path_(std::move(path)),
      position_(range.begin),
      end_(range.end),
      chunk_bytes_(std::clamp<int64_t>(chunk_bytes, 1, 1 << 30)) {}

Result<std::optional<ParseJob>> TextSource::Next() {
  if (done_) {
    LEAT_RETURN(damage_);
    return std::nullopt;
  }
  LEAT_RETURN(Start());
  const auto limit = static_cast<uint32_t>(chunk_bytes_);
  uint32_t cut = 0;
  while (true) {
    if (!at_end_) LEAT_RETURN(Fill());
    const auto size = static_cast<uint32_t>(size_);
    Scan(text_->data(), size,
         !at_end_       ? Follows::kMore
         : damage_.ok() ? Follows::kNothing
                        : Follows::kDamage);
    if (!at_end_ && size_ < chunk_bytes_ + kLookAhead) continue;
    cut = CutBy(text_->data(), size, limit, !at_end_);
    if (at_end_ || cut > 0) break;
    if (size_ >= std::max(kRowBytesMax, chunk_bytes_ + kLookAhead) &&
        !GiveUpRow(text_->data(), size)) {
      return IOErrorF("\"{}\": the row at byte {} is longer than {} bytes", path_, position_,
                      size_);
    }
  }
  return CutAt(cut);
}

// A new text, which begins with what the last chunk left over.
Status TextSource::Start() {
  text_ = texts_->Take();
  size_ = static_cast<int64_t>(rest_.size());
  const int64_t left = bytes_->left();
  const int64_t more = left < 0 ? chunk_bytes_ : std::min(left, chunk_bytes_);
  Reserve(size_ + std::min(more, std::max<int64_t>(chunk_bytes_ - size_, 0)) + kLookAhead +
          PieceBytes());
  std::memcpy(text_->data(), rest_.data(), rest_.size());
  rest_.clear();
  uint32_t begin = 0;
  if (position_ == 0) {
    while (size_ < static_cast<int64_t>(kByteOrderMark.size()) && !at_end_) LEAT_RETURN(Fill());
    const std::string_view text(text_->data(), static_cast<size_t>(size_));
    if (text.starts_with(kByteOrderMark)) begin = kByteOrderMark.size();
  }
  StartText(begin);
  return Status::OK();
}

void TextSource::Reserve(int64_t bytes) {
  const auto wanted = static_cast<size_t>(bytes + kPadding);
  if (text_->size() < wanted) text_->resize(wanted);
}

bool TextSource::is_small() const {
  const int64_t left = bytes_->left();
  return left >= 0 && left <= kPieceBytes;
}

int64_t TextSource::PieceBytes() const {
  const int64_t left = bytes_->left();
  return left < 0 ? kPieceBytes : std::clamp(left, kPieceBytesMin, kPieceBytes);
}

// One piece more, or at_end_. The bytes before a damage come first.
Status TextSource::Fill() {
  const int64_t piece = PieceBytes();
  Reserve(size_ + piece);
  const int64_t enough = chunk_bytes_ + kLookAhead;
  int64_t wanted = size_ < enough ? enough - size_ : enough;
  wanted = std::min(wanted, piece);
  if (end_ >= 0) wanted = std::min(wanted, end_ - position_ - size_);
  if (wanted <= 0) {
    at_end_ = true;
    return Status::OK();
  }
  auto got = bytes_->Read(text_->data() + size_, wanted);
  if (!got.ok()) {
    damage_ = got.status();
    at_end_ = true;
    return Status::OK();
  }
  size_ += *got;
  at_end_ = *got == 0;
  return Status::OK();
}

// The whole rows become a chunk; what follows waits for the next.
Result<std::optional<ParseJob>> TextSource::CutAt(size_t cut) {
  rest_.assign(*text_, cut, static_cast<size_t>(size_) - cut);
  if (at_end_ && (cut == 0 || rest_.empty())) done_ = true;
  if (cut == 0) {
    LEAT_RETURN(damage_);
    return std::nullopt;
  }
  text_->resize(cut);
  const int64_t begin = position_;
  position_ += static_cast<int64_t>(cut);
  return Cut(std::move(text_), begin);
}

}  // namespace leat
