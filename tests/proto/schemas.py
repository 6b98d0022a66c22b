"""Holds every schema of the repository to its rules. Prints each violation; exit status 1 if there is one.

Usage: schemas.py ROOT PROTOC    schemas.py --self PROTOC
Lite code only: the full runtime registers descriptors, and ends the process at the second load of a plugin.
Each file says who may see it, and the folder public says the same and imports nothing private."""

import pathlib
import re
import subprocess
import sys
import tempfile

FOLDERS = ("proto", "sdk", "plugins", "tests")
FULL_RUNTIME = "AddDescriptors"

VALID = '// A.\n// Visibility: PUBLIC.\nsyntax = "proto3";\npackage a;\noption optimize_for = LITE_RUNTIME;\nmessage A {}\n'
EXAMPLES = {  # text → what must be found
    VALID: [],
    VALID.replace("option optimize_for = LITE_RUNTIME;\n", ""): ["not lite"],
    VALID.replace("LITE_RUNTIME", "SPEED"): ["not lite"],
    VALID.replace("option optimize_for", "// option optimize_for"): ["not lite"],
    VALID.replace("// Visibility: PUBLIC.\n", ""): ["does not say who may see it (// Visibility: …)"],
    VALID.replace("PUBLIC", "private"): ["says private, in a folder of public schemas"],
    VALID.replace("{}", "{"): ["does not compile"],
    VALID.replace("package a;", 'package a;\nimport "b.proto";'): ["does not compile"],
}


def violations(path, roots, protoc):
    text = path.read_text()
    said = re.search(r"^// Visibility: (\w+)", text, re.M)
    if "tests" in path.parts:
        pass  # a test's own: nobody else sees it
    elif not said:
        yield "does not say who may see it (// Visibility: …)"
    elif "public" in path.parts and said[1] != "PUBLIC":
        yield f"says {said[1]}, in a folder of public schemas"
    elif "private" in path.parts and said[1].lower() != "private":
        yield f"says {said[1]}, in a folder of private schemas"
    with tempfile.TemporaryDirectory(prefix="sy-schemas-") as made:
        done = subprocess.run([protoc, *(f"-I{root}" for root in roots), f"--cpp_out={made}", path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            yield "does not compile"
            sys.stderr.write(done.stderr)
        elif any(FULL_RUNTIME in file.read_text() for file in pathlib.Path(made).rglob("*.pb.cc")):
            yield "not lite"


def roots_of(path, root):
    """Where protoc looks for it and what it imports: public schemas see public ones alone."""
    public, private = root / "proto" / "public", root / "proto" / "private"
    if path.is_relative_to(public):
        return [public]
    return [private, public] if path.is_relative_to(private) else [path.parent]


def check(root, protoc):
    schemas = sorted(file for folder in FOLDERS for file in (root / folder).rglob("*.proto"))
    found = [f"{file.relative_to(root)}: {what}" for file in schemas
             for what in violations(file, roots_of(file, root), protoc)]
    print(*found, f"{len(schemas)} schemas, {len(found)} violations", sep="\n")
    return bool(found) or not schemas


def check_self(protoc):
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="sy-schemas-") as name:
        folder = pathlib.Path(name) / "public"
        folder.mkdir()
        for text, expected in EXAMPLES.items():
            (folder / "a.proto").write_text(text)
            found = list(violations(folder / "a.proto", [folder], protoc))
            if found != expected:
                wrong += 1
                print(f"{text}\nfound {found}, not {expected}")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(check_self(sys.argv[2]) if sys.argv[1] == "--self" else check(pathlib.Path(sys.argv[1]), sys.argv[2]))
