#include "format/read_ahead.h"

#include <arrow/io/interfaces.h>
#include <arrow/util/thread_pool.h>
#include <immintrin.h>

#include <atomic>
#include <condition_variable>
#include <deque>

namespace leat {
namespace {

// One chunk on its way. Shared by the queue and the task that parses it.
class Slot {
 public:
  explicit Slot(ParseJob job) : job_(std::move(job)) {}

  // Parses unless somebody has begun to.
  void Run() {
    if (begun_.exchange(true)) return;
    auto result = job_();
    job_ = nullptr;
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    done_.notify_all();
  }

  Result<ParsedChunk> Wait() {
    Run();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return result_.has_value(); });
    return *std::move(result_);
  }

 private:
  ParseJob job_;
  std::atomic<bool> begun_ = false;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Result<ParsedChunk>> result_;
};

// Where in its file the next chunk begins, and with it the places of its rows.
class RowCounter {
 public:
  RowCounter(int64_t first_row, int64_t first_line)
      : next_row_(first_row), next_line_(first_line) {}

  ReadChunk Place(ParsedChunk parsed) {
    ReadChunk& chunk = parsed.chunk;
    for (Reject& reject : chunk.rejects) {
      reject.row += next_row_;
      reject.line += next_line_;
    }
    chunk.first_line = next_line_;
    chunk.first_row = next_row_;
    next_row_ += chunk.rows_read;
    next_line_ += parsed.lines;
    return std::move(chunk);
  }

 private:
  int64_t next_row_, next_line_;
};

class DirectReader : public FileReader {
 public:
  DirectReader(std::unique_ptr<ChunkSource> source, RowCounter counter)
      : source_(std::move(source)), counter_(counter) {}

  Result<std::optional<ReadChunk>> Next() override {
    LEAT_ASSIGN(auto job, source_->Next());
    if (!job) return std::nullopt;
    LEAT_ASSIGN(ParsedChunk parsed, (*job)());
    return counter_.Place(std::move(parsed));
  }

 private:
  std::unique_ptr<ChunkSource> source_;
  RowCounter counter_;
};

class AheadReader : public FileReader {
 public:
  AheadReader(std::unique_ptr<ChunkSource> source, int threads, RowCounter counter)
      : source_(std::move(source)), threads_(threads), counter_(counter) {}

  ~AheadReader() override {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    changed_.wait(lock, [this] { return !producing_; });
  }
  AheadReader(const AheadReader&) = delete;
  AheadReader& operator=(const AheadReader&) = delete;

  Result<std::optional<ReadChunk>> Next() override {
    std::shared_ptr<Slot> slot;
    {
      std::unique_lock lock(mutex_);
      LEAT_RETURN(StartProducer());
      changed_.wait(lock, [this] { return !queue_.empty() || ended_; });
      if (queue_.empty()) {
        LEAT_RETURN(end_);
        return std::nullopt;
      }
      slot = std::move(queue_.front());
      queue_.pop_front();
      LEAT_RETURN(StartProducer());
    }
    LEAT_ASSIGN(ParsedChunk parsed, slot->Wait());
    return counter_.Place(std::move(parsed));
  }

 private:
  bool Full() const { return queue_.size() >= static_cast<size_t>(threads_) + 1; }

  // REQUIRES: mutex_ held.
  Status StartProducer() {
    if (producing_ || ended_ || Full()) return Status::OK();
    producing_ = true;
    auto* const pool = arrow::io::default_io_context().executor();
    auto status = pool->Spawn([this] { Produce(); });
    if (!status.ok()) producing_ = false;
    return status;
  }

  // Never waits for room: it stops, and Next() starts it again.
  void Produce() {
    while (true) {
      auto job = source_->Next();
      std::shared_ptr<Slot> slot;
      if (job.ok() && job->has_value()) slot = std::make_shared<Slot>(std::move(**job));
      {
        const std::lock_guard lock(mutex_);
        if (slot != nullptr) {
          queue_.push_back(slot);
        } else {
          ended_ = true;
          end_ = job.status();
        }
        // A failure to spawn is no error: Wait() parses what nobody has begun.
        if (slot != nullptr && threads_ > 1) {
          (void)arrow::internal::GetCpuThreadPool()->Spawn([slot] { slot->Run(); });
        }
        if (ended_ || stopped_ || Full()) producing_ = false;
        changed_.notify_all();
        if (!producing_) return;
      }
    }
  }

  std::unique_ptr<ChunkSource> source_;
  const int threads_;
  RowCounter counter_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Slot>> queue_;
  bool producing_ = false, ended_ = false, stopped_ = false;
  Status end_;
};

}  // namespace

std::unique_ptr<FileReader> ReadAhead(std::unique_ptr<ChunkSource> source, int threads,
                                      int64_t first_row, int64_t first_line) {
  const RowCounter counter(first_row, first_line);
  if (source->is_small()) return std::make_unique<DirectReader>(std::move(source), counter);
  return std::make_unique<AheadReader>(std::move(source), threads, counter);
}

int64_t CountLines(std::string_view text) {
  int64_t lines = 0;
  size_t at = 0;
  const __m256i newline = _mm256_set1_epi8('\n');
  for (; at + 32 <= text.size(); at += 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + at));
    lines += __builtin_popcount(
        static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, newline))));
  }
  for (; at < text.size(); ++at) lines += text[at] == '\n';
  return lines;
}

}  // namespace leat
