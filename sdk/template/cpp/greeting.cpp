#include "greeting.hpp"

std::string_view first_line(std::string_view said) {
  const auto end = said.find('\n');
  return end == said.npos ? std::string_view{} : said.substr(0, end + 1);
}

std::string greeting(std::string_view line) {
  return "hello, " + std::string{line};
}
