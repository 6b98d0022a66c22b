#include <host/plugin/order.hpp>

#include <algorithm>
#include <map>
#include <string_view>

namespace switchyard::host {
namespace {

using enum RefusalCode;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Provider {
  std::size_t plugin;
  std::uint32_t minor;
};

class Planner {
public:
  Planner(
      const Config& config,
      std::span<const Manifest* const> manifests,
      const std::vector<bool>& refused)
      : config_{config}, manifests_{manifests}, out_{refused} {
    for (std::size_t at = 0; at < manifests_.size(); ++at) {
      if (manifests_[at] == nullptr) out_[at] = true;
    }
  }

  Order plan() {
    find_providers();
    drop_unmet();
    drop_circles();
    drop_unmet();
    sort();
    return std::move(order_);
  }

private:
  void drop(std::size_t plugin, Refusal refusal) {
    out_[plugin] = true;
    order_.problems.push_back({plugin, std::move(refusal)});
  }

  [[nodiscard]] const std::string& name(std::size_t plugin) const {
    return config_.plugins[plugin].name;
  }

  void find_providers() {
    for (std::size_t at = 0; at < manifests_.size(); ++at) {
      if (manifests_[at] == nullptr) continue;
      for (const auto& provided : manifests_[at]->provides) {
        const auto [known, added] =
            providers_.try_emplace(provided.interface, Provider{at, provided.minor});
        if (added) continue;
        if (!out_[at]) {
          drop(
              at,
              refuse(ProviderTwice, name(at), {provided.interface, name(known->second.plugin)}));
        }
        break;
      }
    }
  }

  /// Where `required` of `consumer` leads; kNone when to nobody else who starts.
  [[nodiscard]] std::size_t
  provider_of(std::size_t consumer, const RequiredInterface& required) const {
    const auto found = providers_.find(required.interface);
    if (found == providers_.end() || found->second.plugin == consumer) return kNone;
    return out_[found->second.plugin] ? kNone : found->second.plugin;
  }

  /// The refusal of `consumer`, if it requires what it cannot have.
  [[nodiscard]] bool unmet(std::size_t consumer, Refusal& refusal) const {
    for (const auto& required : manifests_[consumer]->requires_) {
      if (required.optional) continue;
      const auto& interface = required.interface;
      const auto found = providers_.find(interface);
      if (found == providers_.end()) {
        refusal = refuse(ProviderMissing, name(consumer), {interface, config_.file});
        return true;
      }
      const auto [provider, minor] = found->second;
      if (minor < required.min_minor) {
        refusal = refuse(
            ProviderTooOld,
            name(consumer),
            {interface, std::to_string(required.min_minor), name(provider), std::to_string(minor)});
        return true;
      }
      if (out_[provider] && provider != consumer) {
        refusal = refuse(ProviderFailed, name(consumer), {interface, name(provider)});
        return true;
      }
    }
    return false;
  }

  void drop_unmet() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t at = 0; at < manifests_.size(); ++at) {
        Refusal refusal;
        if (out_[at] || !unmet(at, refusal)) continue;
        drop(at, std::move(refusal));
        changed = true;
      }
    }
  }

  /// Follows required providers from `plugin`; fills `path` with a circle back to its first
  /// element.
  bool find_circle(std::size_t plugin, std::vector<std::size_t>& path, std::vector<bool>& seen) {
    if (const auto again = std::ranges::find(path, plugin); again != path.end()) {
      path.erase(path.begin(), again);
      return true;
    }
    if (seen[plugin]) return false;
    seen[plugin] = true;
    path.push_back(plugin);
    for (const auto& required : manifests_[plugin]->requires_) {
      const auto provider = provider_of(plugin, required);
      if (!required.optional && provider != kNone && find_circle(provider, path, seen)) return true;
    }
    path.pop_back();
    return false;
  }

  void drop_circles() {
    for (bool changed = true; changed;) {
      changed = false;
      std::vector<bool> seen(manifests_.size());
      for (std::size_t at = 0; at < manifests_.size() && !changed; ++at) {
        std::vector<std::size_t> circle;
        if (out_[at] || !find_circle(at, circle, seen)) continue;
        changed = true;
        for (std::size_t first = 0; first < circle.size(); ++first) {
          std::string path;
          for (std::size_t step = 0; step <= circle.size(); ++step) {
            path += (step == 0 ? "" : " -> ") + name(circle[(first + step) % circle.size()]);
          }
          order_.problems.push_back({circle[first], refuse(Cycle, name(circle[first]), {path})});
        }
        for (const auto plugin : circle)
          out_[plugin] = true;
      }
    }
  }

  /// Whether everything that `plugin` requires, or would like to have, has started.
  [[nodiscard]] bool ready(std::size_t plugin, bool with_optional) const {
    return std::ranges::all_of(manifests_[plugin]->requires_, [&](const auto& required) {
      const auto provider = provider_of(plugin, required);
      return provider == kNone || (required.optional && !with_optional) ||
             std::ranges::find(order_.start, provider) != order_.start.end();
    });
  }

  void sort() {
    std::vector<std::size_t> left;
    for (std::size_t at = 0; at < manifests_.size(); ++at) {
      if (!out_[at]) left.push_back(at);
    }
    while (!left.empty()) {
      auto next = std::ranges::find_if(left, [&](auto plugin) { return ready(plugin, true); });
      if (next == left.end()) {
        next = std::ranges::find_if(left, [&](auto plugin) { return ready(plugin, false); });
      }
      order_.start.push_back(*next);
      left.erase(next);
    }
  }

  const Config& config_;
  std::span<const Manifest* const> manifests_;
  std::vector<bool> out_; ///< does not start
  std::map<std::string_view, Provider> providers_;
  Order order_;
};

} // namespace

Order start_order(
    const Config& config,
    std::span<const Manifest* const> manifests,
    const std::vector<bool>& refused) {
  return Planner{config, manifests, refused}.plan();
}

} // namespace switchyard::host
