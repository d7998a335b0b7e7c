"""A chain that starts, keeps its state, and never outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devnet import chain, paths, ports, processes
from devnet.rpc import Rpc, RpcError, RpcUnavailable

PARENT = """
import sys, time
from pathlib import Path
from devnet.chain import Anvil
anvil = Anvil(port=int(sys.argv[1]), home=Path(sys.argv[2]))
anvil.start()
print(anvil.pid, flush=True)
time.sleep(60)
"""


def free_port() -> int:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    return port


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while "anvil" in processes.command_line(pid):
        assert time.monotonic() < deadline, f"{pid} lives on"
        time.sleep(0.02)


def test_state_survives_a_stop(tmp_path: Path) -> None:
    anvil = chain.Anvil(port=free_port(), home=tmp_path / "home", state_path=tmp_path / "kept" / "state.json")
    with anvil, Rpc(anvil.url) as rpc:
        rpc.call("anvil_mine", "0x5")
        last = rpc.call("eth_getBlockByNumber", "latest", False)["hash"]
    assert anvil.pid is None
    with anvil, Rpc(anvil.url) as rpc:
        assert rpc.call("eth_getBlockByNumber", "latest", False)["hash"] == last


def test_a_block_time_makes_blocks(tmp_path: Path) -> None:
    deadline = time.monotonic() + 10
    with chain.Anvil(port=free_port(), home=tmp_path, block_time=1) as anvil, Rpc(anvil.url) as rpc:
        while int(rpc.call("eth_blockNumber"), 16) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_without_a_block_time_nothing_is_mined_unasked(tmp_path: Path) -> None:
    with chain.Anvil(port=free_port(), home=tmp_path) as anvil, Rpc(anvil.url) as rpc:
        rpc.call("eth_sendTransaction", {"from": rpc.call("eth_accounts")[0], "to": rpc.call("eth_accounts")[1]})
        assert rpc.call("eth_blockNumber") == "0x0"
        rpc.call("evm_mine")
        assert rpc.call("eth_blockNumber") == "0x1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_chain_dies_with_its_killed_parent(tmp_path: Path) -> None:
    command = (sys.executable, "-c", PARENT, str(free_port()), str(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert "anvil" in processes.command_line(pid)
        parent.send_signal(signal.SIGKILL)
    wait_until_gone(pid)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    port = free_port()
    with (
        chain.Anvil(port=port, home=tmp_path / "first"),
        pytest.raises(chain.ChainError, match=f"^port {port} is taken$"),
    ):
        chain.Anvil(port=port, home=tmp_path / "second").start()


def test_a_missing_binary_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(chain.ChainError, match="make run"):
        chain.binary(folder=tmp_path)


def test_a_batch_keeps_its_order_and_its_refusals(venue_chain: str) -> None:
    with Rpc(venue_chain) as rpc:
        chain_id, refused, block = rpc.batch(
            [("eth_chainId", ()), ("no_such_method", ()), ("eth_getBlockByNumber", ("0x0", False))]
        )
    assert chain_id == "0x7a69"
    assert isinstance(refused, RpcError)
    assert (refused.method, refused.code) == ("no_such_method", -32601)
    assert block["number"] == "0x0"


def test_a_refused_call_is_raised(venue_chain: str) -> None:
    with Rpc(venue_chain) as rpc, pytest.raises(RpcError, match="no_such_method"):
        rpc.call("no_such_method")


def test_a_node_that_is_away_is_unavailable() -> None:
    with Rpc(f"http://127.0.0.1:{free_port()}") as rpc, pytest.raises(RpcUnavailable):
        rpc.call("eth_chainId")
