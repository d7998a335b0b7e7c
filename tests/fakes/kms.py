"""A key management service of our own: GetPublicKey and Sign as AWS KMS speaks them, to the real boto3.

Keys of ECC_SECG_P256K1 only. It signs as the real one does: with a random nonce, s high in half of all cases,
r and s in DER, and a digest as it is, without hashing it again.
"""

import base64
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from coincurve import PrivateKey, PublicKey

from devnet.ports import LOOPBACK, pick_free

Json = dict[str, Any]
# A random whole number below a limit.
Draw = Callable[[int], int]

FIRST_PORT, LAST_PORT = 21_200, 21_399
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SHORT = 1 << 248
_SPKI = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
# A key on another curve (P-256), as `openssl ecparam -name prime256v1` makes them.
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" + b"\x11" * 64
_TARGET = "TrentService."
PATIENCE_SECONDS = 2


class Fault(StrEnum):
    """What an answer can suffer."""

    THROTTLED = "ThrottlingException"
    INTERNAL = "KMSInternalException"
    DENIED = "AccessDeniedException"
    DISABLED = "DisabledException"
    UNKNOWN_KEY = "NotFoundException"
    ERROR_500 = "HTTP 500 and a page"
    SLOW = "the answer comes after the client's patience"
    CLOSED = "the connection ends without an answer"
    MALFORMED = "half of a JSON document"
    EMPTY = "no field at all"
    NOT_BASE64 = "a field that is no base64"
    GARBAGE_DER = "thirty bytes that are no signature"
    OTHER_KEY = "somebody else's signature, or public key"
    OTHER_CURVE = "a public key of P-256"
    HASHED_AGAIN = "the signature of a hash of the digest"


_REFUSALS = {
    Fault.THROTTLED: 400,
    Fault.INTERNAL: 500,
    Fault.DENIED: 400,
    Fault.DISABLED: 400,
    Fault.UNKNOWN_KEY: 400,
}


class Form(StrEnum):
    """What a signature's numbers are made to look like."""

    ANY = "as they come"
    HIGH_S = "s above half of the order"
    LOW_S = "s below it"
    SHORT_R = "r of 31 bytes or fewer"
    SHORT_S = "s of 31 bytes or fewer"


class Kms:
    """The service on a port of its own. `heard` is every request, in order: its action and its body."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Json]] = []
        self.form = Form.ANY
        self._secrets: dict[str, int] = {}
        self._faults: dict[str, Fault] = {}
        self._released = threading.Event()
        (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
        self.url = f"http://{LOOPBACK}:{port}"
        self._server = _server(self, port)

    def keep(self, key_id: str, secret: int | None = None) -> str:
        """Take a key into custody, a new one unless it is given."""
        self._secrets[key_id] = secret or 1 + secrets.randbelow(ORDER - 1)
        return key_id

    def suffer(self, fault: Fault, *, on: str = "") -> None:
        """Let every answer suffer a fault, or those to one action."""
        self._faults[on] = fault

    def mend(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    def count(self, action: str) -> int:
        """How often an action was heard."""
        return [name for name, _ in self.heard].count(action)

    def reply(self, action: str, question: Json) -> tuple[int, bytes] | None:
        """The status and the body of an answer; None: the connection ends."""
        self.heard.append((action, question))
        fault = self._faults.get(action) or self._faults.get("")
        if fault in _REFUSALS:
            return _REFUSALS[fault], json.dumps({"__type": fault, "message": "as it was told"}).encode()
        match fault:
            case Fault.CLOSED:
                return None
            case Fault.SLOW:
                self._released.wait(timeout=PATIENCE_SECONDS + 1)
            case Fault.ERROR_500:
                return 500, b"<html><body>Internal error</body></html>"
            case Fault.EMPTY:
                return 200, b"{}"
            case Fault.NOT_BASE64:
                return 200, b'{"Signature":"*","PublicKey":"*"}'
        whole = json.dumps(self._answer(action, question, fault)).encode()
        return 200, whole[: len(whole) // 2] if fault is Fault.MALFORMED else whole

    def close(self) -> None:
        """End it, and whoever waits for it."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, action: str, question: Json, fault: Fault | None) -> Json:
        key_id = question["KeyId"]
        secret = 1 + secrets.randbelow(ORDER - 1) if fault is Fault.OTHER_KEY else self._secrets[key_id]
        if action == "GetPublicKey":
            spki = _P256 if fault is Fault.OTHER_CURVE else spki_of(secret)
            about = {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"]}
            return {"KeyId": key_id, "PublicKey": base64.b64encode(spki).decode(), **about}
        assert (question["MessageType"], question["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        digest = base64.b64decode(question["Message"])
        if fault is Fault.HASHED_AGAIN:
            digest = hashlib.sha256(digest).digest()
        der = b"\x30\x1e" + b"\x07" * 28 if fault is Fault.GARBAGE_DER else der_of(*sign(secret, digest, form=self.form))
        return {"KeyId": key_id, "Signature": base64.b64encode(der).decode(), "SigningAlgorithm": "ECDSA_SHA_256"}


def sign(secret: int, digest: bytes, *, form: Form = Form.ANY, draw: Draw = secrets.randbelow) -> tuple[int, int]:
    """r and s by the textbook, with a random nonce; drawn again until they have the form."""
    while True:
        nonce = 1 + draw(ORDER - 1)
        r = int.from_bytes(PublicKey.from_secret(nonce.to_bytes(32)).format()[1:]) % ORDER
        if form is Form.SHORT_R and r >= SHORT:
            continue
        s = pow(nonce, -1, ORDER) * (int.from_bytes(digest) + r * secret) % ORDER
        if r and s and _has(form, s):
            return r, s


def _has(form: Form, s: int) -> bool:
    is_high = s > ORDER // 2
    return {Form.HIGH_S: is_high, Form.LOW_S: not is_high, Form.SHORT_S: s < SHORT}.get(form, True)


def der_of(r: int, s: int) -> bytes:
    """Two numbers as a sequence of DER."""
    body = b"".join(_number(number) for number in (r, s))
    return bytes((0x30, len(body))) + body


def spki_of(secret: int) -> bytes:
    """A key's public half, in its frame."""
    return _SPKI + PrivateKey(secret.to_bytes(32)).public_key.format(compressed=False)


def _number(number: int) -> bytes:
    # One bit more than it has: the sign's.
    body = number.to_bytes(number.bit_length() // 8 + 1)
    return bytes((0x02, len(body))) + body


def _server(kms: Kms, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].removeprefix(_TARGET)
            reply = kms.reply(action, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if reply is None:
                return
            status, body = reply
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # The client has lost its patience: that is what SLOW is for.
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Five, the default, drops whom many callers at once make the sixth.
        request_queue_size = 128

    server = Server((LOOPBACK, port), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@contextmanager
def running() -> Iterator[Kms]:
    """A service for the length of a `with`."""
    kms = Kms()
    try:
        yield kms
    finally:
        kms.close()


def environment(kms: Kms) -> dict[str, str]:
    """What leads boto3 to it, with credentials that open nothing else."""
    return {
        "AWS_ENDPOINT_URL_KMS": kms.url,
        "AWS_ACCESS_KEY_ID": "AKIDOFTESTS",
        "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
