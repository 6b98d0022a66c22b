#include <proto/raftwire/fields.hpp>
#include <proto/raftwire/request_type.hpp>
#include <proto/raftwire/timeout_now.hpp>

namespace switchyard::raftwire {
namespace {

void write_header(msgpack::Writer& writer, const Header& header) {
  begin_message(writer, header, 0);
  write_address(writer, header);
  write_id(writer, header);
  write_version(writer, header);
}

} // namespace

boost::system::result<TimeoutNowRequest>
decode_timeout_now(std::span<const std::byte> object) noexcept {
  TimeoutNowRequest request;
  if (const auto error = read_message(object, {}, &request.header, {})) return error;
  return request;
}

boost::system::result<TimeoutNowAnswer>
decode_timeout_now_answer(std::span<const std::byte> object) noexcept {
  TimeoutNowAnswer answer;
  if (const auto error = read_message(object, {}, &answer.header, {})) return error;
  return answer;
}

void append_request(std::vector<std::byte>& out, const TimeoutNowRequest& request) {
  out.push_back(static_cast<std::byte>(RequestType::TimeoutNow));
  msgpack::Writer writer{out};
  write_header(writer, request.header);
}

void append_answer(
    std::vector<std::byte>& out, const TimeoutNowAnswer& answer, std::string_view error) {
  msgpack::Writer writer{out};
  writer.string(error);
  write_header(writer, answer.header);
}

} // namespace switchyard::raftwire
