#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/raft/driver/machine.hpp>

#include <utility>

namespace switchyard::raft {
namespace {

/// Keeps the registrant from leaving while it is called.
class Visit {
public:
  Visit(const sy_journal& journal, sy_registration* registration) noexcept
      : journal_{journal},
        registration_{registration},
        entered_{journal.enter(registration) == SY_OK} {}

  ~Visit() {
    if (entered_) journal_.leave(registration_);
  }

  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  explicit operator bool() const noexcept { return entered_; }

private:
  const sy_journal& journal_;
  sy_registration* registration_;
  bool entered_;
};

/// What a state machine says, or that it says nothing.
sy_status said(sy_status status, const sy_error& error, std::string& text) {
  if (status == SY_OK) return status;
  text = static_cast<const char*>(error.text);
  if (text.empty()) text = "the state machine says status " + std::to_string(status);
  return status;
}

constexpr const char* kGone = "the state machine is leaving";

} // namespace

std::shared_ptr<const Machine> Machine::held(std::shared_ptr<const Machine> machine) {
  if (!machine || machine->journal_.enter(machine->registration_) != SY_OK) return nullptr;
  const auto* same = machine.get();
  return {same, [kept = std::move(machine)](const Machine*) {
            kept->journal_.leave(kept->registration_);
          }};
}

std::optional<std::uint64_t> Machine::applied() const {
  const Visit visit{journal_, registration_};
  return visit ? std::optional{entry_.applied(entry_.context)} : std::nullopt;
}

sy_status Machine::apply(
    const std::vector<sy_raft_entry>& entries,
    std::vector<std::string>& results,
    std::string& error) const {
  const Visit visit{journal_, registration_};
  if (!visit) return error = kGone, SY_REVOKED;
  results.assign(entries.size(), {});
  const sy_raft_results taker{
      sizeof taker,
      0,
      &results,
      [](const sy_raft_results* self, std::size_t position, sy_bytes result) {
        auto& into = *static_cast<std::vector<std::string>*>(self->provider_data);
        if (position >= into.size()) return;
        const auto bytes = view(result);
        into[position].assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }};
  auto why = make_error();
  return said(
      entry_.apply(entry_.context, entries.data(), entries.size(), &taker, &why), why, error);
}

std::unique_ptr<Machine::View> Machine::capture(std::string& error) const {
  if (journal_.enter(registration_) != SY_OK) return error = kGone, nullptr;
  void* captured = nullptr;
  auto why = make_error();
  if (said(entry_.capture(entry_.context, &captured, &why), why, error) != SY_OK) {
    journal_.leave(registration_);
    return nullptr;
  }
  return std::make_unique<View>(*this, captured);
}

Machine::View::~View() {
  machine_->entry_.release(machine_->entry_.context, view_);
  machine_->journal_.leave(machine_->registration_);
}

sy_status
Machine::View::write(SnapshotWriter& into, const std::atomic<bool>& cancelled, std::string& error) {
  struct Into {
    SnapshotWriter& writer;
    const std::atomic<bool>& cancelled;
    boost::system::error_code failed{};
  } target{into, cancelled};

  const sy_raft_sink sink{
      sizeof sink, 0, &target, [](const sy_raft_sink* self, sy_bytes bytes) -> sy_status {
        auto& to = *static_cast<Into*>(self->provider_data);
        if (to.cancelled) return SY_CANCELLED;
        if (const auto done = to.writer.write(view(bytes)); !done) to.failed = done.error();
        return to.failed ? SY_INTERNAL : SY_OK;
      }};
  auto why = make_error();
  const auto& entry = machine_->entry_;
  const auto status = said(entry.write(entry.context, view_, &sink, &why), why, error);
  if (!target.failed) return status;
  error = target.failed.message();
  return SY_INTERNAL;
}

sy_status Machine::restore(
    const std::shared_ptr<const SnapshotFile>& file,
    const std::atomic<bool>& cancelled,
    std::string& error) const {
  const Visit visit{journal_, registration_};
  if (!visit) return error = kGone, SY_REVOKED;

  struct From {
    SnapshotReader reader;
    const std::atomic<bool>& cancelled;
    boost::system::error_code failed{};
  } origin{SnapshotReader{file}, cancelled};

  const sy_raft_source source{
      sizeof source, 0, &origin, [](const sy_raft_source* self, sy_bytes* bytes) -> sy_status {
        auto& from = *static_cast<From*>(self->provider_data);
        if (from.cancelled) return SY_CANCELLED;
        const auto next = from.reader.next();
        if (!next) {
          from.failed = next.error();
          return SY_INTERNAL;
        }
        *bytes = to_c(*next);
        return SY_OK;
      }};
  auto why = make_error();
  const auto status =
      said(entry_.restore(entry_.context, file->meta().index, &source, &why), why, error);
  if (!origin.failed) return status;
  if (status == SY_OK) restored(false);
  error = file->name() + ": " + origin.failed.message();
  return SY_INTERNAL;
}

void Machine::restored(bool keep) const {
  const Visit visit{journal_, registration_};
  if (visit) entry_.restored(entry_.context, keep ? 1 : 0);
}

void Machine::tell(const LeaderChanged& change) const {
  if (entry_.leadership == nullptr) return;
  const Visit visit{journal_, registration_};
  if (!visit) return;
  const sy_raft_leadership leadership{
      sizeof leadership,
      static_cast<sy_raft_role>(change.role),
      change.term,
      to_c(change.id),
      to_c(change.address)};
  entry_.leadership(entry_.context, &leadership);
}

void Machine::placed(bool is) const {
  if (entry_.placed == nullptr) return;
  const Visit visit{journal_, registration_};
  if (visit) entry_.placed(entry_.context, is ? 1 : 0);
}

} // namespace switchyard::raft
