"""Refuses to start unsafe: each rule is one line of a table, and a finding says what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import LazySettings, settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Doubt
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

BASE_CHAIN = 8453
LOCAL_CHAIN = 31337
SHORTEST_SECRET_KEY = 50
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - names to refuse
# Of what a role may do too much; one is enough to refuse.
SHOWN_AT_MOST = 5
ROLE_HINT = "Let DATABASE_URL name a role that owns nothing, then run manage.py migrate with DATABASE_OWNER_URL."
# The accounts of anvil's published mnemonic: whoever reads its manual owns them.
PUBLIC_ACCOUNTS = frozenset(
    (
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that must not be; `everywhere` holds outside production too."""

    id: str
    is_broken: Callable[[LazySettings], bool]
    message: str
    hint: str
    everywhere: bool = False


def _has_raw_key_on_base(conf: LazySettings) -> bool:
    is_local = conf.SIGNER_BACKEND == "local" and bool(conf.SIGNER_PRIVATE_KEYS)
    return is_local and conf.CHAIN_ID == BASE_CHAIN and not conf.ALLOW_LOCAL_SIGNER


def _has_public_key(conf: LazySettings) -> bool:
    return conf.CHAIN_ID != LOCAL_CHAIN and any(_address(key) in PUBLIC_ACCOUNTS for key in conf.SIGNER_PRIVATE_KEYS)


def _is_live_without_key(conf: LazySettings) -> bool:
    return conf.EXEC_MODE == "LIVE" and conf.SIGNER_BACKEND == "local" and not conf.SIGNER_PRIVATE_KEYS


def _has_kms_without_its_key(conf: LazySettings) -> bool:
    return conf.SIGNER_BACKEND == "kms" and not (conf.KMS_KEY_IDS and conf.AWS_REGION)


def _has_local_prices(conf: LazySettings) -> bool:
    """Whether a price comes from this machine or unencrypted, or from the feeds of a chain for development."""
    urls = {"venue": conf.VERANTA_FEED_URL, "pyth": conf.PYTH_HERMES_URL, "coingecko": conf.COINGECKO_URL}
    named = [urlsplit(url) for source, url in urls.items() if source in conf.PRICE_SOURCES]
    is_mocked = any(url.scheme != "https" or url.hostname in LOOPBACK for url in named)
    return is_mocked or ("chainlink" in conf.PRICE_SOURCES and conf.CHAIN_ID == LOCAL_CHAIN)


def _has_no_price_that_counts(conf: LazySettings) -> bool:
    feeds = {"chainlink": bool(conf.CHAINLINK_FEEDS), "pyth": bool(conf.PYTH_FEEDS), "coingecko": False}
    return not any(feeds.get(source, True) for source in conf.PRICE_SOURCES)


def _has_bad_key(conf: LazySettings) -> bool:
    # Not at the top: rules are read before the apps are.
    from trading.services.vault import is_key

    return not all(is_key(text) for text in conf.FIELD_ENCRYPTION_KEYS)


def _address(private_key: str) -> str:
    # Not at the top: the library behind it takes a second to load, and beat and Flower never sign.
    from execution.adapters.guarded_signer import NoKey
    from execution.adapters.local_signer import address_of

    try:
        return address_of(private_key)
    except NoKey:
        return ""


RULES = (
    Rule(
        id="vanta.E001",
        is_broken=lambda conf: bool(conf.DEBUG),
        message="DEBUG is on in production.",
        hint="Pages of errors show settings to anyone; leave it off.",
    ),
    Rule(
        id="vanta.E002",
        is_broken=lambda conf: len(conf.SECRET_KEY) < SHORTEST_SECRET_KEY,
        message="SECRET_KEY is too short for production.",
        hint=f"Set a random text of at least {SHORTEST_SECRET_KEY} characters.",
    ),
    Rule(
        id="vanta.E003",
        is_broken=lambda conf: not conf.WEBHOOK_HMAC_SECRET,
        message="WEBHOOK_HMAC_SECRET is not set.",
        hint="Without it no signal can be signed; set a random text of 40 characters.",
    ),
    Rule(
        id="vanta.E004",
        is_broken=_has_raw_key_on_base,
        message="SIGNER_PRIVATE_KEY holds a raw key on Base.",
        hint="Say ALLOW_LOCAL_SIGNER=true if that is meant.",
    ),
    Rule(
        id="vanta.E005",
        is_broken=lambda conf: not conf.FLOWER_BASIC_AUTH,
        message="FLOWER_BASIC_AUTH is not set.",
        hint="Flower would show the queues to anyone; set user:password.",
    ),
    Rule(
        id="vanta.E006",
        is_broken=_has_public_key,
        message="SIGNER_PRIVATE_KEY is one of anvil's published keys.",
        hint="Anyone can spend what it owns: make a key of your own.",
        everywhere=True,
    ),
    Rule(
        id="vanta.E007",
        is_broken=_is_live_without_key,
        message="EXEC_MODE is LIVE, but there is no key to sign with.",
        hint="Set SIGNER_PRIVATE_KEY, or EXEC_MODE=DRY.",
        everywhere=True,
    ),
    Rule(
        id="vanta.E008",
        is_broken=_has_kms_without_its_key,
        message="SIGNER_BACKEND is kms, but which key and where isn't said.",
        hint="Set KMS_KEY_ID and AWS_REGION, or SIGNER_BACKEND=local.",
        everywhere=True,
    ),
    Rule(
        id="vanta.E009",
        is_broken=lambda conf: bool(conf.DATABASE_OWNER),
        message="DATABASE_OWNER_URL is known to a process that serves.",
        hint="Give it to `manage.py migrate` and `manage.py roles` alone.",
    ),
    Rule(
        id="vanta.E011",
        is_broken=_has_local_prices,
        message="A price source is one for development.",
        hint="Let VERANTA_FEED_URL, PYTH_HERMES_URL and COINGECKO_URL name the real services, and CHAIN_ID a real chain.",
    ),
    Rule(
        id="vanta.E012",
        is_broken=_has_no_price_that_counts,
        message="No price source counts: every entry would be refused.",
        hint="Name venue or pyth in PRICE_SOURCES, or chainlink with its CHAINLINK_FEEDS.",
    ),
    Rule(
        id="vanta.E013",
        is_broken=lambda conf: not conf.FIELD_ENCRYPTION_KEYS,
        message="FIELD_ENCRYPTION_KEYS is not set.",
        hint="No source can have a secret without it; set 32 random bytes in base64.",
    ),
    Rule(
        id="vanta.E014",
        is_broken=_has_bad_key,
        message="One of FIELD_ENCRYPTION_KEYS is not 32 bytes in base64.",
        hint="Make one: head -c 32 /dev/urandom | base64 | tr '+/' '-_'",
        everywhere=True,
    ),
    Rule(
        id="vanta.E015",
        is_broken=lambda conf: bool(conf.WEBHOOK_ALLOW_LOOPBACK),
        message="WEBHOOK_ALLOW_LOOPBACK is on.",
        hint="A webhook could reach this machine's own services; leave it off.",
    ),
)


def findings(conf: LazySettings) -> Iterator[Error]:
    """What these settings break."""
    is_production = conf.ENVIRONMENT == "production"
    for rule in RULES:
        if (is_production or rule.everywhere) and rule.is_broken(conf):
            yield Error(rule.message, hint=rule.hint, id=rule.id)


def role_findings(conf: LazySettings) -> Iterator[CheckMessage]:
    """What this process's database role can do and must not; asked in production only."""
    if conf.ENVIRONMENT != "production":
        return
    # Not at the top: whoever imports the rules needs no apps.
    from vanta_site import roles

    try:
        excess = roles.excess()
    except DatabaseError as error:
        # A web server that says 503 until the database is back is worth more than one that doesn't start.
        yield Doubt(f"The database doesn't say what this process may do: {type(error).__name__}.", id="vanta.W001")
        return
    finally:
        # A worker forks next: no child may inherit the connection.
        connection.close()
    if excess:
        yield Error(f"The database role of this process {'; '.join(excess[:SHOWN_AT_MOST])}.", hint=ROLE_HINT, id="vanta.E010")


def _unsafe() -> list[CheckMessage]:
    return [*findings(settings), *role_findings(settings)]


def refuse_to_start() -> None:
    """For processes that don't begin with `manage.py`, which makes the checks itself.

    Raises:
        ImproperlyConfigured: naming everything that these settings break, and what to do.
    """
    broken = [f"{finding.msg} {finding.hint}" for finding in _unsafe() if finding.is_serious()]
    if broken:
        raise ImproperlyConfigured(" ".join(broken))


@register(Tags.security)
def refuse_unsafe(**_: Any) -> list[CheckMessage]:
    """The check that every `manage.py` command makes first."""
    return _unsafe()
