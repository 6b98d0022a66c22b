#include <proto/raftwire/error.hpp>

#include <string>

namespace switchyard::raftwire {
namespace {

class Category final : public boost::system::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "switchyard.raftwire"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Error>(value)) {
    case Error::UnknownRequest: return "unknown type of raft request";
    case Error::Incomplete: return "the message ends before its fields do";
    case Error::NumberTooLarge: return "an index or a term is out of range";
    case Error::UnknownEntryType: return "unknown type of log entry";
    case Error::IndexGap: return "the entries do not follow each other";
    case Error::TermOrder: return "the terms of the entries are out of order";
    case Error::TooManyEntries: return "too many entries in one request";
    case Error::InvalidConfiguration: return "not a valid configuration";
    case Error::NegativeSize: return "a snapshot of negative size";
    }
    return "unknown raftwire error";
  }
};

} // namespace

boost::system::error_code make_error_code(Error error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

} // namespace switchyard::raftwire
