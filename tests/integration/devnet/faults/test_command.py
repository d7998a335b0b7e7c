"""The node as a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from devnet import chain, paths
from devnet.rpc import Rpc, RpcError
from tests.integration.devnet.faults.bench import free_port, hash_of, raw, request


@contextmanager
def command(*options: str) -> Iterator["subprocess.Popen[str]"]:
    words = (sys.executable, "-m", "devnet.faults", *options)
    process = subprocess.Popen(words, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_serves_with_its_faults_until_it_is_ended(anvil: chain.Anvil) -> None:
    port = free_port()
    options = ("--upstream", anvil.url, "--port", str(port), "--seed", "3", "--fault", "http-503,times=1,on=eth_chainId")
    with command(*options) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"http://127.0.0.1:{port} in front of {anvil.url}\n"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            statuses = [client.post("/", json=request("eth_chainId")).status_code for _ in range(2)]
            assert client.post("/", json=request("eth_sendRawTransaction", raw(0))).json()["result"] == hash_of(raw(0))
            assert client.post("/", json=request("eth_sendRawTransaction", raw(0))).json()["error"]["message"] == "already known"
            assert statuses == [503, 200]
            # With a connection still open.
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


def test_it_can_be_lax(anvil: chain.Anvil) -> None:
    port = free_port()
    with command("--upstream", anvil.url, "--port", str(port), "--no-strict") as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Rpc(f"http://127.0.0.1:{port}") as rpc:
            rpc.call("eth_sendRawTransaction", raw(0))
            with pytest.raises(RpcError, match="transaction already imported"):
                rpc.call("eth_sendRawTransaction", raw(0))


def test_a_fault_that_makes_no_sense_is_told() -> None:
    with command("--upstream", "http://127.0.0.1:1", "--port", "1", "--fault", "melting=0.2") as process:
        _, said = process.communicate(timeout=20)
        assert process.returncode == 2
        assert "argument --fault: there is no fault melting; there are request-lost, " in said
