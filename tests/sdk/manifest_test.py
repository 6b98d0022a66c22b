"""What switchyard_manifest_header() takes and refuses, and the sentence of each refusal.

Usage: manifest_test.py CMAKE SwitchyardManifest.cmake"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

LEAST = {"id": "com.example.clock", "version": "1.0.0"}


def least(**more):
    return json.dumps(LEAST | more)


def protocol(**more):
    return least(protocols=[{"name": "a"} | more])


# name, manifest, sentence behind the file's name
REFUSED = [
    ("not JSON", "{", "not JSON: "),
    ("a list", "[]", "a manifest is one JSON object"),
    ("no id", '{"version":"1.0.0"}', "id is missing: lower-case words joined by dots, such as com.example.echo"),
    ("upper-case id", least(id="Clock"), "id: must be lower-case words"),
    ("id with a dot at its end", least(id="a."), "id: must be lower-case words"),
    ("long id", least(id="a" * 65), "id: longer than 64 bytes"),
    ("version of two numbers", least(version="1.0"), "version: must be MAJOR.MINOR.PATCH, such as 1.0.0"),
    ("version as a number", least(version=1), "version: must be MAJOR.MINOR.PATCH"),
    ("another ABI", least(abi="9.9"), "abi: must be 0.5, the ABI of this SDK, or left out"),
    ("ABI with any character for the dot", least(abi="0x5"), "abi: must be 0.5, the ABI of this SDK, or left out"),
    ("two lines", least(description="a\nb"), "description: must be one line of text"),
    ("unknown key", least(protocol=[]), "protocol: no such key; known are id, version, abi, description"),
    ("protocols as an object", least(protocols={}), "protocols: must be a list of protocols"),
    ("protocol as a string", least(protocols=["a"]), "protocols[0]: must be an object"),
    ("protocol without a name", least(protocols=[{"tag": 1}]), "protocols[0].name is missing: "),
    ("protocol twice", least(protocols=[{"name": "a"}, {"name": "a"}]), "protocols[1].name: a is taken by an earlier protocol"),
    ("names that make one macro", least(protocols=[{"name": "a.b"}, {"name": "a_b"}]), "protocols[1].name: a_b and an earlier name both make SY_PROTOCOL_A_B"),
    ("tag 256", protocol(tag=256), "protocols[0].tag: must be a number from 0 to 255"),
    ("tag -1", protocol(tag=-1), "protocols[0].tag: must be a number from 0 to 255"),
    ("tag 1.5", protocol(tag=1.5), "protocols[0].tag: must be a number from 0 to 255"),
    ("tag as a string", protocol(tag="1"), "protocols[0].tag: must be a number from 0 to 255"),
    ("TLS as a tag", protocol(tag=22), "protocols[0].tag: 22 means TLS; take another than 3 and 20 to 23"),
    ("tag of TLS inside", protocol(tag=3), "protocols[0].tag: 3 means TLS"),
    ("empty ALPN", protocol(alpn=""), "protocols[0].alpn: must be an ALPN name"),
    ("ALPN with a blank", protocol(alpn="a b"), "protocols[0].alpn: must be an ALPN name"),
    ("ALPN of 256 bytes", protocol(alpn="a" * 256), "protocols[0].alpn: longer than 255 bytes"),
    ("listener's ALPN with a blank", protocol(listener_alpn="a b"), "protocols[0].listener_alpn: must be an ALPN name"),
    ("listener's ALPN of 256 bytes", protocol(listener_alpn="a" * 256), "protocols[0].listener_alpn: longer than 255 bytes"),
    ("unknown mode", protocol(mode="fd"), 'protocols[0].mode: must be "stream" or "descriptor"'),
    ("unknown key in a protocol", protocol(tags=[1]), "protocols[0].tags: no such key; known are name, tag, alpn, mode, listener_alpn, trial"),
    ("trial as a string", protocol(trial="00"), "protocols[0].trial: must be an object with send and answer"),
    ("trial without an answer", protocol(trial={"send": "00"}), "protocols[0].trial.answer is missing: bytes in hex"),
    ("trial with half a byte", protocol(trial={"answer": "001"}), "protocols[0].trial.answer: must be bytes in hex, two of 0-9a-f each"),
    ("trial in capitals", protocol(trial={"send": "0A", "answer": "00"}), "protocols[0].trial.send: must be bytes in hex"),
    ("trial too long", protocol(trial={"answer": "0" * 8194}), "protocols[0].trial.answer: longer than 8192 bytes"),
    ("unknown key in a trial", protocol(trial={"answer": "00", "expect": "00"}), "protocols[0].trial.expect: no such key; known are send, answer"),
    ("interface without its major", least(provides=[{"interface": "a.b"}]), "provides[0].interface: must be an interface id with its major"),
    ("optional provider", least(provides=[{"interface": "a.b/1", "optional": True}]), "provides[0].optional: no such key"),
    ("registrar as a string", least(provides=[{"interface": "a.b/1", "registrar": "yes"}]), "provides[0].registrar: must be true or false"),
    ("unknown on_swap", least(requires=[{"interface": "a.b/1", "on_swap": "ignore"}]),
     'requires[0].on_swap: must be "rebind", "restart", "drain_first" or "pin"'),
    ("state without a version", least(exclusive=True, state={"reads": [1]}), "state.version is missing: a whole number"),
    ("state of a plugin that is not exclusive", least(state={"version": 1}), "state: only a plugin with exclusive = true hands one over"),
    ("min_minor below 0", least(requires=[{"interface": "a.b/1", "min_minor": -1}]), "requires[0].min_minor: must be a whole number"),
    ("too long", least(protocols=[{"name": f"p{i}", "alpn": "a" * 250} for i in range(250)]), "68960 bytes; a manifest has at most 65535"),
]

# name, manifest
TAKEN = [
    ("the least", least()),
    ("everything", least(
        abi="0.5", description='"quotes", \\ ; [brackets] ${NAME} @NAME@ ??= \u00fc', license="MPL-2.0", contact="a@b.c",
        protocols=[{"name": "a", "tag": 0, "alpn": "a/b"}, {"name": "a.b-c", "tag": 255, "mode": "descriptor", "trial": {"send": "00ff", "answer": "0a"}}],
        provides=[{"interface": "com.example.clock/1", "minor": 2, "registrar": True}],
        requires=[{"interface": "com.example.time/2", "min_minor": 1, "optional": False}])),
    ("laid out", json.dumps(LEAST | {"protocols": [], "provides": []}, indent=4)),
    ("version before a release", least(version="1.0.0-rc.1")),
]


def literal(header, name):
    """The value of a C string literal."""
    text = re.search(rf'^#define {name} "(.*)"$', header, re.MULTILINE)[1]
    return re.sub(r"\\(.)", r"\1", text)


def main(cmake, module):
    failures = 0

    def expect(name, is_so, seen):
        nonlocal failures
        if not is_so:
            failures += 1
            print(f"FAILED {name}: {seen[:400]}")

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        script = folder / "run.cmake"
        script.write_text(f'set(SWITCHYARD_ABI 0.5)\ninclude({module})\n'
                          f'switchyard_manifest_header({folder}/manifest.json {folder}/header.h)\n')

        def made(text):
            (folder / "manifest.json").write_text(text)
            done = subprocess.run([cmake, "-P", script], capture_output=True, text=True)
            return done.returncode, " ".join(done.stderr.split())

        for name, text, sentence in REFUSED:
            status, said = made(text)
            expect(name, status != 0 and " ".join(f"manifest.json: {sentence}".split()) in said, said)
        for name, text in TAKEN:
            status, said = made(text)
            expect(name, status == 0 and not said, said)
            header = (folder / "header.h").read_text()
            canonical = json.dumps(json.loads(text) | {"abi": "0.5"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            expect(f"{name}: text", literal(header, "SY_MANIFEST_JSON") == canonical, header)
            expect(f"{name}: no trigraph", "??" not in header, header)
            expect(f"{name}: id", literal(header, "SY_MANIFEST_ID") == LEAST["id"], header)
            indexes = re.findall(r"^#define SY_PROTOCOL_(\w+) (\d+)u$", header, re.MULTILINE)
            names = [re.sub(r"\W", "_", p["name"]).upper() for p in json.loads(text).get("protocols", [])]
            expect(f"{name}: protocols", indexes == [(n, str(i)) for i, n in enumerate(names)], header)

    print(f"{len(REFUSED)} refused, {len(TAKEN)} taken, {failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
