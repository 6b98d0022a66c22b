#include "simulated_disk.hpp"

#include <boost/system/errc.hpp>

#include <algorithm>

namespace switchyard::raft::simulation {

using boost::system::result;

namespace {

constexpr std::size_t kSector = 512;

boost::system::error_code broken() {
  return boost::system::errc::make_error_code(boost::system::errc::io_error);
}

} // namespace

class SimulatedFile final : public File {
public:
  SimulatedFile(SimulatedDisk& disk, std::shared_ptr<SimulatedDisk::Content> content)
      : disk_{disk}, content_{std::move(content)} {}

  result<std::uint64_t> size() override { return content_->now.size(); }

  result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    const auto& bytes = content_->now;
    if (offset >= bytes.size()) return std::size_t{0};
    const auto count = std::min<std::size_t>(into.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }

  result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return add({std::nullopt, offset, {bytes.begin(), bytes.end()}});
  }

  result<void> resize(std::uint64_t size) override { return add({size, 0, {}}); }

  result<void> sync() override {
    if (!disk_.change()) return broken();
    for (const auto& change : content_->unsynced)
      SimulatedDisk::apply(content_->durable, change);
    content_->unsynced.clear();
    return {};
  }

private:
  result<void> add(SimulatedDisk::Change change) {
    if (!disk_.change()) return broken();
    SimulatedDisk::apply(content_->now, change);
    content_->unsynced.push_back(std::move(change));
    return {};
  }

  SimulatedDisk& disk_;
  std::shared_ptr<SimulatedDisk::Content> content_;
};

result<std::vector<std::string>> SimulatedDisk::list() {
  std::vector<std::string> names;
  for (const auto& [name, content] : names_)
    names.push_back(name);
  return names;
}

result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& name) {
  auto& content = names_[name];
  if (!content) {
    if (!change()) {
      names_.erase(name);
      return broken();
    }
    content = std::make_shared<Content>();
    unsynced_names_.push_back({name, content});
  }
  return std::make_unique<SimulatedFile>(*this, content);
}

result<void> SimulatedDisk::remove(const std::string& name) {
  if (!change()) return broken();
  names_.erase(name);
  unsynced_names_.push_back({name, nullptr});
  return {};
}

result<void> SimulatedDisk::sync() {
  if (!change()) return broken();
  durable_names_ = names_;
  unsynced_names_.clear();
  return {};
}

void SimulatedDisk::lose_power(Chance& chance) {
  left_.reset();
  const auto kept = chance.below(unsynced_names_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    const auto& [name, content] = unsynced_names_[i];
    if (content) {
      durable_names_[name] = content;
    } else {
      durable_names_.erase(name);
    }
  }
  unsynced_names_.clear();

  const auto share = static_cast<double>(chance.below(5)) / 4; // all, none, or something between
  for (auto& [name, content] : durable_names_) {
    for (const auto& change : content->unsynced) {
      if (change.size) {
        if (chance.of(share)) apply(content->durable, change);
        continue;
      }
      for (std::size_t at = 0; at < change.bytes.size();) {
        const auto end =
            std::min(change.bytes.size(), at + kSector - (change.offset + at) % kSector);
        if (chance.of(share)) {
          const auto first = change.bytes.begin();
          apply(
              content->durable,
              {std::nullopt,
               change.offset + at,
               {first + static_cast<std::ptrdiff_t>(at),
                first + static_cast<std::ptrdiff_t>(end)}});
        }
        at = end;
      }
    }
    content->unsynced.clear();
    content->now = content->durable;
  }
  names_ = durable_names_;
}

void SimulatedDisk::damage(const std::string& name, std::size_t offset) {
  auto& content = *names_.at(name);
  content.now.at(offset) ^= std::byte{0x10};
  content.durable = content.now;
}

bool SimulatedDisk::change() {
  ++operations_;
  if (!left_) return true;
  if (*left_ == 0) return false;
  --*left_;
  return true;
}

void SimulatedDisk::apply(std::vector<std::byte>& bytes, const Change& change) {
  if (change.size) {
    bytes.resize(*change.size);
    return;
  }
  if (bytes.size() < change.offset + change.bytes.size()) {
    bytes.resize(change.offset + change.bytes.size());
  }
  std::ranges::copy(change.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

} // namespace switchyard::raft::simulation
