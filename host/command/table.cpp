#include "table.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::host {
namespace {

constexpr std::size_t kGap = 2;

} // namespace

void Table::add(std::vector<std::string> cells) {
  BOOST_ASSERT(cells.size() == columns_.size());
  for (auto& cell : cells) {
    if (cell.empty()) cell.push_back('-');
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::string> titles;
  for (const auto& column : columns_)
    titles.push_back(column.title);

  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = titles[i].size();
    for (const auto& row : rows_)
      width = std::max(width, row[i].size());
    widths.push_back(width);
  }

  std::string text;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - cells[i].size(), ' ');
      if (i != 0) line.append(kGap, ' ');
      line += columns_[i].align == Align::Left ? cells[i] + padding : padding + cells[i];
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  append(titles);
  for (const auto& row : rows_)
    append(row);
  return text;
}

} // namespace switchyard::host
