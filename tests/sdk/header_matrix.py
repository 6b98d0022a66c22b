"""Compiles every header of the SDK alone, in every language and standard it promises, with every compiler given.

Usage: header_matrix.py INCLUDE_DIRECTORY TEST_DIRECTORY C_COMPILER=CXX_COMPILER...
*.h is C99, C11, C17 and C++20; *.hpp is C++20. The frozen layout and signatures are C11, and are held here too."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-pedantic-errors", "-Werror"]


def jobs(include, tests, compilers):
    for c, cxx in compilers:
        for header in sorted(include.rglob("*.h")):
            for standard in ("c99", "c11", "c17"):
                yield [c, f"-std={standard}", "-x", "c", "-include", header, "/dev/null"]
            yield [cxx, "-std=c++20", "-x", "c++", "-include", header, "/dev/null"]
        for header in sorted(include.rglob("*.hpp")):
            yield [cxx, "-std=c++20", "-x", "c++", "-include", header, "/dev/null"]
        for frozen in sorted(tests.glob("abi_*_test.c")):
            yield [c, "-std=c11", frozen]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return command, done.returncode, done.stderr


def main(include, tests, *compilers):
    include = pathlib.Path(include)
    commands = [[job[0], *FLAGS, f"-I{include}", *map(str, job[1:])]
                for job in jobs(include, pathlib.Path(tests), [pair.split("=") for pair in compilers])]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for command, status, said in pool.map(run, commands):
            if status != 0:
                failures += 1
                print(" ".join(command), said, sep="\n")
    print(f"{len(commands)} compilations, {failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
