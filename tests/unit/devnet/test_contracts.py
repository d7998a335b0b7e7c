"""The contracts speak the venue's interface, and the artifacts are made of the sources beside them."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from devnet.contract import ARTIFACTS, artifact

SOURCES = ARTIFACTS.parent
CLIENT_ABI = SOURCES.parents[1] / "execution" / "adapters" / "veranta" / "abi.json"
NAMES = sorted(path.stem for path in ARTIFACTS.glob("*.json"))
LARGEST_CODE_BYTES = 24_576
SECTIONS = {
    "router": "TradingRouter",
    "storage": "TradingStorage",
    "callbacks": "TradingCallbacks",
    "pair_storage": "PairStorage",
    "usdc": "Usdc",
}


def imported(name: str, seen: set[str]) -> set[str]:
    if name in seen:
        return seen
    seen.add(name)
    for each in re.findall(r'from "\./(\w+\.sol)"', (SOURCES / name).read_text()):
        imported(each, seen)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_is_made_of_the_sources_beside_it(name: str) -> None:
    digest = hashlib.sha256()
    for part in sorted(imported(f"{name}.sol", set())):
        digest.update((SOURCES / part).read_bytes())
    assert artifact(name).source_sha256 == digest.hexdigest(), "run: node devnet/contracts/build.mjs .run/tools/solc"


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_fits_the_networks_size_limit(name: str) -> None:
    assert len(artifact(name).deployed_bytecode) <= LARGEST_CODE_BYTES


@pytest.mark.parametrize(
    ("function", "selector"),
    [
        ("openTrade", "19cde9a1"),
        ("closeTradeMarket", "e5a97c92"),
        ("increasePositionSize", "7dbd3b48"),
        ("cancelOpenLimitOrder", "b9b6573a"),
        ("updateOpenLimitOrder", "c641558e"),
        ("updateMargin", "b9fe2af3"),
        ("delegatedAction", "9a10cc32"),
        ("setDelegate", "d6a510d9"),
        ("removeDelegate", "67e7646f"),
        ("nonceBitmap", "4fe02b44"),
    ],
)
def test_a_function_has_the_venues_selector(function: str, selector: str) -> None:
    entry = artifact("TradingRouter").entry("function", function)
    assert function_abi_to_4byte_selector(entry).hex() == selector  # type: ignore[arg-type]  # JSON


def test_storage_reads_have_the_venues_selectors() -> None:
    storage = artifact("TradingStorage")
    found = [function_abi_to_4byte_selector(storage.entry("function", name)).hex() for name in ("openTrades", "openTradesInfo")]  # type: ignore[arg-type]  # JSON
    assert found == ["a3a80ffe", "8c8ff1d5"]


@pytest.mark.parametrize(
    ("contract", "event", "topic"),
    [
        ("TradingRouter", "MarketOrderInitiated", "df4eefe414d2dc9d6c031eb82661052d92b0a4f41e6b8a291d45045a000b90a3"),
        ("TradingCallbacks", "MarketExecuted", "194c5538fd1fd53a5ec20cd85e48e0a542b1cbfb713ee866339c38465118308a"),
        ("TradingCallbacks", "LimitExecuted", "a2dec9537892a111bd41f6fafe206c669b1f1fb95cf4cc574df3f2492fddd2d6"),
        ("TradingCallbacks", "MarginUpdated", "fc0fadeeec4a08248340ffba253610fe6b83507fc885b536c6f3093094e70d2c"),
        ("TradingStorage", "MarketOpenCanceled", "4b2ef4d80a0964a9a8f43256d8111558389b384d2029743c1eeb6950b14d9c65"),
        ("TradingStorage", "MarketCloseCanceled", "3535b7356e09f0d6928a700d59b7867c7586a51f83a52da6054384d28ce1622e"),
        ("TradingRouter", "OpenLimitPlaced", "ba01428df926e7985ce9ea864854311888230af3154a3b78b30b8c91cc32932b"),
        ("TradingRouter", "OpenLimitUpdated", "710a8db87f04e82a9de40076812593a965f4aa48693196d2144c07ff9710e890"),
        ("TradingRouter", "OpenLimitCanceled", "99b2cab0fe1db813d380331f51c117d5622d07c79686cc4ecd043e8d56ace094"),
    ],
)
def test_an_event_has_the_venues_topic(contract: str, event: str, topic: str) -> None:
    assert event_abi_to_log_topic(artifact(contract).entry("event", event)).hex() == topic  # type: ignore[arg-type]  # JSON


@pytest.mark.parametrize(
    ("error", "selector"),
    [
        ("PositionMismatch", "cf5470d4"),
        ("PnlOrderNotAllowed", "df20a888"),
        ("BelowMinPosition", "fb284874"),
        ("WrongSl", "62dd5ee3"),
        ("WrongTp", "7f527065"),
        ("HighSlippage", "4c9b2c59"),
    ],
)
def test_an_error_has_the_venues_selector(error: str, selector: str) -> None:
    (entry,) = (each for each in json.loads(CLIENT_ABI.read_text())["errors"] if each["name"] == error)
    assert function_abi_to_4byte_selector({**entry, "type": "function"}).hex() == selector  # type: ignore[arg-type, misc]  # JSON


@pytest.mark.parametrize("section", SECTIONS)
def test_the_clients_abi_is_cut_from_the_artifacts(section: str) -> None:
    entries = json.loads(CLIENT_ABI.read_text())[section]
    compiled = artifact(SECTIONS[section]).abi
    assert entries
    assert [entry for entry in entries if entry not in compiled] == []


def test_every_source_is_compiled_or_imported() -> None:
    used = set().union(*(imported(f"{name}.sol", set()) for name in NAMES))
    assert used == {path.name for path in Path(SOURCES).glob("*.sol")}
