# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of a test, made by the openssl program in its own folder."""
import subprocess


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True)


class Authority:
    """A CA: `file` is its certificate."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "90", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign",
                "-keyout", f"{name}.key", "-out", self.file, cwd=folder)

    def issue(self, name, common_name=None, hosts="IP:127.0.0.1,DNS:localhost", days=90):
        """NAME.pem and NAME.key, of mode 0600; their paths."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", f"/CN={common_name or name}", "-keyout", key,
                "-out", f"{name}.csr", cwd=self.folder)
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={hosts}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", self.file,
                "-CAkey", f"{self.name}.key", "-CAcreateserial", "-days", str(days),
                "-extfile", f"{name}.ext", "-out", cert, cwd=self.folder)
        key.chmod(0o600)
        return cert, key
