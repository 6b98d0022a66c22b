#include "checker.hpp"

#include <algorithm>
#include <functional>

namespace switchyard::raft::simulation {
namespace {

template <class... Parts>
[[noreturn]] void violated(const Parts&... parts) {
  std::string text;
  const auto add = [&](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(part)>>) {
      text += std::to_string(part);
    } else {
      text += part;
    }
  };
  (add(parts), ...);
  throw Violated{text};
}

std::uint64_t hash_of(const raftwire::Entry& entry) {
  return std::hash<std::string_view>{}(entry.data) * 31 + static_cast<std::uint64_t>(entry.type) +
         1;
}

std::uint64_t& at(std::vector<std::uint64_t>& values, std::uint64_t index) {
  if (values.size() <= index) values.resize(index + 1);
  return values[index];
}

} // namespace

void Checker::node_changed(NodeId node, const Core& core) {
  auto& seen = seen_[node];
  if (core.term() < seen.term) violated("n", node, ": term went back to ", core.term());
  if (core.commit_index() < seen.commit) violated("n", node, ": commit index went back");
  if (seen.leads && core.role() == Role::Leader && core.term() == seen.term &&
      core.commit_index() > seen.commit) {
    leader_commits(node, core);
  }

  for (auto i = seen.commit + 1; i <= core.commit_index(); ++i) {
    const auto term = core.log().term(i);
    if (!term) continue; // in a snapshot
    auto& known = at(committed_, i);
    if (known != 0 && known != *term) violated("n", node, ": commits another entry at ", i);
    known = *term;
    last_committed_ = std::max(last_committed_, i);
  }
  seen.term = core.term();
  seen.commit = core.commit_index();

  const bool now_leads = core.role() == Role::Leader;
  if (now_leads && !seen.leads) leads(node, core);
  seen.leads = now_leads;
  if (!now_leads) return;
  if (core.configurations().count_after(last_committed_) > 1) {
    violated("n", node, ": two open configurations");
  }
  auto& by_this = committed_by_[core.term()];
  by_this = std::max(by_this, core.commit_index());
}

/// Only an entry of its own term, and only what a majority has said to have.
void Checker::leader_commits(NodeId node, const Core& core) {
  const auto index = core.commit_index();
  if (core.log().term(index) != core.term()) violated("n", node, ": commits by an earlier term");
  std::size_t having = 0;
  const auto& members = core.configurations().latest();
  for (const auto& server : members.servers) {
    const auto id = static_cast<NodeId>(std::stoul(server.id.substr(1)));
    const bool has =
        id == node ? core.durable_index() >= index : told_[id].acknowledged[core.term()] >= index;
    if (server.voter() && has) ++having;
  }
  if (having < majority(members)) violated("n", node, ": commits what a majority does not have");
}

void Checker::leads(NodeId node, const Core& core) {
  const auto [at_term, first] = leaders_.emplace(core.term(), node);
  if (!first && at_term->second != node) violated("two leaders in term ", core.term());

  const auto& members = core.configurations().latest();
  const auto votes = std::ranges::count_if(members.servers, [&](const auto& server) {
    const auto id = static_cast<NodeId>(std::stoul(server.id.substr(1)));
    const auto vote = told_[id].votes.find(core.term());
    const bool voted = vote != told_[id].votes.end() && vote->second == core.ballot().candidate;
    return server.voter() && (id == node || voted);
  });
  if (static_cast<std::size_t>(votes) < majority(members)) {
    violated("n", node, ": leads without a majority of votes in term ", core.term());
  }
  for (const auto& [term, index] : committed_by_) {
    if (term >= core.term() || index <= core.log().base_index()) continue;
    const auto there = core.log().term(index);
    if (there != at(committed_, index)) {
      violated("n", node, ": leads in term ", core.term(), " without committed entry ", index);
    }
  }
}

void Checker::node_stopped(NodeId node) {
  seen_.erase(node);
}

void Checker::node_started(NodeId node, const Core& core) {
  const auto& told = told_[node];
  if (core.term() < told.term) violated("n", node, ": forgot term ", told.term);
  const auto vote = told.votes.find(core.term());
  if (vote != told.votes.end() && core.ballot().candidate != vote->second) {
    violated("n", node, ": forgot its vote in term ", core.term());
  }
  if (told.index > core.snapshot().index && core.log().term(told.index) != told.index_term) {
    violated("n", node, ": lost acknowledged entry ", told.index);
  }
}

void Checker::appended(NodeId node, const Append& append, const TermRuns& log) {
  auto& told = told_[node];
  if (append.entries.front().index <= told.index) told.index = 0;
  auto previous = log.term(append.entries.front().index - 1).value_or(0);
  for (const auto& entry : append.entries) {
    const Content content{previous, hash_of(entry)};
    const auto [known, first] = entries_.emplace(std::pair{entry.index, entry.term}, content);
    const auto& other = known->second;
    if (!first && (other.previous_term != content.previous_term || other.hash != content.hash)) {
      violated("n", node, ": logs differ before entry ", entry.index, " of term ", entry.term);
    }
    previous = entry.term;
  }
}

void Checker::term_told(NodeId node, std::uint64_t term) {
  auto& told = told_[node];
  told.term = std::max(told.term, term);
}

void Checker::vote_told(NodeId node, std::uint64_t term, std::string_view candidate) {
  const auto [known, first] = told_[node].votes.emplace(term, candidate);
  if (!first && known->second != candidate) violated("n", node, ": votes twice in term ", term);
}

void Checker::entries_told(
    NodeId node, std::uint64_t index, std::uint64_t term, const TermRuns& log) {
  auto& told = told_[node];
  auto& acknowledged = told.acknowledged[term];
  acknowledged = std::max(acknowledged, index);
  // A later leader may have taken it back while the answer waited for the disk.
  if (index < told.index || log.term(index) != term) return;
  told.index = index;
  told.index_term = term;
}

std::uint64_t Checker::applied(std::uint64_t chain, const raftwire::Entry& entry) {
  const auto next = (chain * 1099511628211) ^ (hash_of(entry) + entry.index * 7919 + entry.term);
  auto& known = at(chains_, entry.index);
  if (known != 0 && known != next) violated("another entry applied at ", entry.index);
  known = next;
  return next;
}

void Checker::restored(std::uint64_t index, std::uint64_t chain) {
  if (at(chains_, index) != chain) violated("a snapshot of another state at ", index);
}

void Checker::acknowledged(std::uint64_t index, std::string_view data) {
  const auto term = at(committed_, index);
  const auto entry = entries_.find({index, term});
  if (term == 0 || entry == entries_.end()) violated("acknowledged, not committed: ", index);
  const raftwire::Entry expected{index, term, raftwire::EntryType::Command, data, {}};
  if (entry->second.hash != hash_of(expected)) violated("another entry acknowledged at ", index);
  acknowledged_ = std::max(acknowledged_, index);
}

} // namespace switchyard::raft::simulation
