"""House rules a compiler cannot check. Prints every violation; exit status 1 if there is one."""

import pathlib
import re
import sys

# folder -> what its files may include, by first path component
MAY_INCLUDE = {
    "proto": {"proto"},
    "sdk": {"switchyard"},
    "host": {"host", "proto", "switchyard"},
    "plugins": {"plugins", "proto", "switchyard"},
}
OURS = {"host", "plugins", "proto", "sdk", "switchyard", "tests"}

# rule name -> (where it applies, what must not appear, the one file allowed to)
BANNED = {
    "proto-does-no-io": (r"^proto/", r"#include <(boost/asio|sys/socket|thread|mutex)", None),
    "no-sleep-in-tests": (r"^tests/", r"\b(sleep_for|sleep_until|usleep)\b", None),
    "no-swallowing": (r"", r"catch \(\.\.\.\)", "sdk/include/switchyard/boundary.hpp"),
    "no-vague-names": (r"", r"\b(class|struct) \w*(Manager|Helper|Util)s?\b", None),
}


def violations(path, text):
    folder = path.split("/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        included = re.match(r"#include <(\w+)/(?:(\w+)/)?", line)
        if included and included[1] in OURS - MAY_INCLUDE.get(folder, OURS):
            yield number, f"{folder} must not include {included[1]}"
        elif included and included[1] == folder == "plugins" and included[2] != path.split("/")[1]:
            yield number, "a plugin must not include another plugin"
        for rule, (where, what, exempt) in BANNED.items():
            if path != exempt and re.search(where, path) and re.search(what, line):
                yield number, rule


def main(root):
    found = 0
    for folder in ("host", "sdk", "plugins", "proto", "tests"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in {".h", ".hpp", ".c", ".cpp"}:
                path = file.relative_to(root).as_posix()
                for number, message in violations(path, file.read_text()):
                    print(f"{path}:{number}: {message}")
                    found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
