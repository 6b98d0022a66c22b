"""Holds every C and C++ file to .clang-format; prints what clang-format would change."""

import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
files = [
    file
    for folder in ("host", "sdk", "plugins", "proto", "tests")
    for file in sorted((root / folder).rglob("*"))
    if file.suffix in {".h", ".hpp", ".c", ".cpp"}
]
sys.exit(subprocess.run(["clang-format-14", "--dry-run", "-Werror", *files], cwd=root).returncode)
