#include "cli/shell.h"

#include <histedit.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/whole_file.h"

namespace leat {
namespace {

constexpr const char* kHelp =
    "  \\d [NAME]     list relations, or describe one      \\dt \\dv \\dm \\dE  tables, views, "
    "feature sets, foreign\n"
    "  \\i FILE       run a file                           \\timing [on|off]  time every "
    "statement\n"
    "  \\x            expanded output on and off           \\a \\t            unaligned, tuples "
    "only\n"
    "  \\pset null X  how NULL is shown                    \\set NAME VALUE   a variable, used as "
    ":NAME :'NAME'\n"
    "  \\echo TEXT    print                                \\q               leave\n";

std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    if (word.size() >= 2 && word.front() == '\'' && word.back() == '\'')
      word = word.substr(1, word.size() - 2);
    words.push_back(word);
  }
  return words;
}

// The letter of \dt, \dv, \dm, \dE.
char KindLetter(RelationKind kind) {
  constexpr char kLetters[] = {'t', 'E', 'v', 'm'};
  return kLetters[static_cast<int>(kind)];
}

bool IsOn(const std::string& value) { return value == "on" || value == "1" || value == "true"; }

int LineOf(std::string_view text, size_t at) {
  return 1 +
         static_cast<int>(std::count(text.begin(), text.begin() + static_cast<int64_t>(at), '\n'));
}

}  // namespace

Shell::Shell(Session* session, ShellOptions options, Environment environment)
    : session_(session), options_(std::move(options)), environment_(std::move(environment)) {}

bool Shell::stop_on_error() const {
  const auto it = options_.variables.find("ON_ERROR_STOP");
  return it != options_.variables.end() && it->second != "0" && it->second != "off";
}

// psql's ":NAME", ":'NAME'" and ":\"NAME\"", outside quotes; "::" is a cast.
std::string Shell::Substitute(const std::string& sql) const {
  std::string out;
  char quote = 0;
  for (size_t at = 0; at < sql.size(); ++at) {
    const char c = sql[at];
    if (quote != 0 ? c == quote : c == '\'' || c == '"') quote = quote != 0 ? 0 : c;
    if (c != ':' || quote != 0 || at + 1 == sql.size()) {
      out += c;
      continue;
    }
    if (sql[at + 1] == ':') {
      out += "::";
      ++at;
      continue;
    }
    const char style = sql[at + 1] == '\'' || sql[at + 1] == '"' ? sql[at + 1] : '\0';
    const size_t begin = at + (style != 0 ? 2 : 1);
    size_t end = begin;
    while (end < sql.size() &&
           (std::isalnum(static_cast<unsigned char>(sql[end])) || sql[end] == '_'))
      ++end;
    const auto it = options_.variables.find(sql.substr(begin, end - begin));
    const bool closed = style == 0 || (end < sql.size() && sql[end] == style);
    if (it == options_.variables.end() || !closed) {
      out += c;
      continue;
    }
    std::string value = it->second;
    if (style != 0) {
      for (size_t i = value.find(style); i != value.npos; i = value.find(style, i + 2))
        value.insert(i, 1, style);
      value = style + value + style;
    }
    out += value;
    at = end - (style != 0 ? 0 : 1);
  }
  return out;
}

void Shell::PrintError(const Status& status, const std::string& sql, const std::string& name,
                       int first_line) {
  if (!name.empty()) {
    const SqlError* error = SqlErrorOf(status);
    const bool placed = error != nullptr && error->location >= 0 &&
                        static_cast<size_t>(error->location) <= sql.size();
    const int line =
        first_line + (placed ? LineOf(sql, static_cast<size_t>(error->location)) - 1 : 0);
    std::fprintf(stderr, "leat:%s:%d: ", name.c_str(), line);
  }
  std::fputs(FormatError(status, sql).c_str(), stderr);
}

bool Shell::RunStatement(const ParsedStatement& statement, const std::string& sql,
                         const std::string& name, int first_line,
                         const Session::LineReader& input) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = session_->Execute(statement, input);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!result.ok()) {
    PrintError(result.status(), sql, name, first_line);
    return false;
  }
  if (result->output) {
    std::fputs(result->output->c_str(), stdout);
  } else if (result->has_rows) {
    std::fputs(FormatTable(result->schema, result->rows, options_.format, settings()).c_str(),
               stdout);
  } else if (!options_.quiet) {
    std::printf("%s\n", result->tag.c_str());
  }
  if (options_.timing) std::printf("Time: %.3f ms\n", took.count());
  std::fflush(stdout);
  return true;
}

bool Shell::RunBuffer(const std::string& sql, const std::string& name, int first_line,
                      const Session::LineReader& input) {
  const std::string text = Substitute(sql);
  const auto statements = ParseSql(text, environment_);
  if (!statements.ok()) {
    PrintError(statements.status(), text, name, first_line);
    return false;
  }
  for (const auto& statement : *statements) {
    if (!RunStatement(*statement, text, name, first_line, input)) return false;
  }
  return true;
}

// Collects lines until a statement is whole; backslash commands stand at the beginning of one.
bool Shell::Loop(const Lines& lines, const std::string& name) {
  std::string buffer;
  int line_number = 0, buffer_line = 1;
  bool good = true;
  const Session::LineReader input = [&] {
    ++line_number;
    return lines("");
  };
  while (!quit_) {
    const bool fresh = buffer.find_first_not_of(" \t\r\n") == buffer.npos;
    auto line = lines(fresh ? "leat=> " : "leat-> ");
    if (!line) break;
    ++line_number;
    if (fresh) buffer_line = line_number, buffer.clear();
    bool done = true;
    if (fresh && line->find_first_not_of(" \t") != line->npos &&
        (*line)[line->find_first_not_of(" \t")] == '\\') {
      done = RunCommand(line->substr(line->find_first_not_of(" \t")));
    } else {
      buffer += *line + "\n";
      const size_t end = EndOfStatements(buffer);
      if (end == buffer.npos) continue;
      const std::string whole = buffer.substr(0, end);
      buffer.erase(0, end);
      done = RunBuffer(whole, name, buffer_line, input);
    }
    good = good && done;
    if (!done && stop_on_error()) return false;
  }
  if (buffer.find_first_not_of(" \t\r\n;") != buffer.npos && !quit_) {
    good = RunBuffer(buffer, name, buffer_line, input) && good;
  }
  return good;
}

bool Shell::RunText(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  return Loop(
      [&](const std::string&) -> std::optional<std::string> {
        std::string line;
        if (!std::getline(in, line)) return std::nullopt;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
      },
      name);
}

bool Shell::RunFile(const std::string& path) {
  const auto text = ReadWholeFile(path);
  if (text.ok()) return RunText(*text, path == "-" ? "" : path);
  std::fprintf(stderr, "leat: %s\n", text.status().message().c_str());
  return false;
}

bool Shell::RunInteractive() {
  static std::string prompt;  // editline asks for it by a function without a context
  History* past = history_init();
  HistEvent event;
  ::history(past, &event, H_SETSIZE, 2000);
  const char* home = std::getenv("HOME");
  const std::string file = home == nullptr ? "" : std::string(home) + "/.leat_history";
  if (!file.empty()) ::history(past, &event, H_LOAD, file.c_str());
  EditLine* edit = el_init("leat", stdin, stdout, stderr);
  el_set(
      edit, EL_PROMPT, +[](EditLine*) { return prompt.data(); });
  el_set(edit, EL_EDITOR, "emacs");
  el_set(edit, EL_HIST, ::history, past);
  el_set(edit, EL_SIGNAL, 1);
  if (!options_.quiet) std::printf("leat %s. \\? for help, \\q to leave.\n", LEAT_VERSION);
  const bool good = Loop(
      [&](const std::string& ask) -> std::optional<std::string> {
        prompt = ask;
        int count = 0;
        errno = 0;
        const char* line = el_gets(edit, &count);
        if (line == nullptr || count <= 0) return std::nullopt;
        if (count > 1) ::history(past, &event, H_ENTER, line);
        return std::string(line, static_cast<size_t>(line[count - 1] == '\n' ? count - 1 : count));
      },
      "");
  if (!file.empty()) ::history(past, &event, H_SAVE, file.c_str());
  el_end(edit);
  history_end(past);
  return good;
}

// --- Backslash commands --------------------------------------------------------------------------

void Shell::ListRelations(const std::string& kinds) {
  std::vector<const Relation*> relations;
  for (const auto& [name, relation] : session_->catalog().relations()) {
    if (kinds.empty() || kinds.find(KindLetter(relation.kind)) != kinds.npos)
      relations.push_back(&relation);
  }
  if (relations.empty()) {
    std::printf("Did not find any relations.\n");
    return;
  }
  std::printf("%-30s | %-18s | %s\n", "Name", "Type", "Description");
  for (const Relation* relation : relations) {
    std::printf("%-30s | %-18s | %s\n", relation->name.c_str(),
                std::string(KindName(relation->kind)).c_str(), relation->comment.c_str());
  }
}

bool Shell::Describe(const std::string& pattern) {
  const Relation* relation = session_->catalog().FindRelation(pattern);
  if (relation == nullptr) {
    std::fprintf(stderr, "Did not find any relation named \"%s\".\n", pattern.c_str());
    return false;
  }
  std::printf("%s \"%s\"\n", std::string(KindName(relation->kind)).c_str(), relation->name.c_str());
  for (const ColumnSpec& column : relation->columns) {
    std::printf("  %-28s %-28s%s%s%s\n", column.column.name.c_str(),
                TypeName(column.column.type).c_str(), column.column.nullable ? "" : "not null ",
                column.comment.empty() ? "" : "-- ", column.comment.c_str());
  }
  for (const CheckSpec& check : relation->checks) std::printf("  check: %s\n", check.name.c_str());
  if (!relation->server.empty()) std::printf("  server: %s\n", relation->server.c_str());
  for (const auto& [name, value] : relation->options)
    std::printf("  %s: '%s'\n", name.c_str(), value.c_str());
  if (!relation->sql.empty()) std::printf("  as: %s\n", relation->sql.c_str());
  return true;
}

bool Shell::RunCommand(const std::string& line) {
  const auto words = Words(line);
  const std::string& command = words[0];
  const auto argument = [&](size_t i) { return i < words.size() ? words[i] : std::string(); };
  const auto toggle = [&](bool* flag) { *flag = words.size() > 1 ? IsOn(words[1]) : !*flag; };
  if (command == "\\q")
    quit_ = true;
  else if (command == "\\?" || command == "\\h")
    std::fputs(kHelp, stdout);
  else if (command == "\\timing")
    toggle(&options_.timing);
  else if (command == "\\x")
    toggle(&options_.format.expanded);
  else if (command == "\\t")
    toggle(&options_.format.tuples_only);
  else if (command == "\\a")
    toggle(&options_.format.aligned);
  else if (command == "\\echo")
    std::printf("%s\n", line.size() > 6 ? line.substr(6).c_str() : "");
  else if (command == "\\set")
    options_.variables[argument(1)] = argument(2);
  else if (command == "\\unset")
    options_.variables.erase(argument(1));
  else if (command == "\\pset" && argument(1) == "null")
    options_.format.null = argument(2);
  else if (command == "\\i") {
    return RunFile(argument(1));
  } else if (command.starts_with("\\d")) {
    if (words.size() > 1) return Describe(words[1]);
    ListRelations(command.substr(2));
  } else {
    std::fprintf(stderr, "invalid command %s\nTry \\? for help.\n", command.c_str());
    return false;
  }
  return true;
}

}  // namespace leat
