#include <plugins/raft/log/error.hpp>

#include <string>

namespace switchyard::raft {
namespace {

class Category final : public boost::system::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "switchyard.raft.log"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<LogError>(value)) {
    case LogError::Damaged: return "the log is damaged";
    case LogError::SegmentMissing: return "a segment of the log is missing";
    case LogError::EntriesMissing: return "the log does not reach back to the snapshot";
    case LogError::BallotDamaged: return "the record of term and vote is damaged";
    case LogError::BallotOutdated: return "the record of term and vote is older than the log";
    case LogError::Failed: return "an earlier write to the log has failed";
    case LogError::NoSuchEntry: return "no such entry in the log";
    }
    return "unknown error of the log";
  }
};

} // namespace

boost::system::error_code make_error_code(LogError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

} // namespace switchyard::raft
