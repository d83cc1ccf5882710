#include "cli/table.h"

#include <arrow/array.h>

#include <algorithm>
#include <cwchar>

namespace leat {
namespace {

using Cells = std::vector<std::vector<std::string>>;

bool IsRightAligned(const Type& type) { return type.is_numeric(); }

// Columns that a terminal gives to a text: wide characters two, combining ones none.
size_t WidthOf(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes && at + i < text.size(); ++i) {
      point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    }
    const bool combining = point >= 0x300 && point < 0x370;
    const bool wide = (point >= 0x1100 && point < 0x1160) || (point >= 0x2E80 && point < 0xA4D0) ||
                      (point >= 0xAC00 && point < 0xD7A4) || (point >= 0xF900 && point < 0xFB00) ||
                      (point >= 0xFF00 && point < 0xFF61) || (point >= 0x1F300 && point < 0x1FB00);
    width += combining ? 0 : wide ? 2 : 1;
    at += bytes;
  }
  return width;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t at = 0;;) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end == text.npos ? text.npos : end - at));
    if (end == text.npos) return lines;
    at = end + 1;
  }
}

std::string CsvCell(const std::string& cell) {
  if (cell.find_first_of(",\"\n\r") == cell.npos) return cell;
  std::string quoted = "\"";
  for (char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string JoinRow(const std::vector<std::string>& row, const std::string& separator, bool csv) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += csv ? "," : separator;
    line += csv ? CsvCell(row[i]) : row[i];
  }
  return line + "\n";
}

std::string Footer(size_t rows) { return fmt::format("({} row{})\n", rows, rows == 1 ? "" : "s"); }

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

std::string Unaligned(const Schema& schema, const Cells& cells, const TableFormat& format) {
  std::string text;
  if (!format.tuples_only) text += JoinRow(NamesOf(schema), format.separator, format.csv);
  for (const auto& row : cells) text += JoinRow(row, format.separator, format.csv);
  if (!format.tuples_only && !format.csv) text += Footer(cells.size());
  return text;
}

// One table row, over as many lines as its longest cell has; '+' marks a cell that goes on.
std::string AlignedRow(const Schema& schema, const std::vector<std::string>& row,
                       const std::vector<size_t>& widths) {
  std::vector<std::vector<std::string_view>> lines;
  size_t height = 1;
  for (const auto& cell : row) {
    lines.push_back(LinesOf(cell));
    height = std::max(height, lines.back().size());
  }
  std::string text;
  for (size_t line = 0; line < height; ++line) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string_view part = line < lines[i].size() ? lines[i][line] : std::string_view();
      const std::string pad(widths[i] - std::min(widths[i], WidthOf(part)), ' ');
      const bool more = line + 1 < lines[i].size();
      const bool last = i + 1 == row.size();
      const bool right = IsRightAligned(schema.columns[i].type);
      text += ' ';
      text += right ? pad + std::string(part) : std::string(part) + (last && !more ? "" : pad);
      text += more ? "+" : last ? "" : " ";
      if (!last) text += '|';
    }
    text += '\n';
  }
  return text;
}

std::string Aligned(const Schema& schema, const Cells& cells, const TableFormat& format) {
  const auto names = NamesOf(schema);
  std::vector<size_t> widths;
  for (size_t i = 0; i < names.size(); ++i) {
    size_t width = format.tuples_only ? 0 : WidthOf(names[i]);
    for (const auto& row : cells) {
      for (const auto line : LinesOf(row[i])) width = std::max(width, WidthOf(line));
    }
    widths.push_back(width);
  }
  std::string text;
  if (!format.tuples_only) {
    for (size_t i = 0; i < names.size(); ++i) {
      const size_t space = widths[i] - WidthOf(names[i]);
      text += (i > 0 ? "|" : "") + fmt::format(" {}{}{} ", std::string(space / 2, ' '), names[i],
                                               std::string(space - space / 2, ' '));
    }
    text += '\n';
    for (size_t i = 0; i < names.size(); ++i) {
      text += (i > 0 ? "+" : "") + std::string(widths[i] + 2, '-');
    }
    text += '\n';
  }
  for (const auto& row : cells) text += AlignedRow(schema, row, widths);
  if (!format.tuples_only) text += Footer(cells.size());
  return text + "\n";
}

std::string Expanded(const Schema& schema, const Cells& cells) {
  const auto names = NamesOf(schema);
  size_t width = 0;
  for (const auto& name : names) width = std::max(width, WidthOf(name));
  std::string text = cells.empty() ? "(0 rows)\n" : "";
  for (size_t row = 0; row < cells.size(); ++row) {
    text += fmt::format("-[ RECORD {} ]-\n", row + 1);
    for (size_t i = 0; i < names.size(); ++i) {
      text += fmt::format("{}{} | {}\n", names[i], std::string(width - WidthOf(names[i]), ' '),
                          cells[row][i]);
    }
  }
  return text + "\n";
}

}  // namespace

Cells CellTexts(const Schema& schema, const Batch& rows, const std::string& null,
                const TextSettings& settings) {
  Cells cells(static_cast<size_t>(rows.rows));
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    const auto column = Plain(rows.columns[c]);
    for (int64_t i = 0; i < rows.rows; ++i) {
      std::string cell;
      if (column->IsNull(i))
        cell = null;
      else
        AppendText(*column, i, schema.columns[c].type, settings, &cell);
      cells[static_cast<size_t>(i)].push_back(std::move(cell));
    }
  }
  return cells;
}

std::string FormatTable(const Schema& schema, const Batch& rows, const TableFormat& format,
                        const TextSettings& settings) {
  const Cells cells = CellTexts(schema, rows, format.null, settings);
  if (format.expanded && !format.csv) return Expanded(schema, cells);
  if (format.csv || !format.aligned) return Unaligned(schema, cells, format);
  return Aligned(schema, cells, format);
}

}  // namespace leat
