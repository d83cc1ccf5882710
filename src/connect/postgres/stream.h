// The stream of a replication slot: the log's messages as they come, and what the server is told
// about how far they are kept.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/postgres/slot.h"

namespace leat {

struct StreamOptions {
  std::vector<std::string> publications;
  Lsn from = 0;
  bool binary = false;  // values in binary form, where the server can (14 and later)
};

// Used by one thread at a time. After an error it may only be destroyed.
class ReplicationStream {
 public:
  // `connection` is for replication, and does nothing else from now on.
  static Result<std::unique_ptr<ReplicationStream>> Start(
      std::unique_ptr<PostgresConnection> connection, const SlotNames& names,
      const StreamOptions& options);
  ~ReplicationStream();

  // The next message of pgoutput, if it is there already; valid until the next call.
  Result<std::optional<std::string_view>> Next();
  // Waits until there may be more, at most so long. False: there is none.
  bool Wait(std::chrono::milliseconds at_most);

  // Everything before it was sent, as far as it concerns us, and was given by Next.
  Lsn passed() const { return passed_; }

  // Everything before `lsn` may be forgotten. With `ask` the server answers how far it is.
  Status Confirm(Lsn lsn, bool ask);
  // The same again.
  Status Ask() { return Confirm(confirmed_, true); }

 private:
  explicit ReplicationStream(std::unique_ptr<PostgresConnection> connection)
      : connection_(std::move(connection)) {}
  // True: it has a message of pgoutput.
  Result<bool> Read(std::string_view bytes);
  Status TellNowAndThen();

  std::unique_ptr<PostgresConnection> connection_;
  char* bytes_ = nullptr;  // libpq's
  std::string_view message_;
  Lsn passed_ = 0;
  Lsn confirmed_ = 0;  // 0: the server takes it for no news
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace leat
