"""A certificate authority for one test, and kamailio's TLS configuration with a certificate of it."""

import os
import subprocess


def _openssl(*argv, stdin=None):
    done = subprocess.run(["openssl", *argv], input=stdin, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(argv)}: {done.stderr}")


class Authority:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.certificate = os.path.join(directory, "ca.pem")
        self._key = os.path.join(directory, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=Test CA", "-keyout", self._key, "-out", self.certificate)

    def issue(self, name, *alternatives):
        """A server's certificate for these names ("DNS:example.test", "IP:…"); (certificate, key)."""
        base = os.path.join(self.directory, name)
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", f"{base}.key", "-out", f"{base}.csr")
        with open(f"{base}.ext", "w", encoding="utf-8") as extensions:
            extensions.write(f"subjectAltName={','.join(alternatives)}\n")
        _openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey", self._key, "-days", "2",
                 "-CAcreateserial", "-extfile", f"{base}.ext", "-out", f"{base}.pem")
        return f"{base}.pem", f"{base}.key"


class ServerTls:
    """What a node shows: the same certificate on every node, unless a test gives one its own."""

    def __init__(self, certificate, key):
        self._certificate, self._key = certificate, key

    def kamailio_config(self, directory):
        path = os.path.join(directory, "tls.cfg")
        with open(path, "w", encoding="utf-8") as config:
            config.write(f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
                         f"private_key = {self._key}\ncertificate = {self._certificate}\n"
                         "[client:default]\nmethod = TLSv1.2+\nverify_certificate = no\n")
        return path
