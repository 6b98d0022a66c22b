#include <switchyard/bytes.hpp>
#include <switchyard/descriptor/v1/descriptor.pb.h>
#include <switchyard/failure.hpp>

#include <plugins/grpc/descriptor_set.hpp>

#include <algorithm>
#include <array>

namespace switchyard::grpc {
namespace {

using namespace switchyard::descriptor::v1;

constexpr std::size_t kSizeMax = 16U << 20;

[[noreturn]] void refuse(const std::string& why) {
  throw Failure{SY_INVALID, "the descriptor set " + why};
}

std::string join(const std::string& scope, const std::string& name) {
  return scope.empty() ? name : scope + '.' + name;
}

sy_grpc_kind kind_of(const Method& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? SY_GRPC_BIDIRECTIONAL : SY_GRPC_CLIENT_STREAMING;
  }
  return method.server_streaming() ? SY_GRPC_SERVER_STREAMING : SY_GRPC_UNARY;
}

const char* name_of(sy_grpc_kind kind) {
  static constexpr std::array kNames = {
      "unary", "client-streaming", "server-streaming", "bidirectional"};
  return kNames.at(kind);
}

template <class Map, class Key>
auto find_or_null(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

} // namespace

/// Writes down what one file defines. As deep as messages nest, which protobuf bounds at 100.
struct DescriptorSet::Indexer {
  DescriptorSet& set;
  const DescriptorSet::File& file;

  void define(const std::string& symbol) {
    if (!set.symbols_.try_emplace(symbol, &file).second) refuse("defines " + symbol + " twice");
  }

  void add(const std::string& scope, const Enum& type) {
    define(join(scope, type.name()));
    for (const auto& value : type.value())
      define(join(scope, value.name()));
  }

  void add_extension(const std::string& scope, const Field& extension) {
    define(join(scope, extension.name()));
    const auto& extendee = extension.extendee();
    const auto type = extendee.starts_with('.') ? extendee.substr(1) : extendee;
    if (!set.extensions_[type].try_emplace(extension.number(), &file).second) {
      refuse("extends " + type + " twice with " + std::to_string(extension.number()));
    }
  }

  void add(const std::string& scope, const Message& type) {
    const auto name = join(scope, type.name());
    define(name);
    for (const auto& field : type.field())
      define(join(name, field.name()));
    for (const auto& oneof : type.oneof_decl())
      define(join(name, oneof.name()));
    for (const auto& nested : type.nested_type())
      add(name, nested);
    for (const auto& nested : type.enum_type())
      add(name, nested);
    for (const auto& extension : type.extension())
      add_extension(name, extension);
  }

  void add(const std::string& scope, const Service& service) {
    const auto name = join(scope, service.name());
    define(name);
    for (const auto& method : service.method()) {
      const auto path = join(name, method.name());
      define(path);
      set.methods_.emplace(path, kind_of(method));
    }
  }

  void add(const descriptor::v1::File& from) {
    const auto& scope = from.package();
    for (const auto& type : from.message_type())
      add(scope, type);
    for (const auto& type : from.enum_type())
      add(scope, type);
    for (const auto& extension : from.extension())
      add_extension(scope, extension);
    for (const auto& service : from.service())
      add(scope, service);
  }
};

DescriptorSet::DescriptorSet(std::span<const std::byte> serialized) {
  if (serialized.size() > kSizeMax) refuse("is larger than 16 MiB");
  FileSet set;
  if (!set.ParseFromArray(serialized.data(), static_cast<int>(serialized.size()))) {
    refuse("is no FileDescriptorSet");
  }
  for (auto& bytes : *set.mutable_file()) {
    descriptor::v1::File parsed;
    if (!parsed.ParseFromString(bytes)) refuse("holds a file that is no FileDescriptorProto");
    if (parsed.name().empty()) refuse("holds a file without a name");
    const auto [place, added] = files_.try_emplace(parsed.name());
    if (!added) refuse("holds " + parsed.name() + " twice");
    auto& file = place->second;
    file.bytes = std::move(bytes);
    file.imports.assign(parsed.dependency().begin(), parsed.dependency().end());
    Indexer{*this, file}.add(parsed);
  }
  for (const auto& [name, file] : files_) {
    for (const auto& import : file.imports) {
      if (!files_.contains(import)) {
        refuse("lacks " + import + ", which " + name + " imports; make it with --include_imports");
      }
    }
  }
}

void DescriptorSet::require(std::string_view name, const sy_grpc_service& service) const {
  const std::string owner{name};
  if (!symbols_.contains(owner)) refuse("has no service " + owner + " in it");
  for (std::size_t at = 0; at < service.method_count; ++at) {
    const auto& method = *service.methods[at];
    const auto path = owner + '.' + std::string{view(method.name)};
    const auto* kind = find_or_null(methods_, path);
    if (kind == nullptr) refuse("has no method " + path + " in it");
    if (*kind != method.kind) refuse("says that " + path + " is " + name_of(*kind));
  }
}

const DescriptorSet::File* DescriptorSet::file(std::string_view name) const {
  return find_or_null(files_, name);
}

const DescriptorSet::File* DescriptorSet::file_of_symbol(std::string_view symbol) const {
  const auto* found = find_or_null(symbols_, symbol);
  return found == nullptr ? nullptr : *found;
}

const DescriptorSet::File*
DescriptorSet::file_of_extension(std::string_view type, std::int32_t number) const {
  const auto* numbers = find_or_null(extensions_, type);
  const auto* found = numbers == nullptr ? nullptr : find_or_null(*numbers, number);
  return found == nullptr ? nullptr : *found;
}

std::vector<std::int32_t> DescriptorSet::extensions_of(std::string_view type) const {
  std::vector<std::int32_t> numbers;
  if (const auto* known = find_or_null(extensions_, type)) {
    for (const auto& [number, file] : *known)
      numbers.push_back(number);
  }
  return numbers;
}

std::vector<const DescriptorSet::File*> DescriptorSet::with_imports(const File& file) const {
  std::vector<const File*> all{&file};
  std::vector<const File*> seen{&file}; // sorted, as an import may come by many ways
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (const auto& import : all[at]->imports) {
      const auto* next = find_or_null(files_, import);
      const auto place = std::ranges::lower_bound(seen, next);
      if (place != seen.end() && *place == next) continue;
      seen.insert(place, next);
      all.push_back(next);
    }
  }
  return all;
}

} // namespace switchyard::grpc
