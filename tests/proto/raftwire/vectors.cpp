#include "vectors.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace switchyard::raftwire::test {
namespace {

std::ifstream open(std::string_view name) {
  return std::ifstream{SWITCHYARD_SOURCE_DIR "/tests/vectors/hashicorp-raft/" + std::string{name}};
}

std::vector<Vector> read_vectors() {
  std::vector<Vector> all;
  auto file = open("vectors.txt");
  std::string note;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) {
      note = line.substr(2);
      continue;
    }
    std::istringstream words{line};
    Vector vector;
    std::string hex;
    words >> vector.version >> vector.name >> hex;
    vector.note = note;
    vector.bytes = switchyard::test::wire(hex);
    all.push_back(std::move(vector));
  }
  return all;
}

std::vector<Turn> read_dialogue() {
  std::vector<Turn> all;
  auto file = open("dialogue.txt");
  std::string note;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) {
      note = line.substr(2);
      continue;
    }
    std::istringstream words{line};
    std::string version, direction, rest;
    words >> version >> direction >> std::ws;
    std::getline(words, rest);
    if (direction == ">") {
      all.push_back({version, note, switchyard::test::wire(rest), {}, false, {}});
    } else if (rest == "closed") {
      all.back().closed = true;
    } else if (rest.starts_with("text")) {
      all.back().remark = rest;
    } else {
      all.back().answer = switchyard::test::wire(rest);
    }
  }
  return all;
}

} // namespace

const std::vector<Vector>& vectors() {
  static const auto all = read_vectors();
  return all;
}

const Vector& vector(std::string_view version, std::string_view name) {
  for (const auto& one : vectors()) {
    if (one.version == version && one.name == name) return one;
  }
  ADD_FAILURE() << "no vector " << version << ' ' << name;
  static const Vector none;
  return none;
}

const std::vector<Turn>& dialogue() {
  static const auto all = read_dialogue();
  return all;
}

} // namespace switchyard::raftwire::test
