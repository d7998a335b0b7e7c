"""What may happen to the desk, as rules that Hypothesis puts together at will."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from execution.models.sender import SenderStatus
from tests.fakes.endpoints import Fault
from tests.fakes.ledger import GWEI
from tests.machine import invariants, snapshot
from tests.machine.fates import Fate
from tests.machine.stand import PURSE, Stand
from trading.domain.mode import Mode
from trading.domain.units import Wei
from trading.models import Signal
from trading.services.signals import Outcome

# Troubles that any node may have, all at once.
TROUBLES = (Fault.DEAF, Fault.LOST, Fault.TOO_MANY, Fault.OTHER_HASH)
# Lies, each where it is heard; only one node lies.
LIES = (
    (Fault.NONCE_TOO_LOW, "broadcast"),
    (Fault.NO_RECEIPTS, "receipts"),
    (Fault.NO_RECEIPTS, "testimonies"),
    (Fault.FORGED_RECEIPTS, "receipts"),
    (Fault.FORGED_RECEIPTS, "testimonies"),
    (Fault.STRAY_RECEIPTS, "receipts"),
    (Fault.HIGH_COUNT, "nonce"),
    (Fault.HIGH_COUNT, "testimonies"),
    (Fault.FALSE_FINALITY, "heads"),
)
METHODS = ("", "broadcast", "receipts", "heads", "nonce", "testimonies", "simulate", "blocks")
CALLS = st.sampled_from((1, 2, 3, 5, None))
ANY = st.integers(0, 63)
# Few: each one's lane is worked after most steps.
SENDERS = st.sampled_from((1, 1, 2, 3))
# Rounds of work, each with a block, that follow a step: trouble must meet something to trouble.
ROUNDS = st.sampled_from((0, 1, 1, 2, 3))

Act = Callable[[Stand, int], None]

# What people do, and what the market does to them; every harm stands beside its end.
ACTS: tuple[Act, ...] = (
    lambda stand, _: stand.set_mode(Mode.DRY),
    lambda stand, _: stand.set_mode(Mode.LIVE),
    lambda stand, _: stand.set_stop(is_up=True),
    lambda stand, _: stand.set_stop(is_up=False),
    lambda stand, _: setattr(stand.switch, "is_down", True),
    lambda stand, _: setattr(stand.switch, "is_down", False),
    lambda stand, _: stand.switch.set_from_outside(mode=Mode.DRY),
    lambda stand, _: stand.switch.set_from_outside(mode=Mode.LIVE, stop=False),
    lambda stand, number: stand.set_sender(number, status=SenderStatus.PAUSED),
    lambda stand, number: stand.set_sender(number, status=SenderStatus.ACTIVE, status_reason=""),
    lambda stand, number: stand.set_sender(number, fee_ceiling_wei=Wei(3 * GWEI)),
    lambda stand, number: stand.set_sender(number, fee_ceiling_wei=Wei(500 * GWEI)),
    lambda stand, number: stand.set_purse(number, 0),
    lambda stand, number: stand.set_purse(number, PURSE),
    lambda *_: setattr(settings, "ENABLE_RBF", False),
    lambda *_: setattr(settings, "ENABLE_RBF", True),
)


def step(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule, and the rounds that follow it. One that raised leaves the machine unsound: nothing is asked of it at the end."""

    def make(function: Callable[..., None]) -> Any:
        @wraps(function)
        def noted(machine: "Machine", rounds: int, **values: Any) -> None:
            machine.is_sound = False
            function(machine, **values)
            machine.ask(invariants.ALWAYS)
            machine.is_sound = True
            for _ in range(rounds):
                machine.go_on()

        return rule(rounds=ROUNDS, **drawn)(noted)

    return make


class Machine(RuleBasedStateMachine):
    """The desk in a world of troubles. Its end is quiet: everything that was accepted must come to its end too."""

    def __init__(self) -> None:
        super().__init__()
        self.is_sound = False
        self.stand: Stand | None = None

    @initialize(nodes=st.integers(2, 3), senders=SENDERS, liar=ANY)
    def open_the_desk(self, nodes: int, senders: int, liar: int) -> None:
        self.stand = Stand(nodes=nodes, senders=senders)
        self.liar = self.stand.chain.nodes[liar % nodes]
        self.before = snapshot.take(self.stand, before=None)
        self.is_sound = True

    def go_on(self) -> None:
        """One round: everybody works, a block comes, and every promise holds."""
        self.is_sound = False
        self.stand.work()
        self.stand.mine()
        self.ask(invariants.ALWAYS)
        self.is_sound = True

    # What comes in.

    @step(traders=st.lists(ANY, min_size=1, max_size=4))
    def signals_come(self, traders: list[int]) -> None:
        for trader in traders:
            self.stand.tell(trader=trader)

    @step(trader=ANY, symbol=st.sampled_from(("BTC-USD", "ETH-USD", "SOL-USD")))
    def an_exit_comes(self, trader: int, symbol: str) -> None:
        assert self.stand.tell(trader=trader, symbol=symbol, side="CLOSE").outcome is Outcome.ACCEPTED

    @step(number=ANY, is_changed=st.booleans())
    def a_signal_comes_again(self, number: int, is_changed: bool) -> None:
        known = Signal.objects.count()
        again = self.stand.tell_again(number, **({"slippage_pct": "0.7"} if is_changed else {}))
        assert again is None or again.outcome is (Outcome.CONFLICT if is_changed else Outcome.DUPLICATE)
        assert Signal.objects.count() == known

    # Who works, and what happens to him.

    @step(number=ANY, fate=st.sampled_from(Fate), at=st.integers(1, 40))
    def something_happens_to_a_task(self, number: int, fate: Fate, at: int) -> None:
        tasks = self.stand.tasks
        self.stand.do_with(tasks[number % len(tasks)], fate, at=at)

    @step(traders=st.lists(ANY, max_size=2), fate=st.sampled_from(Fate), at=st.integers(1, 45))
    def something_happens_to_a_drain(self, traders: list[int], fate: Fate, at: int) -> None:
        self._meet(traders, fate, at=at)

    @step(traders=st.lists(ANY, min_size=1, max_size=2), at=st.integers(20, 45))
    def a_drain_dies_near_the_wire(self, traders: list[int], at: int) -> None:
        self._meet(traders, Fate.DIES, at=at)

    def _meet(self, traders: list[int], fate: Fate, *, at: int) -> None:
        for trader in traders:
            self.stand.tell(trader=trader)
        for task in self.stand.tasks:
            if task.name == "drain":
                self.stand.do_with(task, fate, at=at)
            elif task.name != "index":
                self.stand.do(task)

    # What the chain does.

    @step(blocks=st.sampled_from((1, 2, 7)))
    def blocks_come(self, blocks: int) -> None:
        self.stand.mine(blocks)

    @step(gwei=st.sampled_from((1, 3, 10, 30, 300)))
    def the_base_fee_changes(self, gwei: int) -> None:
        self.stand.ledger.base_fee = gwei * GWEI
        self.stand.mine()

    @step(traders=st.lists(ANY, min_size=1, max_size=3), blocks=st.integers(3, 7), is_first_mined=st.booleans())
    def blocks_pass_over_what_was_sent(self, traders: list[int], blocks: int, is_first_mined: bool) -> None:
        known = len(self.stand.ledger.arrivals)
        for trader in traders:
            self.stand.tell(trader=trader)
        self.stand.work()
        for _ in range(blocks):
            self.stand.ledger.mine_only([])
            self.stand.work()
        if is_first_mined:
            self.stand.ledger.mine_only(list(self.stand.ledger.arrivals)[known:])

    @step(depth=st.integers(1, 6), returns=st.booleans())
    def blocks_are_replaced(self, depth: int, returns: bool) -> None:
        self.stand.ledger.reorg(depth, returns=returns)

    @step(
        depth=st.integers(1, 6), returns=st.booleans(), moves=st.lists(st.tuples(ANY, st.integers(0, 5)), min_size=1, max_size=6)
    )
    def blocks_are_replaced_and_others_mined(self, depth: int, returns: bool, moves: list[tuple[int, int]]) -> None:
        moved = [(tx_hash, place) for number, place in moves for tx_hash in self._seen(number)]
        self.stand.ledger.reorg(depth, returns=returns, moves=moved)

    @step(number=ANY)
    def an_older_offer_is_mined(self, number: int) -> None:
        self.stand.ledger.mine_only(self._seen(number))
        self.stand.mine()

    @step(numbers=st.lists(ANY, min_size=1, max_size=4))
    def every_node_forgets_what_waits(self, numbers: list[int]) -> None:
        for tx_hash in [tx_hash for number in numbers for tx_hash in self._seen(number)]:
            self.stand.ledger.drop(tx_hash)

    @step(gas=st.sampled_from((40_000, 60_000_000)))
    def blocks_change_their_size(self, gas: int) -> None:
        self.stand.ledger.block_gas_limit = gas

    @step(number=ANY)
    def the_venue_refuses_a_call_or_takes_it_again(self, number: int) -> None:
        keys = [snapshot.key_of(intent) for intent in self.before.intents.values() if not snapshot.is_ended(intent)]
        if keys:
            self.stand.ledger.counter.reverting ^= {keys[number % len(keys)]}

    def _seen(self, number: int) -> list[str]:
        """One of the last hashes that some node saw, from the newest."""
        return [*self.stand.ledger.arrivals][::-1][number % 8 : number % 8 + 1]

    # What nodes say.

    @step(number=ANY, fault=st.sampled_from(TROUBLES), on=st.sampled_from(METHODS), calls=CALLS)
    def a_node_is_in_trouble(self, number: int, fault: Fault, on: str, calls: int | None) -> None:
        nodes = self.stand.chain.nodes
        nodes[number % len(nodes)].suffer(fault, on=on, calls=calls)

    @step(fault=st.sampled_from((Fault.DEAF, Fault.LOST)), calls=st.sampled_from((1, 2, 4)))
    def every_node_is_silent_at_the_next_offers(self, fault: Fault, calls: int) -> None:
        for node in self.stand.chain.nodes:
            node.suffer(fault, on="broadcast", calls=calls)

    @step(lie=st.sampled_from(LIES), calls=CALLS)
    def one_node_lies(self, lie: tuple[Fault, str], calls: int | None) -> None:
        fault, on = lie
        self.liar.suffer(fault, on=on, calls=calls)

    @step(traders=st.lists(ANY, min_size=1, max_size=2), lie=st.sampled_from(LIES))
    def only_the_liar_answers(self, traders: list[int], lie: tuple[Fault, str]) -> None:
        fault, on = lie
        for trader in traders:
            self.stand.tell(trader=trader)
        for node in self.stand.chain.nodes:
            node.suffer(fault if node is self.liar else Fault.DEAF, on=on, calls=4)

    @step(number=ANY, behind=st.sampled_from((1, 2, 4, 20, None)))
    def a_node_falls_behind(self, number: int, behind: int | None) -> None:
        node = self.stand.chain.nodes[number % len(self.stand.chain.nodes)]
        if behind is None:
            node.freeze()
        else:
            node.behind = behind

    @step()
    def all_nodes_mend(self) -> None:
        for node in self.stand.chain.nodes:
            node.mend()

    # What people do.

    @step(act=st.integers(0, len(ACTS) - 1), number=ANY)
    def people_act(self, act: int, number: int) -> None:
        ACTS[act](self.stand, number)

    @step()
    def everything_is_well_again(self) -> None:
        self.stand.mend()

    @step(seconds=st.sampled_from((1, 11, 35, 70, 120)))
    def time_goes_by(self, seconds: int) -> None:
        self.stand.wait(seconds)

    # How it ends.

    def teardown(self) -> None:
        if self.stand is None:
            return
        try:
            if self.is_sound:
                self.stand.mend()
                self.ask(invariants.ALWAYS)
                self.stand.come_to_rest()
                self.ask(invariants.ALWAYS | invariants.AT_REST)
        finally:
            self.stand.close()

    def ask(self, wanted: Mapping[str, invariants.Invariant]) -> None:
        """Hold what is now, and what came of it since the last look, against some promises."""
        now = snapshot.take(self.stand, before=self.before)
        invariants.check(wanted, self.stand, before=self.before, now=now)
        self.before = now
