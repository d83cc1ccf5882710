// A connection to PostgreSQL by libpq: the one client that source, sink and tables use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

// libpq's own, so that its header stays out of ours.
struct pg_conn;
struct pg_result;

namespace leat {

// The rows of one statement, as text.
class PostgresRows {
 public:
  explicit PostgresRows(pg_result* result) : result_(result) {}
  ~PostgresRows();
  PostgresRows(PostgresRows&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
  PostgresRows& operator=(PostgresRows&& other) noexcept {
    std::swap(result_, other.result_);
    return *this;
  }

  int rows() const;
  int columns() const;
  std::string_view name(int column) const;
  bool IsNull(int row, int column) const;
  std::string_view Text(int row, int column) const;  // empty for null
  int64_t Integer(int row, int column) const;        // 0 for null; REQUIRES: an integer's text
  bool Bool(int row, int column) const { return Text(row, column) == "t"; }
  int64_t rows_affected() const;  // by INSERT, UPDATE, DELETE, COPY

 private:
  pg_result* result_;
};

// Used by one thread at a time, but for Cancel. Every error is a Status that says what was tried,
// in which database, with the server's own words, SQLSTATE, detail and hint; where a setting, a
// role's attribute or a GRANT is missing, the hint names it. What trying again may help (no
// connection, a server that starts or stops, a deadlock) is an IOError, which `run` tries again;
// everything else is a SqlStatus, which ends the run. No error, name or log has the password.
class PostgresConnection {
 public:
  enum class Use : uint8_t { kSql, kReplication };

  // To the server's url: `postgresql://…` as libpq reads it, or `postgresql:` and its keywords
  // (`postgresql:service=bank`); what it leaves open comes from the USER MAPPING (user, password,
  // or any other keyword of libpq's), then from PGHOST …, ~/.pgpass and the service file. The
  // session prints values as we read them: UTF8, ISO dates, UTC, intervals as `postgres`.
  static Result<std::unique_ptr<PostgresConnection>> Open(const Server& server,
                                                          Use use = Use::kSql);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // `what` completes "could not …".
  Status Execute(const std::string& sql, std::string_view what);
  // Parameters are $1, $2 … as text; one statement. Without any, several may be sent at once.
  Result<PostgresRows> Query(const std::string& sql, std::string_view what,
                             const std::vector<std::string>& parameters = {});

  // COPY … TO STDOUT: the bytes as they come, cut at the rows that the server sends.
  Status CopyOut(const std::string& sql, std::string_view what,
                 const std::function<Status(std::string_view bytes)>& visit);
  // The same piece by piece: Begin, then Next until it gives nothing. The view lives until the next
  // call. Abandoned where the caller does something else first.
  Status BeginCopyOut(const std::string& sql, std::string_view what);
  Result<std::optional<std::string_view>> NextCopyOut();
  // COPY … FROM STDIN: Begin, Put any bytes, End; the number of rows.
  Status BeginCopyIn(const std::string& sql, std::string_view what);
  Status PutCopyIn(std::string_view bytes);
  Result<int64_t> EndCopyIn();
  // Ends the COPY with an error on the server's side: nothing of it is kept.
  Status AbortCopyIn(std::string_view why);

  // "bank" in "postgresql://host:5432/bank", for messages: no user, no password.
  const std::string& place() const { return place_; }
  std::string database() const;
  int server_version() const;  // 150004
  bool in_transaction() const;
  // For what is not wrapped here: the replication protocol.
  pg_conn* handle() { return connection_; }
  // The error that the connection has now, as a Status.
  Status Failure(std::string_view what) const;
  // Of a result that failed; frees it.
  Status Failure(std::string_view what, pg_result* result) const;

 private:
  explicit PostgresConnection(pg_conn* connection);
  Status Prepare();
  Status Abandon();

  pg_conn* connection_;
  std::string place_;
  std::string copying_;     // what a COPY under way does; "" none
  char* copied_ = nullptr;  // libpq's, of NextCopyOut
};

std::string QuotePostgresName(std::string_view name);  // "a""b", always quoted
std::string QuotePostgresText(std::string_view text);  // 'it''s', with E'' where it has backslashes

// A table there: the option `table` ("schema.name", or "name" in the option `schema` or public).
struct PostgresTableName {
  std::string schema, table;
  std::string quoted() const { return QuotePostgresName(schema) + "." + QuotePostgresName(table); }
  std::string text() const { return schema + "." + table; }
};
PostgresTableName TableNameOf(const Server& server, const Options& options,
                              const std::string& name);

}  // namespace leat
