#include <switchyard/bytes.hpp>
#include <switchyard/failure.hpp>

#include <plugins/raft/driver/calls.hpp>

namespace switchyard::raft {

void Finished::tell() const {
  if (status == SY_OK) return done(context, SY_OK, index, {result.data(), result.size()}, nullptr);
  auto why = make_error();
  fill(&why, status, error);
  done(context, status, 0, {}, &why);
}

std::optional<CallId> Calls::add(Call call) {
  std::size_t bytes = 0;
  if (const auto* propose = std::get_if<Call::Propose>(&call.what)) {
    bytes = propose->data.size() + propose->extensions.size();
  }
  if (calls_.size() >= most_ || bytes > kBytesMax - bytes_) return std::nullopt;
  const auto id = ++last_;
  bytes_ += bytes;
  const auto deadline = deadlines_.emplace(call.deadline, id);
  calls_.emplace(id, Held{std::move(call), deadline, bytes});
  return id;
}

Call* Calls::find(CallId id) noexcept {
  const auto at = calls_.find(id);
  return at == calls_.end() ? nullptr : &at->second.call;
}

void Calls::finish(
    CallId id,
    sy_status status,
    std::uint64_t index,
    std::string error,
    std::vector<Finished>& into) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return;
  auto& held = at->second;
  into.push_back({held.call.done, held.call.context, status, index, {}, std::move(error)});
  bytes_ -= held.bytes;
  deadlines_.erase(held.deadline);
  calls_.erase(at);
}

void Calls::applied(std::uint64_t index, std::string result, std::vector<Finished>& into) {
  while (awaits(index)) {
    const auto [at, id] = *awaiting_.begin();
    awaiting_.erase(awaiting_.begin());
    const auto* call = find(id);
    if (call == nullptr) continue;
    const bool proposed = std::holds_alternative<Call::Propose>(call->what);
    finish(id, SY_OK, at, {}, into);
    if (proposed && at == index) into.back().result = std::move(result);
  }
}

void Calls::passed(std::uint64_t index, std::vector<Finished>& into) {
  while (awaits(index)) {
    const auto [at, id] = *awaiting_.begin();
    awaiting_.erase(awaiting_.begin());
    const auto* call = find(id);
    if (call == nullptr) continue;
    if (std::holds_alternative<Call::Propose>(call->what)) {
      finish(
          id, SY_RAFT_UNKNOWN, 0, "it has happened, but not here: its result is not known", into);
    } else {
      finish(id, SY_OK, at, {}, into);
    }
  }
}

void Calls::expire(Time now, std::vector<Finished>& into) {
  while (next_deadline() <= now) {
    finish(
        deadlines_.begin()->second,
        SY_TIMED_OUT,
        0,
        "it took longer than it may; whether it "
        "happens after all is unknown",
        into);
  }
}

void Calls::finish_all(sy_status status, std::string_view error, std::vector<Finished>& into) {
  while (!calls_.empty())
    finish(calls_.begin()->first, status, 0, std::string{error}, into);
  awaiting_.clear();
}

} // namespace switchyard::raft
