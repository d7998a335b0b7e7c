"""Over TLS the certificate must be the name's, whatever address the name led to."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bots.adapters.postman import HttpPostman
from bots.domain.delivery import Answer, Trouble
from bots.domain.target import Address, Rules
from devnet.ports import pick_free
from tests.fakes.receiver import FIRST_PORT, LAST_PORT

NAME = "hooks.test"


def make_certificate(path: Path) -> None:
    """A certificate for NAME, signed by itself, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    built = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(HTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Who doesn't trust us hangs up."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    made = tmp_path / "certificate.pem"
    make_certificate(made)
    return made


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A target with that certificate."""
    (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = _Server(("127.0.0.1", port), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield port
    server.shutdown()
    server.server_close()
    thread.join()


def here(_: str, __: int) -> list[Address]:
    """Every name leads to this machine."""
    return [ipaddress.ip_address("127.0.0.1")]


def post(port: int, *, name: str, trusted: Path | None) -> Answer:
    postman = HttpPostman(rules=Rules(hosts=frozenset({name}), may_be_local=True), resolve=here)
    if trusted is not None:
        postman.__dict__["_trust"] = ssl.create_default_context(cafile=str(trusted))
    return postman.post(f"https://{name}:{port}/", headers={}, body=b"{}")


def test_a_certificate_of_the_name_is_trusted(port: int, certificate: Path) -> None:
    assert post(port, name=NAME, trusted=certificate) == Answer(trouble=Trouble.NONE, status=204)


def test_a_certificate_of_another_name_is_not(port: int, certificate: Path) -> None:
    assert post(port, name="other.test", trusted=certificate) == Answer(trouble=Trouble.CONNECTION)


def test_a_certificate_that_nobody_vouches_for_is_not(port: int) -> None:
    assert post(port, name=NAME, trusted=None) == Answer(trouble=Trouble.CONNECTION)
