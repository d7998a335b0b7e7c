"""The fault proxy as a process of its own.

python -m devnet.faults --upstream http://127.0.0.1:8545 --port 8546 --seed 7 --fault answer-lost=0.2
"""

import argparse
import signal
import threading

from devnet.faults import wording
from devnet.faults.plan import BadRule, Fault, Rule
from devnet.faults.pool import ACCOUNT_SLOTS
from devnet.faults.proxy import proxy


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    with proxy(
        upstream=arguments.upstream,
        seed=arguments.seed,
        port=arguments.port,
        strict=arguments.strict,
        account_slots=arguments.account_slots,
        returns_reorged=arguments.returns_reorged,
    ) as running:
        for rule in arguments.fault:
            running.obey(rule)
        print(f"{running.url} in front of {arguments.upstream}", flush=True)
        stopped.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devnet.faults", description="A node that fails, in front of a real chain.")
    parser.add_argument("--upstream", required=True, help="the chain's JSON-RPC")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--fault", type=_rule, action="append", default=[], help=f"NAME[=CHANCE][,SETTING=VALUE]: {', '.join(Fault)}"
    )
    parser.add_argument("--strict", action=argparse.BooleanOptionalAction, default=True, help="the mempool rules of real nodes")
    parser.add_argument("--account-slots", type=int, default=ACCOUNT_SLOTS)
    parser.add_argument("--returns-reorged", action=argparse.BooleanOptionalAction, default=True, help="after a reorganization")
    return parser.parse_args()


def _rule(text: str) -> Rule:
    try:
        return wording.from_option(text)
    except BadRule as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
