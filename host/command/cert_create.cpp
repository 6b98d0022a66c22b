#include "certificate.hpp"
#include "report.hpp"

#include <host/file/new_file.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

constexpr int kAuthorityDays = 3650;
constexpr std::size_t kLabelMax = 63; // source: RFC 1035 §2.3.4

using Written = std::vector<std::string>;

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::string read(const std::string& path) {
  std::ifstream input{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

/// Letters, digits and hyphens in labels of 1 to 63; what a name in a certificate can be made of.
bool is_dns_name(const std::string& name) {
  std::size_t label = 0;
  for (const char c : name + ".") {
    if (c == '.' ? (label == 0 || label > kLabelMax)
                 : (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-')) {
      return false;
    }
    label = c == '.' ? 0 : label + 1;
  }
  return name.size() < 200;
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  const std::string whole = name;
  const auto label = whole.substr(0, whole.find('.'));
  return is_dns_name(label) ? label : "node";
}

/// Writes `path`.pem and `path`-key.pem, the key first: a certificate never stands there without.
OrFailure<void>
write_pair(const std::string& path, const Certificate& pair, Existing existing, Written& written) {
  const std::pair<std::string, const std::string*> files[] = {
      {path + "-key.pem", &pair.key}, {path + ".pem", &pair.certificate}};
  for (const auto& [file, pem] : files) {
    const auto mode = pem == &pair.key ? 0600u : 0644u;
    const auto done = write_file(file, *pem, mode, existing);
    if (!done) return CertificateFailure{"cannot write " + file + ": " + done.error().message()};
    written.push_back(file);
  }
  return {};
}

/// The authority of the directory, made if there is none.
OrFailure<Certificate> authority_in(const std::string& dir, std::time_t now, Written& written) {
  const auto path = dir + "/ca";
  const auto certificate = exists(path + ".pem");
  const auto key = exists(path + "-key.pem");
  if (certificate != key) {
    return CertificateFailure{
        path + (certificate ? "-key.pem" : ".pem") +
        " is missing beside the other half of the authority; put it back, or take another --dir"};
  }
  if (certificate) return Certificate{read(path + ".pem"), read(path + "-key.pem")};

  auto made = make_authority(now, kAuthorityDays);
  if (!made) return made;
  if (auto done = write_pair(path, *made, Existing::Keep, written); !done) return done.error();
  return made;
}

/// What is wrong with the order; empty when nothing is.
std::string refuse(const CertificateOrder& order, const std::string& path) {
  for (const auto& [option, name] :
       {std::pair{"--node", &order.node},
        {"--dc", &order.dc},
        {"--domain", &order.domain},
        {"--client", &order.client}}) {
    if (!name->empty() && !is_dns_name(*name)) {
      return std::string{option} + " takes letters, digits, '-' and '.', not \"" + *name + "\"";
    }
  }
  if (order.client == "ca" || order.client == "server") {
    return "--client " + order.client + " would take the place of " + order.client + ".pem";
  }
  for (const auto& file : {path + ".pem", path + "-key.pem"}) {
    if (exists(file) && !order.force) return file + " is already there; --force replaces it";
  }
  return {};
}

OrFailure<Certificate> create(const CertificateOrder& order, Written& written) {
  const auto path = order.dir + "/" + (order.client.empty() ? "server" : order.client);
  if (auto refusal = refuse(order, path); !refusal.empty()) return CertificateFailure{refusal};
  mkdir(order.dir.c_str(), 0755);

  const auto now = std::time(nullptr);
  const auto authority = authority_in(order.dir, now, written);
  if (!authority) return authority.error();
  const auto subject =
      order.client.empty()
          ? server_subject(order.node.empty() ? host_name() : order.node, order.dc, order.domain)
          : CertificateSubject{order.client, {order.client}, {}, false};
  auto made = make_certificate(*authority, subject, now, order.days);
  if (!made) return CertificateFailure{order.dir + "/ca.pem: " + made.error().text};
  const auto existing = order.force ? Existing::Replace : Existing::Keep;
  if (auto done = write_pair(path, *made, existing, written); !done) return done.error();
  return made;
}

} // namespace

ExitCode cert_create(const CertificateOrder& order) {
  Written written;
  const auto made = create(order, written);
  if (!made) return report(order.output, kFailed, made.error().text);

  const auto end = end_of(made->certificate);
  if (order.output == Output::Json) {
    boost::json::array files;
    for (const auto& file : written)
      files.emplace_back(file);
    print(boost::json::object{{"files", std::move(files)}, {"valid_until", end}});
    return kDone;
  }
  for (const auto& file : written)
    print("wrote " + file + "\n");
  print("valid until " + end + "\n");
  return kDone;
}

} // namespace switchyard::host
