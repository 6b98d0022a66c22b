#include "greeting.hpp"

#include <iostream>

namespace {

int failures = 0;

void expect(std::string_view expected, std::string_view got) {
  if (expected == got) return;
  std::cout << "expected \"" << expected << "\", got \"" << got << "\"\n";
  ++failures;
}

} // namespace

int main() {
  expect("", first_line(""));
  expect("", first_line("ann"));
  expect("ann\n", first_line("ann\nbob\n"));
  expect("hello, ann\n", greeting("ann\n"));
  return failures == 0 ? 0 : 1;
}
