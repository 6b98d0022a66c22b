// Properties: whatever way a request or an answer is split, its end is found at the same place;
// what is read survives being written and read again, in either form of the header; and what was
// read keeps the promises its header makes.
#include <proto/raftwire/answer.hpp>
#include <proto/raftwire/configuration.hpp>
#include <proto/raftwire/request.hpp>

#include <cstdlib>

namespace {

using namespace switchyard::raftwire;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Extent>
void check_split(std::span<const std::byte> bytes) {
  const auto whole = Extent{}.scan(bytes);
  Extent extent;
  for (std::size_t size = 0; size <= bytes.size(); size += 1 + size / 8) {
    const auto part = extent.scan(bytes.first(size));
    if (!part) return require(!whole && whole.error() == part.error());
    if (*part) return require(whole && *whole && (*whole)->size == (*part)->size);
  }
}

void check_entries(const AppendEntriesRequest& request) {
  auto index = request.previous_index;
  auto term = request.previous_term;
  for (const auto& entry : request.entries) {
    require(entry.index == ++index && entry.term >= term && entry.term <= request.term);
    if (changes_servers(entry.type)) require(configuration_of(entry).value().valid());
    term = entry.term;
  }
}

struct Again {
  void operator()(const auto& request) const {
    std::vector<std::byte> bytes;
    append_request(bytes, request);
    const auto frame = RequestExtent{}.scan(bytes);
    require(frame && *frame && (*frame)->size == bytes.size());
    require(std::get<std::decay_t<decltype(request)>>((*frame)->decode().value()) == request);
  }
};

template <class Answer>
void check_answer(const boost::system::result<Answer>& answer, auto decode) {
  if (!answer) return;
  std::vector<std::byte> bytes;
  append_answer(bytes, *answer, "text");
  const auto frame = AnswerExtent{}.scan(bytes);
  require(frame && *frame && (*frame)->error == "text");
  require(decode((*frame)->object).value() == *answer);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  check_split<RequestExtent>(bytes);
  check_split<AnswerExtent>(bytes);

  if (const auto frame = RequestExtent{}.scan(bytes); frame && *frame) {
    const auto request = (*frame)->decode();
    if (request) std::visit(Again{}, *request);
    if (request && std::holds_alternative<AppendEntriesRequest>(*request)) {
      check_entries(std::get<AppendEntriesRequest>(*request));
    }
  }
  if (const auto frame = AnswerExtent{}.scan(bytes); frame && *frame) {
    const auto object = (*frame)->object;
    check_answer(decode_append_entries_answer(object), decode_append_entries_answer);
    check_answer(decode_request_vote_answer(object), decode_request_vote_answer);
    check_answer(decode_pre_vote_answer(object), decode_pre_vote_answer);
    check_answer(decode_install_snapshot_answer(object), decode_install_snapshot_answer);
    check_answer(decode_timeout_now_answer(object), decode_timeout_now_answer);
  }
  if (const auto configuration = decode_configuration(bytes)) {
    const auto again = encode_configuration(*configuration);
    require(decode_configuration(std::as_bytes(std::span{again})).value() == *configuration);
  }
  return 0;
}
