#include <proto/consul/error.hpp>

namespace switchyard::consul {
namespace {

class Category final : public boost::system::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "switchyard.consul"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Error>(value)) {
    case Error::Incomplete: return "the structure ends before its fields do";
    }
    return "unknown consul error";
  }
};

} // namespace

boost::system::error_code make_error_code(Error error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

} // namespace switchyard::consul
