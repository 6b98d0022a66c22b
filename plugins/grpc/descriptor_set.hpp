#pragma once

#include <switchyard/grpc/services.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::grpc {

/// The files of one serialized google.protobuf.FileDescriptorSet, and what they define. Immutable:
/// any thread.
class DescriptorSet {
public:
  struct File {
    std::string bytes; ///< a serialized FileDescriptorProto, as it came
    std::vector<std::string> imports;
  };

  /// Of nothing.
  DescriptorSet() = default;
  DescriptorSet(DescriptorSet&&) = default;
  DescriptorSet& operator=(DescriptorSet&&) = default;

  /// Throws Failure, which says what is wrong with the set: it is no such message or larger than
  /// 16 MiB, a file imports another that is not there, a name is defined twice.
  explicit DescriptorSet(std::span<const std::byte> serialized);

  /// Throws Failure unless the set defines the service `name`, and its methods as `service` has
  /// them.
  void require(std::string_view name, const sy_grpc_service& service) const;

  /// Null when it is not there.
  [[nodiscard]] const File* file(std::string_view name) const;

  /// The file that defines `symbol`, a full name of anything; null when there is none.
  [[nodiscard]] const File* file_of_symbol(std::string_view symbol) const;

  /// The file that defines field `number` as an extension of the message `type`, or null.
  [[nodiscard]] const File* file_of_extension(std::string_view type, std::int32_t number) const;

  /// The numbers of its extensions, ascending.
  [[nodiscard]] std::vector<std::int32_t> extensions_of(std::string_view type) const;

  /// `file`, then all that it imports, each once.
  [[nodiscard]] std::vector<const File*> with_imports(const File& file) const;

private:
  struct Indexer;

  std::map<std::string, File, std::less<>> files_; // whose addresses stay
  std::map<std::string, const File*, std::less<>> symbols_;
  std::map<std::string, std::map<std::int32_t, const File*>, std::less<>> extensions_;
  std::map<std::string, sy_grpc_kind, std::less<>> methods_; ///< by "package.Service.Method"
};

} // namespace switchyard::grpc
