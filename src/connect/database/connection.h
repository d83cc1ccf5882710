// A connection to a database through its ADBC driver.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/database/driver.h"

namespace leat {

using RecordBatches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

// Used by one thread at a time. Outside of Begin … Commit every statement commits by itself. Errors
// say what was tried, where, and the driver's words.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const DatabaseUrl& url);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const DatabaseUrl& url() const { return database_->url(); }
  System system() const { return url().system; }

  // Runs one statement. `what` completes "could not …".
  Status Execute(const std::string& sql, std::string_view what);
  Result<RecordBatches> Query(const std::string& sql, std::string_view what);
  // The same, one batch after another; the connection is busy until it returns.
  Status QueryEach(const std::string& sql, std::string_view what,
                   const std::function<Status(const arrow::RecordBatch& rows)>& visit);
  // Appends rows to a temporary table of this connection.
  Status Ingest(const std::string& table, const arrow::RecordBatch& rows, std::string_view what);

  Status Begin();
  Status Commit();
  Status Rollback();
  bool in_transaction() const { return in_transaction_; }

 private:
  explicit Connection(std::shared_ptr<Database> database) : database_(std::move(database)) {}
  Status SetAutocommit(bool on);

  std::shared_ptr<Database> database_;
  AdbcConnection handle_{};
  bool in_transaction_ = false;
};

}  // namespace leat
