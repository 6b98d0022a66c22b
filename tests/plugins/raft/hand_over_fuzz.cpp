// Property: what is taken of another version contradicts nothing, and is written again as it was
// read.
#include <switchyard/failure.hpp>

#include <plugins/raft/driver/hand_over.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::raft;
  try {
    const auto handed = decode_hand_over(std::as_bytes(std::span{data, size}));
    if (handed.last_term > handed.ballot.term || handed.commit_index > handed.last_index)
      std::abort();
    const auto text = encode(handed);
    if (decode_hand_over(std::as_bytes(std::span{text})) != handed) std::abort();
  } catch (const switchyard::Failure&) { // it says why
  }
  return 0;
}
