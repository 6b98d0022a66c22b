#include <proto/msgpack/error.hpp>

namespace switchyard::msgpack {
namespace {

class Category final : public boost::system::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "msgpack"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Error>(value)) {
    case Error::Reserved: return "the byte c1 begins no object";
    case Error::TooDeep: return "arrays and maps are nested too deeply";
    case Error::TooLarge: return "the object is larger than the limit";
    case Error::WrongType: return "the object has another type than its field";
    case Error::OutOfRange: return "the integer does not fit its field";
    }
    return "unknown msgpack error";
  }
};

} // namespace

boost::system::error_code make_error_code(Error error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

} // namespace switchyard::msgpack
