#include <tests/peer/fake_dial.hpp>

namespace switchyard::peer {
namespace {

std::string copy(sy_string text) {
  return text.size == 0 ? std::string{} : std::string{text.data, text.size};
}

// The table has no place for more than the host; a test has one of each.
FakeDial* only = nullptr;

} // namespace

FakeDial::FakeDial(FakeHost& host)
    : host_{host},
      table_{
          .struct_size = sizeof table_,
          .reserved = 0,
          .dial = &FakeDial::dial,
          .cancel = [](auto, auto) {}} {
  only = this;
  host.offer(SY_DIAL, &table_);
}

FakeDial::Dial FakeDial::take() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return !dials_.empty(); });
  auto dial = std::move(dials_.front());
  dials_.pop_front();
  return dial;
}

std::size_t FakeDial::waiting() {
  const std::lock_guard lock{mutex_};
  return dials_.size();
}

void FakeDial::connected(const Dial& dial, int socket) {
  host_.on_loop(dial.loop, [&] { dial.done(dial.context, SY_OK, host_.connect(socket), nullptr); });
}

void FakeDial::failed(const Dial& dial, sy_status status) {
  sy_error error{};
  error.struct_size = sizeof error;
  error.code = status;
  host_.on_loop(dial.loop, [&] { dial.done(dial.context, status, nullptr, &error); });
}

sy_status FakeDial::dial(
    const sy_host* host, const sy_dial_options* options, sy_dial_done done, void* context) {
  const auto* loops = static_cast<const sy_loops*>(host->service(host, SY_LOOPS));
  const std::lock_guard lock{only->mutex_};
  only->dials_.push_back(
      {options->tls,
       options->tag,
       copy(options->address),
       copy(options->alpn),
       copy(options->server_name),
       loops->current(host),
       done,
       context});
  only->changed_.notify_all();
  return SY_OK;
}

} // namespace switchyard::peer
