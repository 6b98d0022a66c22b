#pragma once

#include <filesystem>
#include <string>

namespace switchyard::host {

/// A CA and what it signs, made for one test in a directory that goes with it.
class TestCertificates {
public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  [[nodiscard]] std::string ca() const { return path("ca.pem"); }

  [[nodiscard]] std::string certificate() const { return path("server.pem"); }

  [[nodiscard]] std::string key() const { return path("server-key.pem"); }

  /// The path of `name` in the directory.
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_ / name).string();
  }

  /// Signs "NAME.pem" and "NAME-key.pem" for `dns`.
  void issue(const std::string& name, const std::string& dns);

private:
  std::filesystem::path directory_;
  struct Authority;
  Authority* authority_;
};

} // namespace switchyard::host
