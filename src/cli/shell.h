// The shell behind `leat sql`: statements and psql's backslash commands, from files, -c or a
// terminal.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/table.h"
#include "run/session.h"

namespace leat {

struct ShellOptions {
  TableFormat format;
  bool quiet = false;                            // -q: no "CREATE TABLE", no messages
  std::map<std::string, std::string> variables;  // -v NAME=VALUE; ON_ERROR_STOP among them
  bool timing = false;
};

// Used by one thread.
class Shell {
 public:
  Shell(Session* session, ShellOptions options, Environment environment);

  // Runs a text of statements and backslash commands; `name` is the file for errors, "" none. COPY
  // FROM stdin reads the lines that follow. False after an error (with ON_ERROR_STOP: at once).
  bool RunText(const std::string& text, const std::string& name);
  // Runs what a file, or "-" standard input, holds.
  bool RunFile(const std::string& path);
  // Reads from a terminal until \q or the end, with line editing and history (~/.leat_history).
  bool RunInteractive();

  bool quit() const { return quit_; }

 private:
  using Lines = std::function<std::optional<std::string>(const std::string& prompt)>;
  bool Loop(const Lines& lines, const std::string& name);
  bool RunBuffer(const std::string& sql, const std::string& name, int first_line,
                 const Session::LineReader& input);
  bool RunStatement(const ParsedStatement& statement, const std::string& sql,
                    const std::string& name, int first_line, const Session::LineReader& input);
  bool RunCommand(const std::string& line);
  bool Describe(const std::string& pattern);
  void ListRelations(const std::string& kinds);
  std::string Substitute(const std::string& sql) const;
  void PrintError(const Status& status, const std::string& sql, const std::string& name,
                  int first_line);
  bool stop_on_error() const;
  TextSettings settings() const { return {.timezone = session_->timezone()}; }

  Session* const session_;
  ShellOptions options_;
  const Environment environment_;
  bool quit_ = false;
};

// How much of a text is whole statements: the place after the last ';' that ends one (outside
// quotes, comments and parentheses), npos if none does. PostgreSQL's lexical rules.
size_t EndOfStatements(std::string_view text);

}  // namespace leat
