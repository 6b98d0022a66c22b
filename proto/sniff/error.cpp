#include <proto/sniff/error.hpp>

namespace switchyard::sniff {
namespace {

class Category final : public boost::system::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "sniff"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Error>(value)) {
    case Error::NotHandshake: return "no TLS handshake record";
    case Error::NotClientHello: return "a TLS handshake message other than ClientHello";
    case Error::Malformed: return "malformed ClientHello";
    case Error::TooLarge: return "ClientHello larger than the limit";
    }
    return "unknown sniff error";
  }
};

} // namespace

boost::system::error_code make_error_code(Error error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

} // namespace switchyard::sniff
