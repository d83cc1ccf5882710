#include "format/byte_writer.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "format/bytes.h"

namespace leat {
namespace {

class ArrowWriter : public ByteWriter {
 public:
  explicit ArrowWriter(std::string path) : path_(std::move(path)) {}

  Status Open() {
    LEAT_ASSIGN(file_, arrow::io::FileOutputStream::Open(path_));
    stream_ = file_;
    const Compression compression = CompressionOf(path_);
    if (compression == Compression::kNone) return Status::OK();
    LEAT_ASSIGN(codec_, arrow::util::Codec::Create(compression == Compression::kGzip
                                                       ? arrow::Compression::GZIP
                                                       : arrow::Compression::ZSTD));
    LEAT_ASSIGN(stream_, arrow::io::CompressedOutputStream::Make(codec_.get(), file_));
    return Status::OK();
  }

  Status Write(std::string_view bytes) override {
    return stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
  }

  int64_t bytes_written() const override { return file_->Tell().ValueOr(0); }

  Status Close() override {
    LEAT_RETURN(stream_->Flush());
    // Closing the compressed stream would close the file before it could be synced.
    const int copy = dup(file_->file_descriptor());
    LEAT_RETURN(stream_->Close());
    const bool synced = copy >= 0 && fsync(copy) == 0;
    const int error = errno;
    if (copy >= 0) close(copy);
    if (!synced) return IOErrorF("could not fsync \"{}\": {}", path_, std::strerror(error));
    return file_->closed() ? Status::OK() : file_->Close();
  }

 private:
  const std::string path_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::unique_ptr<arrow::util::Codec> codec_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
};

}  // namespace

Result<std::unique_ptr<ByteWriter>> CreateBytes(const std::string& path) {
  auto writer = std::make_unique<ArrowWriter>(path);
  LEAT_RETURN(writer->Open());
  return writer;
}

}  // namespace leat
