"""What we sign is what the specification, and another project's package, verifies."""

import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from trading.domain import proof, standard_webhooks
from trading.domain.source import Auth

# The vector that the reference libraries test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OLD, NEW = (proof.standard_secret(bytes([number]) * 32) for number in (1, 2))


def headers(*secrets: str, body: bytes) -> dict[str, str]:
    return standard_webhooks.headers(secrets, message_id="msg_1", timestamp=int(time.time()), body=body)


def test_the_reference_vector() -> None:
    assert standard_webhooks.headers([SECRET], message_id=ID, timestamp=AT, body=BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize("known", [OLD, NEW])
def test_while_a_secret_is_rotated_a_receiver_may_know_either(known: str) -> None:
    body = b'{"type":"order.filled","data":{"price":"60000.5"}}'

    assert Webhook(known).verify(body, headers(NEW, OLD, body=body)) == json.loads(body)


@pytest.mark.parametrize("body", [b'{"type": "order.filled"}', b""])
def test_another_body_than_the_signed_one_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers(NEW, body=b'{"type":"order.filled"}'))


def test_another_secret_is_refused() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(b"{}", headers(NEW, body=b"{}"))


def test_our_own_door_reads_what_we_sign() -> None:
    said = standard_webhooks.headers([NEW, OLD], message_id=ID, timestamp=AT, body=BODY)
    read = proof.read(said)
    keys = [proof.key_of(secret, kind=Auth.STANDARD) for secret in (OLD, NEW, SECRET)]

    assert read is not None
    assert (read.signed_at, proof.matches(read, message=BODY, keys=keys)) == (AT, (True, True, False))
