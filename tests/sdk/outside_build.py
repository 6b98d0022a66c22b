"""Installs the SDK to a new prefix and builds the examples against it, outside of the tree.

Usage: outside_build.py BUILD_DIRECTORY C_COMPILER...
Each plugin must export one symbol, none of them unique, and carry its manifest through strip -s."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile


EXAMPLES = {"echo": "echo", "grpc_greeter": "greeter", "raft_kv": "raft_kv"}  # folder → plugin
TAGS = {"echo": [14, 15], "greeter": [], "raft_kv": [None]}


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def require(what, is_so):
    if not is_so:
        sys.exit(f"not so: {what}")
    print(f"ok: {what}")


def exported(plugin):
    """Name and type of each dynamic symbol that the file defines."""
    return [line.split()[::-1][:2] for line in run("nm", "-D", "--defined-only", plugin).splitlines()]


def manifest(plugin, folder):
    note = folder / "note"
    run("objcopy", "-O", "binary", "--only-section=.note.switchyard", plugin, note)
    data = note.read_bytes()
    name_size, text_size, kind = struct.unpack_from("<III", data)
    name = data[12:12 + name_size]
    text_at = 12 + (name_size + 3) // 4 * 4
    require("the note is ours", (name, kind) == (b"switchyard\0", 1))
    text = data[text_at:text_at + text_size]
    require("the note's text ends with NUL", text.endswith(b"\0"))
    return json.loads(text[:-1])


def check(plugin, folder, name, tags):
    require("switchyard_plugin_v0 is all that is exported", exported(plugin) == [["switchyard_plugin_v0", "D"]])
    dynamic = run("readelf", "-dW", plugin)
    require("every symbol is bound when it is loaded", "BIND_NOW" in dynamic)
    require("it can be unloaded", "NODELETE" not in dynamic and "STATIC_TLS" not in dynamic)
    require("it has a build id", "Build ID" in run("readelf", "-n", plugin))
    run("strip", "-s", plugin)
    said = manifest(plugin, folder)
    require("the stripped file says who it is", (said["id"], said["version"]) == (f"switchyard.{name}", "0.1.0"))
    require("and for which ABI it was built", said["abi"] == "0.5")
    require("and what it serves", [p.get("tag") for p in said.get("protocols", [])] == tags)


def install(build, folder):
    """Installs the development package to a prefix in `folder`; returns that prefix."""
    run("cmake", "--install", build, "--prefix", folder / "prefix", "--component", "dev")
    # A copy, so that nothing of the tree can be found from it.
    for example, plugin in EXAMPLES.items():
        shutil.copytree(next((folder / "prefix").rglob(f"example/{example}")), folder / plugin)
    return folder / "prefix"


def build_with_cmake(prefix, folder, compiler, name="echo"):
    made = folder / f"build-{name}-{pathlib.Path(compiler).name}"
    run("cmake", "-G", "Ninja", "-S", folder / name, "-B", made, f"-DCMAKE_C_COMPILER={compiler}",
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON")
    run("cmake", "--build", made, umask=0o002)
    plugin = made / f"{name}.so"
    require("only its owner can write it", not plugin.stat().st_mode & 0o022)
    return plugin


def build_by_hand(prefix, folder, compiler, generated):
    """As one who does not use CMake does; only the manifest header is `generated` for him."""
    asks = os.environ | {"PKG_CONFIG_PATH": str(next(prefix.rglob("switchyard.pc")).parent)}
    script = run("pkg-config", "--variable=version_script", "switchyard", env=asks).strip()
    flags = run("pkg-config", "--cflags", "switchyard", env=asks).split()
    plugin = folder / "by-hand.so"
    run(compiler, "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", *flags,
        f"-I{generated}", *sorted((folder / "echo").glob("*.c")), f"-Wl,--version-script={script}",
        "-Wl,-z,defs", "-Wl,-z,relro,-z,now", "-Wl,--build-id", "-o", plugin)
    return plugin


def main(build, compilers):
    with tempfile.TemporaryDirectory(prefix="switchyard-outside-") as name:
        folder = pathlib.Path(name)
        prefix = install(build, folder)
        for compiler in compilers:
            for name in EXAMPLES.values():
                print(f"-- {name}, {compiler}, CMake")
                check(build_with_cmake(prefix, folder, compiler, name), folder, name, TAGS[name])
        print("-- echo, pkg-config")
        generated = folder / f"build-echo-{pathlib.Path(compilers[0]).name}" / "echo_manifest"
        check(build_by_hand(prefix, folder, compilers[0], generated), folder, "echo", TAGS["echo"])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
