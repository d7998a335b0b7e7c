"""What production refuses."""

from types import SimpleNamespace

import pytest

from vanta_site.checks import PUBLIC_ACCOUNTS, findings

FIELD_KEY = "b25lIGtleSBvZiB0aGlydHktdHdvIGJ5dGVzLCBmb28="
OWN_KEY = "0x" + "11" * 32
ANVIL_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
SAFE = {
    "ENVIRONMENT": "production",
    "DEBUG": False,
    "SECRET_KEY": "x" * 50,
    "WEBHOOK_HMAC_SECRET": "secret",
    "FIELD_ENCRYPTION_KEYS": (FIELD_KEY,),
    "SIGNER_BACKEND": "local",
    "SIGNER_PRIVATE_KEYS": (OWN_KEY,),
    "KMS_KEY_IDS": (),
    "AWS_REGION": "",
    "ALLOW_LOCAL_SIGNER": True,
    "CHAIN_ID": 8453,
    "WEBHOOK_ALLOW_LOOPBACK": False,
    "FLOWER_BASIC_AUTH": "a:b",
    "EXEC_MODE": "LIVE",
    "DATABASE_OWNER": {},
    "PRICE_SOURCES": ("venue", "pyth", "chainlink"),
    "VERANTA_FEED_URL": "https://feed.example.org",
    "PYTH_HERMES_URL": "https://hermes.example.org/hermes",
    "PYTH_FEEDS": {"BTC-USD": "0x01"},
    "CHAINLINK_FEEDS": {"BTC-USD": "0x01"},
    "COINGECKO_URL": "http://127.0.0.1:8091/gecko",
}

KMS = {
    "SIGNER_BACKEND": "kms",
    "SIGNER_PRIVATE_KEYS": (),
    "KMS_KEY_IDS": ("alias/desk",),
    "AWS_REGION": "eu-west-1",
    "ALLOW_LOCAL_SIGNER": False,
}


def _found(**changes: object) -> list[str]:
    return [finding.id for finding in findings(SimpleNamespace(**SAFE | changes))]


def test_a_safe_production_starts() -> None:
    assert _found() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"DEBUG": True}, "vanta.E001"),
        ({"SECRET_KEY": "x" * 49}, "vanta.E002"),
        ({"WEBHOOK_HMAC_SECRET": ""}, "vanta.E003"),
        ({"ALLOW_LOCAL_SIGNER": False}, "vanta.E004"),
        ({"FIELD_ENCRYPTION_KEYS": ()}, "vanta.E013"),
        ({"FIELD_ENCRYPTION_KEYS": (FIELD_KEY, "c2hvcnQ=")}, "vanta.E014"),
        ({"FIELD_ENCRYPTION_KEYS": ("no base64 at all",)}, "vanta.E014"),
        ({"FLOWER_BASIC_AUTH": ""}, "vanta.E005"),
        ({"WEBHOOK_ALLOW_LOOPBACK": True}, "vanta.E015"),
        ({"SIGNER_PRIVATE_KEYS": (ANVIL_KEY,)}, "vanta.E006"),
        ({"SIGNER_PRIVATE_KEYS": (OWN_KEY, ANVIL_KEY)}, "vanta.E006"),
        ({"SIGNER_PRIVATE_KEYS": ()}, "vanta.E007"),
        (KMS | {"KMS_KEY_IDS": ()}, "vanta.E008"),
        (KMS | {"AWS_REGION": ""}, "vanta.E008"),
        ({"DATABASE_OWNER": {"USER": "vanta"}}, "vanta.E009"),
        ({"VERANTA_FEED_URL": "http://127.0.0.1:8091/feed"}, "vanta.E011"),
        ({"VERANTA_FEED_URL": "https://localhost/feed"}, "vanta.E011"),
        ({"PYTH_HERMES_URL": "http://hermes.example.org"}, "vanta.E011"),
        ({"PRICE_SOURCES": ("venue", "coingecko")}, "vanta.E011"),
        ({"CHAIN_ID": 31337}, "vanta.E011"),
        ({"PRICE_SOURCES": ("chainlink",), "CHAINLINK_FEEDS": {}}, "vanta.E012"),
        ({"PRICE_SOURCES": ("coingecko",), "COINGECKO_URL": "https://api.example.org"}, "vanta.E012"),
    ],
)
def test_each_danger_is_named(changes: dict[str, object], found: str) -> None:
    assert _found(**changes) == [found]


@pytest.mark.parametrize("changes", [{"CHAIN_ID": 84532, "ALLOW_LOCAL_SIGNER": False}, KMS])
def test_a_raw_key_is_refused_on_base_only(changes: dict[str, object]) -> None:
    assert _found(**changes) == []


@pytest.mark.parametrize(
    "changes",
    [
        # What isn't asked for prices may lie anywhere.
        {"PRICE_SOURCES": ("pyth", "chainlink"), "VERANTA_FEED_URL": "http://127.0.0.1:8091/feed"},
        {"PRICE_SOURCES": ("venue", "pyth"), "CHAIN_ID": 31337},
        {"CHAINLINK_FEEDS": {}},
    ],
)
def test_only_the_price_sources_that_are_asked_are_looked_at(changes: dict[str, object]) -> None:
    assert _found(**changes) == []


def test_development_may_be_careless_but_not_with_a_public_key_or_no_key() -> None:
    careless = {"ENVIRONMENT": "development", "SECRET_KEY": "x", "WEBHOOK_HMAC_SECRET": "", "FLOWER_BASIC_AUTH": ""}

    assert _found(**careless) == []
    assert _found(**careless, SIGNER_PRIVATE_KEYS=(ANVIL_KEY,)) == ["vanta.E006"]
    assert _found(**careless, SIGNER_PRIVATE_KEYS=(ANVIL_KEY,), CHAIN_ID=31337) == []
    assert _found(**careless, SIGNER_PRIVATE_KEYS=()) == ["vanta.E007"]


def test_all_ten_public_accounts_are_known() -> None:
    assert len(PUBLIC_ACCOUNTS) == 10


def test_no_finding_repeats_a_secret() -> None:
    texts = [
        f"{finding.msg} {finding.hint}" for finding in findings(SimpleNamespace(**SAFE | {"SIGNER_PRIVATE_KEYS": (ANVIL_KEY,)}))
    ]

    assert all(ANVIL_KEY not in text for text in texts)
