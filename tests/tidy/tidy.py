"""House rules that a compiler cannot check. Prints every violation; exit status 1 if there is one.

Usage: tidy.py ROOT       checks the tree
       tidy.py --self     checks the rules themselves, against text that breaks each of them"""

import pathlib
import re
import subprocess
import sys

# folder -> what its files may include, by first path component
MAY_INCLUDE = {
    "proto": {"proto"},
    "sdk": {"switchyard"},
    "host": {"host", "proto", "switchyard"},
    "plugins": {"plugins", "proto", "switchyard"},
}
OURS = {"host", "plugins", "proto", "sdk", "switchyard", "tests"}

# folder -> targets that its CMake files may not name
MAY_NOT_LINK = {
    "proto": r"\bswitchyard::(sdk|host_\w+|plugin_\w+)\b|\bBoost::asio\b",
    "sdk": r"\bswitchyard::(proto|host|plugin)_\w+\b|\bBoost::",
    "host": r"\bswitchyard::plugin_\w+\b",
    "plugins": r"\bswitchyard::host_\w+\b",
}

CODE = {".h", ".hpp", ".c", ".cpp"}
BUILD = {".cmake", ".txt"}
TEXT = CODE | BUILD | {".md", ".py", ".go", ".toml", ".json", ".sh", ""}

# rule -> (where it applies, what must not appear, files that may all the same)
BANNED = {
    "proto does no I/O, starts no thread, reads no clock and writes no log": (
        r"^proto/.*\.(hpp|cpp)$",
        r"#include <(boost/asio|spdlog|sys/socket|poll|unistd|thread|mutex|atomic|condition_variable|future)"
        r"|::(steady|system|high_resolution)_clock::now\(|\bclock_gettime\b|std::c(out|err)\b",
        ()),
    "the SDK needs nothing but the language": (
        r"^sdk/include/.*\.h(pp)?$", r"#include <(boost|fmt|spdlog|openssl|gtest)/", ()),
    "a test does not sleep: it waits for the event, or turns the clock": (
        r"^tests/(?!bench/).*\.(c|cpp|hpp|h)$", r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|[^\w.]sleep\(", ()),
    "an exception is not swallowed": (
        r"\.(hpp|cpp)$", r"catch \(\.\.\.\)",
        ("sdk/include/switchyard/boundary.hpp",)),
    "a name that says nothing": (
        r"\.(h|hpp|c|cpp)$", r"\b(class|struct|enum class|namespace|namespace \w+(?:::\w+)*::) ?\w*(Manager|Helper|Util|Utils|Common|Misc)\b", ()),
    "a reference to what users do not have": (r"", r"\.\./shared\b|/work/(shared|main)\b", ("tests/tidy/tidy.py",)),
    "a task without an owner and a condition": (r"\.(h|hpp|c|cpp|py|go|cmake)$", r"\b(FIXME|XXX)\b|\bTODO\b(?!\(\w+\): when )", ("tests/tidy/tidy.py",)),
    "detached work loses its errors": (r"\.(hpp|cpp)$", r"\b(net|asio)::detached\b", ()),
}

VAGUE_PATH = r"(^|[/_])(util|utils|helper|helpers|common|misc|manager)([/_.]|$)"

README_HEADINGS = ["Name", "Description", "Configuration", "Metrics", "Failure"]


def includes(path, line):
    folder = path.split("/")[0]
    included = re.match(r"\s*#\s*include <(\w+)/(?:(\w+)/)?", line)
    if not included or included[1] not in OURS:
        return
    if included[1] not in MAY_INCLUDE.get(folder, OURS):
        yield f"{folder} must not include {included[1]}"
    elif included[1] == folder == "plugins" and included[2] != path.split("/")[1]:
        yield "a plugin must not include another plugin"


def violations(path, text):
    """(line number, message) for each broken rule; pure."""
    folder = path.split("/")[0]
    suffix = pathlib.PurePosixPath(path).suffix
    if re.search(VAGUE_PATH, path):
        yield 0, "a file name that says nothing"
    banned = [(rule, what) for rule, (where, what, exempt) in BANNED.items()
              if re.search(where, path) and path not in exempt]
    for number, line in enumerate(text.splitlines(), 1):
        if suffix in CODE:
            for message in includes(path, line):
                yield number, message
        if suffix in BUILD and re.search(MAY_NOT_LINK.get(folder, r"(?!)"), line):
            yield number, f"{folder} must not link that"
        for rule, what in banned:
            if re.search(what, line):
                yield number, rule
    if suffix in {".h", ".hpp"} and folder != "tests" and "#pragma once" not in text:
        yield 1, "a header without #pragma once"
    if re.fullmatch(r"plugins/\w+/README\.md|sdk/example/\w+/README\.md", path):
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        if headings != README_HEADINGS:
            yield 1, f"a plugin's README has the headings {', '.join(README_HEADINGS)}, in this order"


def missing(paths):
    """What should be there beside `paths`."""
    for path in sorted(paths):
        found = re.fullmatch(r"(plugins/\w+|sdk/example/\w+|proto/\w+)/CMakeLists\.txt", path)
        if found and f"{found[1]}/README.md" not in paths:
            yield f"{found[1]}/README.md", "missing"
        found = re.fullmatch(r"tests/(.+)/(\w+)_fuzz\.cpp", path)
        if found and not any(p.startswith(f"tests/{found[1]}/corpus/") for p in paths):
            yield path, "a fuzz target without a corpus beside it"


def tracked(root):
    """Files of the tree; those that git does not know are checked as well, unless it ignores them."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0:
        return [path for path in listed.stdout.splitlines() if (root / path).is_file()]
    skipped = {"build", ".git", "__pycache__"}  # an unpacked archive
    return [file.relative_to(root).as_posix() for file in root.rglob("*")
            if file.is_file() and not skipped & set(file.relative_to(root).parts)]


# path, text, part of the message; "" when nothing is wrong
EXAMPLES = [
    ("proto/yamux/a.cpp", "#include <host/config/config.hpp>", "proto must not include host"),
    ("proto/yamux/a.cpp", "#include <switchyard/status.h>", "proto must not include switchyard"),
    ("proto/netrpc/a.cpp", "#include <proto/msgpack/reader.hpp>", ""),
    ("host/serve/a.cpp", "#include <plugins/netrpc/pool.hpp>", "host must not include plugins"),
    ("plugins/grpc/a.cpp", "#include <plugins/netrpc/pool.hpp>", "a plugin must not include another plugin"),
    ("plugins/grpc/a.cpp", "#include <plugins/grpc/pool.hpp>", ""),
    ("sdk/example/echo/a.c", "#include <proto/yamux/header.hpp>", "sdk must not include proto"),
    ("tests/proto/yamux/a.cpp", "#include <proto/yamux/header.hpp>", ""),
    ("proto/yamux/CMakeLists.txt", "switchyard_protocol(yamux USES switchyard::sdk)", "proto must not link"),
    ("plugins/netrpc/CMakeLists.txt", "LINK switchyard::host_loop", "plugins must not link"),
    ("plugins/netrpc/CMakeLists.txt", "LINK switchyard::proto_yamux", ""),
    ("proto/yamux/a.hpp", "#pragma once\n#include <boost/asio/buffer.hpp>", "proto does no I/O"),
    ("proto/yamux/a.cpp", "auto now = Clock::steady_clock::now();", "proto does no I/O"),
    ("sdk/include/switchyard/a.hpp", "#pragma once\n#include <boost/system/result.hpp>", "nothing but the language"),
    ("tests/host/a.cpp", "std::this_thread::sleep_for(1ms);", "does not sleep"),
    ("tests/host/a.cpp", "::sleep(1);", "does not sleep"),
    ("host/a/a.cpp", "} catch (...) {", "not swallowed"),
    ("sdk/include/switchyard/boundary.hpp", "#pragma once\n} catch (...) {", ""),
    ("host/a/a.hpp", "#pragma once\nclass ConnectionManager {", "says nothing"),
    ("host/a/a.hpp", "#pragma once\nclass ConnectionLimit {", ""),
    ("host/util/a.cpp", "", "says nothing"),
    ("host/a/string_utils.cpp", "", "says nothing"),
    ("host/a/a.md", "see ../" + "shared/design.md", "what users do not have"),
    ("host/a/a.cpp", "// TO" + "DO: later", "without an owner"),
    ("host/a/a.cpp", "// TO" + "DO(ana): when Boost >= 1.86", ""),
    ("host/a/a.cpp", "co_spawn(executor, run(), net::detached);", "loses its errors"),
    ("host/a/a.hpp", "class A;", "#pragma once"),
    ("plugins/grpc/README.md", "# grpc\n## Name\n## Failure\n", "headings"),
    ("plugins/grpc/README.md", "".join(f"## {h}\n" for h in README_HEADINGS), ""),
]


def check_rules():
    wrong = 0
    for path, text, expected in EXAMPLES:
        said = [message for _, message in violations(path, text)]
        if len(said) != (expected != "") or not all(expected in message for message in said):
            print(f"{path}: {text!r}: expected {expected!r}, got {said}")
            wrong += 1
    for paths, expected in (({"plugins/x/CMakeLists.txt"}, 1), ({"plugins/x/CMakeLists.txt", "plugins/x/README.md"}, 0),
                            ({"tests/proto/x/y_fuzz.cpp"}, 1), ({"tests/proto/x/y_fuzz.cpp", "tests/proto/x/corpus/a"}, 0)):
        if len(list(missing(paths))) != expected:
            print(f"{paths}: expected {expected} missing")
            wrong += 1
    return 1 if wrong else 0


def main(root):
    paths = tracked(root)
    found = [(path, 0, message) for path, message in missing(set(paths))]
    for path in paths:
        if pathlib.PurePosixPath(path).suffix in TEXT:
            try:
                text = (root / path).read_text()
            except UnicodeDecodeError:
                continue  # a corpus or a golden file
            found += [(path, number, message) for number, message in violations(path, text)]
    for path, number, message in sorted(found):
        print(f"{path}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(check_rules() if sys.argv[1:] == ["--self"] else main(pathlib.Path(sys.argv[1])))
