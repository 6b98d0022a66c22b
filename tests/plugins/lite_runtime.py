"""Fails when a plugin imports, or carries, what registers descriptors with the full protobuf runtime: such a plugin ends
the process when it is loaded a second time.

Usage: lite_runtime.py DIRECTORY_OF_PLUGINS PLUGIN_OF_THE_FULL_RUNTIME
The second one, made for this test, must be caught."""

import pathlib
import re
import subprocess
import sys

REGISTRATION = re.compile(
    r"google::protobuf::(internal::AddDescriptors|DescriptorPool::|FileDescriptor\b|"
    r"MessageFactory::InternalRegisterGeneratedFile|DescriptorDatabase)")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def faults(plugin):
    imported = output("nm", "-DC", "--undefined-only", plugin)
    yield from sorted({line.split(maxsplit=1)[1] for line in imported.splitlines() if REGISTRATION.search(line)})
    if re.search(r"NEEDED\s+libprotobuf\.so", output("objdump", "-p", plugin)):
        yield "libprotobuf, not libprotobuf-lite"


def main(directory, full):
    found = False
    plugins = sorted(pathlib.Path(directory).glob("*.so"))
    for plugin in plugins:
        for fault in faults(plugin):
            found = True
            print(f"{plugin.name} uses the full protobuf runtime: {fault}")
    caught = list(faults(full))
    print(f"{len(plugins)} plugins; of {pathlib.Path(full).name}:", *caught, sep="\n  ")
    return found or not plugins or len(caught) < 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
