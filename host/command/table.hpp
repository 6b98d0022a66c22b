#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::host {

/// Text in aligned columns, for a terminal.
class Table {
public:
  enum class Align : std::uint8_t { Left, Right };

  struct Column {
    std::string title;
    Align align = Align::Left;
  };

  explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}

  /// `cells` is as long as the columns; an empty cell is shown as "-".
  void add(std::vector<std::string> cells);

  /// The titles and every row, each line ended. Widths are counted in bytes.
  [[nodiscard]] std::string text() const;

private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace switchyard::host
