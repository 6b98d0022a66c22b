#include "report.hpp"

#include <host/file/new_file.hpp>
#include <host/plugin/staging.hpp>
#include <host/plugin/trust.hpp>

#include <boost/json/object.hpp>

#include <fstream>
#include <iterator>
#include <span>

namespace switchyard::host {

ExitCode plugin_hash(Output output, const std::string& file) {
  const auto digest = sha256_of(file);
  if (!digest) return report(output, kFailed, file + " cannot be read");
  if (output == Output::Json) {
    print(boost::json::object{{"file", file}, {"sha256", *digest}});
  } else {
    print("sha256 = \"" + *digest + "\"\n");
  }
  return kDone;
}

ExitCode plugin_sign(Output output, const std::string& file, const std::string& key) {
  std::ifstream input{file, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{input}, {}};
  if (!input || bytes.empty())
    return report(output, kFailed, file + " cannot be read, or is empty");
  const auto signature = sign(std::as_bytes(std::span{bytes}), key);
  if (!signature) return report(output, kFailed, "key " + key + ": " + signature.error().clause);
  const auto path = file + ".sig";
  if (const auto written = write_file(path, *signature, 0644, Existing::Replace); !written)
    return report(output, kFailed, path + " cannot be written: " + written.error().message());
  if (output == Output::Json) {
    print(boost::json::object{{"file", file}, {"signature", path}});
  } else {
    print("signature written to " + path + "\n");
  }
  return kDone;
}

} // namespace switchyard::host
