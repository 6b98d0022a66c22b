#pragma once

#include <tests/proto/wire.hpp>

#include <string>
#include <string_view>

namespace switchyard::raftwire::test {

using switchyard::test::Bytes;

/// One line of tests/vectors/hashicorp-raft/vectors.txt.
struct Vector {
  std::string version; ///< "raft-1.1.2" or "raft-1.7.3"
  std::string name;
  std::string note; ///< the line above it
  Bytes bytes;
};

/// All of them, in order.
const std::vector<Vector>& vectors();

/// The one of that version and name; a test fails without it.
const Vector& vector(std::string_view version, std::string_view name);

/// One request and its answer from tests/vectors/hashicorp-raft/dialogue.txt.
struct Turn {
  std::string version;
  std::string note;
  Bytes request;
  Bytes answer;       ///< empty when there is none
  bool closed;        ///< the node closed the connection
  std::string remark; ///< in words, what could not be given as bytes
};

const std::vector<Turn>& dialogue();

} // namespace switchyard::raftwire::test
