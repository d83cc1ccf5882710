#include "connect/postgres/connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "connect/options.h"
#include "connect/secrets.h"

namespace leat {
namespace {

std::string_view Trimmed(const char* text) {
  std::string_view trimmed = text == nullptr ? "" : text;
  while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == ' ')) {
    trimmed.remove_suffix(1);
  }
  return trimmed;
}

// Whether the world failed, and not what was asked: trying again may help.
bool MayPass(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 4> kClasses = {"08", "40", "57", "58"};
  constexpr std::array<std::string_view, 3> kStates = {"53100", "53200", "55P03"};
  if (sqlstate == "57014") return false;  // canceled: by statement_timeout, or by somebody
  return sqlstate.empty() || std::find(kStates.begin(), kStates.end(), sqlstate) != kStates.end() ||
         std::find(kClasses.begin(), kClasses.end(), sqlstate.substr(0, 2)) != kClasses.end();
}

// What of the server's settings, or of a role's rights, is in the way.
struct Advice {
  std::string_view sqlstate;  // or the beginning of one; "" any
  std::string_view words;     // in the message; "" any
  std::string_view hint;
};
constexpr std::array kAdvice = {
    Advice{"55000", "wal_level",
           "Set wal_level = logical in postgresql.conf and restart the server."},
    Advice{"", "all replication slots are in use",
           "Raise max_replication_slots in postgresql.conf and restart the server, or drop a slot "
           "that nobody uses (pg_replication_slots, pg_drop_replication_slot)."},
    Advice{"", "max_wal_senders",
           "Raise max_wal_senders in postgresql.conf and restart the server."},
    Advice{"53300", "", "Raise max_connections, or close connections that nobody uses."},
    Advice{"", "replication role",
           "The role needs the attribute: ALTER ROLE … REPLICATION, as a superuser."},
    Advice{"42501", "to start WAL sender",
           "The role needs the attribute: ALTER ROLE … REPLICATION, as a superuser."},
    Advice{"42501", "permission to use replication slots",
           "The role needs the attribute: ALTER ROLE … REPLICATION, as a superuser."},
    Advice{"42501", "must be owner of",
           "A publication is made by the owner of its tables: have the owner make it, and name it "
           "by the server's option publication."},
    Advice{"42501", "permission denied for database",
           "GRANT CREATE ON DATABASE … lets the role make a publication; or have another make it, "
           "and name it by the server's option publication."},
    Advice{"42501", "permission denied for schema", "GRANT USAGE ON SCHEMA … TO the role."},
    Advice{"42501", "permission denied for",
           "GRANT SELECT ON … TO the role (to write: INSERT, "
           "UPDATE, DELETE)."},
    Advice{"28000", "pg_hba.conf", "A line of pg_hba.conf lets in who may connect, from where."},
    Advice{"28", "",
           "Give user and password by CREATE USER MAPPING … OPTIONS (user '…', password '…'), "
           "PGUSER and PGPASSWORD, or ~/.pgpass."},
    Advice{"", "password authentication failed",
           "Give user and password by CREATE USER MAPPING … OPTIONS (user '…', password '…'), "
           "PGUSER and PGPASSWORD, or ~/.pgpass."},
    Advice{"", "no password supplied",
           "Give a password by CREATE USER MAPPING … OPTIONS (password '…'), PGPASSWORD, or "
           "~/.pgpass."},
    Advice{"", "pg_hba.conf",
           "A line of pg_hba.conf lets in who may connect, from where, to which database (for "
           "changes: a role with REPLICATION, database `all` or by its name)."},
    Advice{"55P03", "",
           "Another session holds a lock there: pg_locks and pg_blocking_pids() tell which."},
    Advice{"57014", "statement timeout", "The role's statement_timeout is too short for this."},
};

std::string_view AdviceFor(std::string_view sqlstate, std::string_view message) {
  for (const Advice& advice : kAdvice) {
    if (sqlstate.starts_with(advice.sqlstate) && message.find(advice.words) != message.npos) {
      return advice.hint;
    }
  }
  return {};
}

Status MakeFailure(std::string_view what, std::string_view place, std::string_view message,
                   SqlError error) {
  if (const auto advice = AdviceFor(error.sqlstate, message); !advice.empty()) {
    error.hint = error.hint.empty() ? std::string(advice) : error.hint + " " + std::string(advice);
  }
  std::string text = fmt::format("could not {} in \"{}\": {}", what, place, message);
  // A failed attempt to connect has no SQLSTATE, whatever the server said: its words tell.
  constexpr std::array<std::string_view, 5> kLasting = {"password", "pg_hba.conf",
                                                        "authentication failed", "does not exist",
                                                        "invalid connection option"};
  const bool lasting = error.sqlstate.empty() &&
                       std::any_of(kLasting.begin(), kLasting.end(),
                                   [&](auto words) { return message.find(words) != message.npos; });
  Status status = SqlStatus(text, error);
  if (!lasting && MayPass(error.sqlstate)) {
    return Status(arrow::StatusCode::IOError, std::move(text), status.detail());
  }
  return status;
}

struct Keywords {
  std::vector<std::string> names, values;
  void Add(std::string name, std::string value) {
    names.push_back(std::move(name));
    values.push_back(std::move(value));
  }
};

Keywords KeywordsOf(const Server& server, const Options& credentials, PostgresConnection::Use use) {
  Keywords all;
  std::string url = OptionOr(server.options, "url", "");
  if (!url.starts_with("postgresql://") && url.starts_with("postgresql:")) {
    url.erase(0, std::string_view("postgresql:").size());
    if (url.empty()) url = " ";  // nothing but what the environment says
  }
  // The first dbname may be a whole connection string; what follows it overrides what it says.
  if (url.find_first_not_of(' ') != url.npos) all.Add("dbname", url);
  for (const auto& [name, value] : credentials) all.Add(name, value);
  all.Add("fallback_application_name", "leat");
  all.Add("client_encoding", "UTF8");
  if (use == PostgresConnection::Use::kReplication) all.Add("replication", "database");
  return all;
}

// "host:port/database" of a connection, or of one that failed as far as it is known.
std::string PlaceOf(PGconn* connection) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  const std::string host = text(PQhost(connection));
  return fmt::format("postgresql://{}:{}/{}", host, text(PQport(connection)),
                     text(PQdb(connection)));
}

}  // namespace

// --- Rows ----------------------------------------------------------------------------------------

PostgresRows::~PostgresRows() { PQclear(result_); }
int PostgresRows::rows() const { return PQntuples(result_); }
int PostgresRows::columns() const { return PQnfields(result_); }
std::string_view PostgresRows::name(int column) const { return PQfname(result_, column); }
bool PostgresRows::IsNull(int row, int column) const {
  return PQgetisnull(result_, row, column) != 0;
}
std::string_view PostgresRows::Text(int row, int column) const {
  return {PQgetvalue(result_, row, column), static_cast<size_t>(PQgetlength(result_, row, column))};
}
int64_t PostgresRows::Integer(int row, int column) const {
  const std::string_view text = Text(row, column);
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
int64_t PostgresRows::rows_affected() const {
  const std::string_view text = PQcmdTuples(result_);
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// --- Connecting ----------------------------------------------------------------------------------

PostgresConnection::PostgresConnection(pg_conn* connection)
    : connection_(connection), place_(PlaceOf(connection)) {}

PostgresConnection::~PostgresConnection() {
  PQfreemem(copied_);
  PQfinish(connection_);
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const Server& server,
                                                                     Use use) {
  LEAT_ASSIGN(const Options credentials, OpenSecrets(server.credentials));
  const Keywords all = KeywordsOf(server, credentials, use);
  std::vector<const char*> names, values;
  for (const auto& name : all.names) names.push_back(name.c_str());
  for (const auto& value : all.values) values.push_back(value.c_str());
  names.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const handle = PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/1);
  if (handle == nullptr) return Status::OutOfMemory("libpq");
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(handle));
  if (PQstatus(handle) != CONNECTION_OK) {
    return MakeFailure("connect", connection->place_, Trimmed(PQerrorMessage(handle)), {});
  }
  PQsetNoticeProcessor(
      handle, [](void*, const char*) {}, nullptr);
  LEAT_RETURN(connection->Prepare());
  return connection;
}

// Values are to be printed as we read them, whatever the role's or the database's settings.
Status PostgresConnection::Prepare() {
  return Execute(
      "SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; "
      "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET xmloption = 'content'; "
      "SET standard_conforming_strings = on; SET search_path = pg_catalog",
      "prepare the session");
}

std::string PostgresConnection::database() const { return PQdb(connection_); }
int PostgresConnection::server_version() const { return PQserverVersion(connection_); }
bool PostgresConnection::in_transaction() const {
  return PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

Status PostgresConnection::Failure(std::string_view what) const {
  return MakeFailure(what, place_, Trimmed(PQerrorMessage(connection_)), {});
}

Status PostgresConnection::Failure(std::string_view what, pg_result* result) const {
  const auto field = [&](int code) {
    return std::string(Trimmed(PQresultErrorField(result, code)));
  };
  SqlError error{.sqlstate = field(PG_DIAG_SQLSTATE),
                 .detail = field(PG_DIAG_MESSAGE_DETAIL),
                 .hint = field(PG_DIAG_MESSAGE_HINT)};
  // "COPY facts, line 3, column mood": which of the rows that were sent.
  const std::string context = field(PG_DIAG_CONTEXT);
  if (error.detail.empty() && context.starts_with("COPY ")) {
    error.detail = context.substr(0, context.find('\n'));
  }
  std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = Trimmed(PQerrorMessage(connection_));
  PQclear(result);
  if (PQstatus(connection_) == CONNECTION_BAD && error.sqlstate.empty()) error.sqlstate = "08006";
  return MakeFailure(what, place_, message, std::move(error));
}

// --- Statements ----------------------------------------------------------------------------------

Result<PostgresRows> PostgresConnection::Query(const std::string& sql, std::string_view what,
                                               const std::vector<std::string>& parameters) {
  LEAT_RETURN(Abandon());
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* const result =
      parameters.empty()
          ? PQexec(connection_, sql.c_str())
          : PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                         values.data(), nullptr, nullptr, /*resultFormat=*/0);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return Failure(what, result);
  return PostgresRows(result);
}

Status PostgresConnection::Execute(const std::string& sql, std::string_view what) {
  return Query(sql, what).status();
}

// --- COPY ----------------------------------------------------------------------------------------

// A COPY that nobody reads to its end: the server is told, and what it still sends is passed over.
Status PostgresConnection::Abandon() {
  if (copying_.empty()) return Status::OK();
  copying_.clear();
  PQfreemem(std::exchange(copied_, nullptr));
  if (PGcancel* cancel = PQgetCancel(connection_); cancel != nullptr) {
    std::array<char, 256> error{};
    PQcancel(cancel, error.data(), error.size());
    PQfreeCancel(cancel);
  }
  PQputCopyEnd(connection_, "abandoned");  // says nothing where rows only come
  while (PGresult* result = PQgetResult(connection_)) {
    if (PQresultStatus(result) == PGRES_COPY_OUT) {
      for (char* row = nullptr; PQgetCopyData(connection_, &row, 0) > 0;) PQfreemem(row);
    }
    PQclear(result);
  }
  return PQstatus(connection_) == CONNECTION_OK ? Status::OK() : Failure("abandon a COPY");
}

Status PostgresConnection::BeginCopyOut(const std::string& sql, std::string_view what) {
  LEAT_RETURN(Abandon());
  PGresult* const result = PQexec(connection_, sql.c_str());
  if (PQresultStatus(result) != PGRES_COPY_OUT) return Failure(what, result);
  PQclear(result);
  copying_ = what;
  return Status::OK();
}

Result<std::optional<std::string_view>> PostgresConnection::NextCopyOut() {
  PQfreemem(std::exchange(copied_, nullptr));
  const int bytes = PQgetCopyData(connection_, &copied_, /*async=*/0);
  if (bytes > 0) {
    return std::optional<std::string_view>(std::string_view(copied_, static_cast<size_t>(bytes)));
  }
  const std::string what = std::exchange(copying_, "");
  if (bytes == -2) return Failure(what);
  Status status;
  while (PGresult* result = PQgetResult(connection_)) {
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
      PQclear(result);
    } else {
      status = Failure(what, result);
    }
  }
  LEAT_RETURN(status);
  return std::optional<std::string_view>();
}

Status PostgresConnection::CopyOut(const std::string& sql, std::string_view what,
                                   const std::function<Status(std::string_view bytes)>& visit) {
  LEAT_RETURN(BeginCopyOut(sql, what));
  while (true) {
    LEAT_ASSIGN(const auto bytes, NextCopyOut());
    if (!bytes) return Status::OK();
    LEAT_RETURN(visit(*bytes));
  }
}

Status PostgresConnection::BeginCopyIn(const std::string& sql, std::string_view what) {
  LEAT_RETURN(Abandon());
  PGresult* const result = PQexec(connection_, sql.c_str());
  if (PQresultStatus(result) != PGRES_COPY_IN) return Failure(what, result);
  PQclear(result);
  copying_ = what;
  return Status::OK();
}

Status PostgresConnection::PutCopyIn(std::string_view bytes) {
  constexpr size_t kPieceMax = 1 << 30;  // libpq counts in int
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceMax))) {
    const size_t piece = std::min(bytes.size(), kPieceMax);
    if (PQputCopyData(connection_, bytes.data(), static_cast<int>(piece)) != 1) {
      return Failure(copying_);
    }
  }
  return Status::OK();
}

Result<int64_t> PostgresConnection::EndCopyIn() {
  const std::string what = std::exchange(copying_, "");
  if (PQputCopyEnd(connection_, nullptr) != 1) return Failure(what);
  int64_t rows = 0;
  Status status;
  while (PGresult* result = PQgetResult(connection_)) {
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
      rows = PostgresRows(result).rows_affected();
    } else {
      status = Failure(what, result);
    }
  }
  LEAT_RETURN(status);
  return rows;
}

Status PostgresConnection::AbortCopyIn(std::string_view why) {
  copying_.clear();
  if (PQputCopyEnd(connection_, std::string(why).c_str()) != 1) return Failure("end a COPY");
  while (PGresult* result = PQgetResult(connection_)) PQclear(result);
  return PQstatus(connection_) == CONNECTION_OK ? Status::OK() : Failure("end a COPY");
}

// --- Names ---------------------------------------------------------------------------------------

std::string QuotePostgresName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

std::string QuotePostgresText(std::string_view text) {
  std::string quoted = text.find('\\') == text.npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + '\'';
}

PostgresTableName TableNameOf(const Server& server, const Options& options,
                              const std::string& name) {
  const std::string table = OptionOr(options, "table", name);
  const std::string schema = OptionOr(options, "schema", OptionOr(server.options, "schema", ""));
  const size_t dot = table.find('.');
  if (!schema.empty() || dot == table.npos) return {schema.empty() ? "public" : schema, table};
  return {table.substr(0, dot), table.substr(dot + 1)};
}

}  // namespace leat
