"""Certificates made at test time, with openssl: authorities, servers, clients, and the odd ones."""

import ssl
import subprocess

SERVER_NAMES = "DNS:server.dc1.consul,DNS:localhost,IP:127.0.0.1"
LONG_AGO = ("20010101000000Z", "20020101000000Z")


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


class Authority:
    """A CA in a directory of its own. Certificates are P-256 and come as NAME.pem and NAME-key.pem."""

    def __init__(self, directory, name="ca"):
        directory.mkdir(parents=True)
        self.directory = directory
        self.certificate = directory / "ca.pem"
        self.key = directory / "ca-key.pem"
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        # Only `openssl ca` sets both ends of the time a certificate is valid for.
        (directory / "ca.conf").write_text(
            f"[ca]\ndefault_ca = it\n[it]\ndatabase = {directory}/index\nserial = {directory}/serial\n"
            f"new_certs_dir = {directory}\ndefault_md = sha256\ndefault_days = 1\npolicy = any\n"
            "unique_subject = no\nx509_extensions = leaf\n[any]\ncommonName = supplied\n[leaf]\n"
            "basicConstraints = critical,CA:false\nextendedKeyUsage = serverAuth,clientAuth\n"
            f"subjectAltName = {SERVER_NAMES}\n"
        )
        (directory / "index").touch()
        (directory / "serial").write_text("1001\n")

    def issue(self, name, valid=None):
        """A certificate for NAME; `valid` is (from, until) as YYYYMMDDHHMMSSZ. Returns (certificate, key)."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}-key.pem"
        wish = self.directory / f"{name}.csr"
        _openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", wish,
        )  # fmt: skip
        _openssl(
            "ca", "-batch", "-notext", "-config", self.directory / "ca.conf", "-cert", self.certificate,
            "-keyfile", self.key, "-in", wish, "-out", certificate,
            *(("-startdate", valid[0], "-enddate", valid[1]) if valid else ()),
        )  # fmt: skip
        return certificate, key


def client_context(authority, identity=None, alpn=(), version=None):
    """A verifying TLS client that trusts `authority` and shows `identity`, (certificate, key), if asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.certificate)
    if identity:
        context.load_cert_chain(*identity)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    return context
