"""npm's packages of the clients beside this file, as package-lock.json pins them."""

import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE.parents[2] / "build/peers/grpc-clients"
LIMIT = 400  # seconds


def install_packages():
    """npm's packages into build/peers, once; needs the registry then."""
    lock = (HERE / "package-lock.json").read_text()
    installed = PACKAGES / "installed"
    if installed.exists() and installed.read_text() == lock:
        return
    if not shutil.which("npm"):
        raise RuntimeError("npm is missing: packaging/install-dependencies test")
    PACKAGES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, PACKAGES)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"],
        cwd=PACKAGES, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"npm ci could not install {HERE / 'package-lock.json'}; is its registry reachable?\n{done.stdout}")
    installed.write_text(lock)
