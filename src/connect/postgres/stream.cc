#include "connect/postgres/stream.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "connect/postgres/binary.h"
#include "data/date.h"

namespace leat {
namespace {

constexpr Micros kEpochMicros = 10957 * kMicrosPerDay;  // 2000-01-01
// How often the server hears from us, though nothing came of it.
constexpr auto kTellEvery = std::chrono::seconds(10);
// A walsender of a process that died a moment ago still holds its slot.
constexpr auto kBusySlotMax = std::chrono::seconds(10);
constexpr auto kBusySlotPause = std::chrono::milliseconds(50);
constexpr int kVersionBinary = 140000;

void AppendUint64(uint64_t value, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

std::string StartCommand(const SlotNames& names, const StreamOptions& options, int version) {
  std::string publications;
  for (const std::string& name : options.publications) {
    publications += (publications.empty() ? "" : ",") + QuotePostgresName(name);
  }
  std::string command = fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {}",
      QuotePostgresName(names.slot), LsnText(options.from), QuotePostgresText(publications));
  if (options.binary && version >= kVersionBinary) command += ", binary 'true'";
  return command + ")";
}

}  // namespace

ReplicationStream::~ReplicationStream() { PQfreemem(bytes_); }

Result<std::unique_ptr<ReplicationStream>> ReplicationStream::Start(
    std::unique_ptr<PostgresConnection> connection, const SlotNames& names,
    const StreamOptions& options) {
  // While queues are full nobody answers the server; that is no reason to give up on us.
  LEAT_RETURN(connection->Execute("SET wal_sender_timeout = '10min'", "prepare the session"));
  const std::string command = StartCommand(names, options, connection->server_version());
  const std::string what = fmt::format("start replication from slot \"{}\"", names.slot);
  const auto until = std::chrono::steady_clock::now() + kBusySlotMax;
  while (true) {
    PGresult* const result = PQexec(connection->handle(), command.c_str());
    if (PQresultStatus(result) == PGRES_COPY_BOTH) {
      PQclear(result);
      break;
    }
    const Status status = connection->Failure(what, result);
    const SqlError* error = SqlErrorOf(status);
    const bool in_use = error != nullptr && error->sqlstate == "55006";
    if (!in_use) return status;
    if (std::chrono::steady_clock::now() > until) {
      return Status(arrow::StatusCode::IOError, status.message(), status.detail());
    }
    std::this_thread::sleep_for(kBusySlotPause);
  }
  std::unique_ptr<ReplicationStream> stream(new ReplicationStream(std::move(connection)));
  // What was read up to there is not kept yet: that is for Confirm to say.
  stream->passed_ = options.from;
  return stream;
}

Result<std::optional<std::string_view>> ReplicationStream::Next() {
  PGconn* const handle = connection_->handle();
  bool asked = false;
  while (true) {
    PQfreemem(std::exchange(bytes_, nullptr));
    const int size = PQgetCopyData(handle, &bytes_, /*async=*/1);
    if (size > 0) {
      LEAT_ASSIGN(const bool message, Read({bytes_, static_cast<size_t>(size)}));
      if (message) return std::optional(message_);
      continue;
    }
    if (size < 0) {
      PGresult* const result = PQgetResult(handle);
      if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        return connection_->Failure("read the replication stream", result);
      }
      PQclear(result);
      return IOErrorF("the server \"{}\" ended the replication stream", connection_->place());
    }
    if (asked) break;
    asked = true;
    if (PQconsumeInput(handle) == 0) return connection_->Failure("read the replication stream");
  }
  LEAT_RETURN(TellNowAndThen());
  return std::optional<std::string_view>();
}

Result<bool> ReplicationStream::Read(std::string_view bytes) {
  const char kind = bytes.front();
  bytes.remove_prefix(1);
  uint64_t start = 0, end = 0, sent_at = 0;
  if (kind == 'w' && TakeUint64(&bytes, &start) && TakeUint64(&bytes, &end) &&
      TakeUint64(&bytes, &sent_at)) {
    message_ = bytes;
    return true;
  }
  if (kind == 'k' && TakeUint64(&bytes, &end) && TakeUint64(&bytes, &sent_at) &&
      bytes.size() == 1) {
    passed_ = std::max(passed_, end);
    if (bytes[0] != 0) LEAT_RETURN(Confirm(confirmed_, false));
    return false;
  }
  return IOErrorF("\"{}\" sent no message of the replication protocol: '{}'", connection_->place(),
                  kind);
}

bool ReplicationStream::Wait(std::chrono::milliseconds at_most) {
  pollfd what{.fd = PQsocket(connection_->handle()), .events = POLLIN, .revents = 0};
  // An error is seen by who reads.
  return what.fd < 0 || ::poll(&what, 1, static_cast<int>(at_most.count())) != 0;
}

Status ReplicationStream::Confirm(Lsn lsn, bool ask) {
  confirmed_ = std::max(confirmed_, lsn);
  told_ = std::chrono::steady_clock::now();
  std::string message = "r";
  AppendUint64(std::max(passed_, confirmed_), &message);  // written
  AppendUint64(confirmed_, &message);                     // flushed
  AppendUint64(confirmed_, &message);                     // applied
  AppendUint64(static_cast<uint64_t>(SystemClock().Now() - kEpochMicros), &message);
  message.push_back(ask ? 1 : 0);
  PGconn* const handle = connection_->handle();
  if (PQputCopyData(handle, message.data(), static_cast<int>(message.size())) != 1 ||
      PQflush(handle) < 0) {
    return connection_->Failure("answer the replication stream");
  }
  return Status::OK();
}

Status ReplicationStream::TellNowAndThen() {
  const bool due = std::chrono::steady_clock::now() - told_ >= kTellEvery;
  return due ? Confirm(confirmed_, false) : Status::OK();
}

}  // namespace leat
