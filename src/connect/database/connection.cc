#include "connect/database/connection.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>

namespace leat {
namespace {

// A statement that releases itself.
class Statement {
 public:
  Statement(Database* database, AdbcConnection* connection, std::string_view what)
      : database_(*database), driver_(database->driver()), what_(what) {
    made_ = Check(driver_.StatementNew(connection, &handle_, &error_));
  }
  ~Statement() {
    if (handle_.private_data != nullptr) driver_.StatementRelease(&handle_, &error_);
    if (error_.release != nullptr) error_.release(&error_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Status SetSql(const std::string& sql) {
    LEAT_RETURN(made_);
    return Check(driver_.StatementSetSqlQuery(&handle_, sql.c_str(), &error_));
  }
  Status SetOption(const char* name, const char* value) {
    LEAT_RETURN(made_);
    return Check(driver_.StatementSetOption(&handle_, name, value, &error_));
  }
  Status Bind(const arrow::RecordBatch& rows) {
    ArrowArray array{};
    ::ArrowSchema schema{};
    LEAT_RETURN(arrow::ExportRecordBatch(rows, &array, &schema));
    return Check(driver_.StatementBind(&handle_, &array, &schema, &error_));
  }
  Status Run() { return Check(driver_.StatementExecuteQuery(&handle_, nullptr, nullptr, &error_)); }
  Status Run(ArrowArrayStream* stream) {
    return Check(driver_.StatementExecuteQuery(&handle_, stream, nullptr, &error_));
  }

 private:
  Status Check(AdbcStatusCode code) {
    const Status status = AdbcStatus(database_.url(), what_, code, &error_);
    error_ = ADBC_ERROR_INIT;
    return status;
  }

  Database& database_;
  AdbcDriver& driver_;
  std::string_view what_;
  AdbcStatement handle_{};
  AdbcError error_ = ADBC_ERROR_INIT;
  Status made_;
};

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const DatabaseUrl& url) {
  LEAT_ASSIGN(auto database, Database::Open(url));
  auto connection = std::unique_ptr<Connection>(new Connection(std::move(database)));
  AdbcError error = ADBC_ERROR_INIT;
  AdbcDriver& driver = connection->database_->driver();
  LEAT_RETURN(
      AdbcStatus(url, "connect", driver.ConnectionNew(&connection->handle_, &error), &error));
  LEAT_RETURN(AdbcStatus(
      url, "connect",
      driver.ConnectionInit(&connection->handle_, &connection->database_->handle(), &error),
      &error));
  if (url.system == System::kSqlite) {
    LEAT_RETURN(connection->Execute("PRAGMA busy_timeout = 5000", "connect"));
    LEAT_RETURN(connection->Execute("PRAGMA cache_size = -32768", "connect"));  // 32 MiB
  }
  return connection;
}

Connection::~Connection() {
  if (handle_.private_data == nullptr) return;
  AdbcError error = ADBC_ERROR_INIT;
  AdbcDriver& driver = database_->driver();
  if (in_transaction_) driver.ConnectionRollback(&handle_, &error);
  if (error.release != nullptr) error.release(&error);
  error = ADBC_ERROR_INIT;
  driver.ConnectionRelease(&handle_, &error);
  if (error.release != nullptr) error.release(&error);
}

Status Connection::Execute(const std::string& sql, std::string_view what) {
  Statement statement(database_.get(), &handle_, what);
  LEAT_RETURN(statement.SetSql(sql));
  return statement.Run();
}

Status Connection::QueryEach(const std::string& sql, std::string_view what,
                             const std::function<Status(const arrow::RecordBatch& rows)>& visit) {
  Statement statement(database_.get(), &handle_, what);
  LEAT_RETURN(statement.SetSql(sql));
  ArrowArrayStream stream{};
  LEAT_RETURN(statement.Run(&stream));
  LEAT_ASSIGN(const auto reader, arrow::ImportRecordBatchReader(&stream));
  while (true) {
    const auto rows = reader->Next();
    if (!rows.ok()) {
      return IOErrorF("could not {} in \"{}\": {}", what, url().text, rows.status().message());
    }
    if (*rows == nullptr) return Status::OK();
    LEAT_RETURN(visit(**rows));
  }
}

Result<RecordBatches> Connection::Query(const std::string& sql, std::string_view what) {
  RecordBatches batches;
  LEAT_RETURN(QueryEach(sql, what, [&](const arrow::RecordBatch& rows) {
    batches.push_back(arrow::RecordBatch::Make(rows.schema(), rows.num_rows(), rows.columns()));
    return Status::OK();
  }));
  return batches;
}

Status Connection::Ingest(const std::string& table, const arrow::RecordBatch& rows,
                          std::string_view what) {
  Statement statement(database_.get(), &handle_, what);
  LEAT_RETURN(statement.SetOption(ADBC_INGEST_OPTION_TARGET_TABLE, table.c_str()));
  LEAT_RETURN(statement.SetOption(ADBC_INGEST_OPTION_TEMPORARY, ADBC_OPTION_VALUE_ENABLED));
  LEAT_RETURN(statement.SetOption(ADBC_INGEST_OPTION_MODE, ADBC_INGEST_OPTION_MODE_APPEND));
  LEAT_RETURN(statement.Bind(rows));
  return statement.Run();
}

Status Connection::SetAutocommit(bool on) {
  AdbcError error = ADBC_ERROR_INIT;
  return AdbcStatus(url(), on ? "end the transaction" : "begin a transaction",
                    database_->driver().ConnectionSetOption(
                        &handle_, ADBC_CONNECTION_OPTION_AUTOCOMMIT,
                        on ? ADBC_OPTION_VALUE_ENABLED : ADBC_OPTION_VALUE_DISABLED, &error),
                    &error);
}

Status Connection::Begin() {
  LEAT_RETURN(SetAutocommit(false));
  in_transaction_ = true;
  return Status::OK();
}

Status Connection::Commit() {
  AdbcError error = ADBC_ERROR_INIT;
  LEAT_RETURN(
      AdbcStatus(url(), "commit", database_->driver().ConnectionCommit(&handle_, &error), &error));
  in_transaction_ = false;
  return SetAutocommit(true);
}

Status Connection::Rollback() {
  if (!in_transaction_) return Status::OK();
  in_transaction_ = false;
  AdbcError error = ADBC_ERROR_INIT;
  LEAT_RETURN(AdbcStatus(url(), "roll back",
                         database_->driver().ConnectionRollback(&handle_, &error), &error));
  return SetAutocommit(true);
}

}  // namespace leat
