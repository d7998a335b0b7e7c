"""A node that fails in every way that nodes fail, in front of a real chain.

with faults.proxy(upstream=url, seed=7) as node:
    node.suffer(Fault.ANSWER_LOST, chance=0.2, on="eth_sendRawTransaction")
"""

from devnet.faults.plan import Fault
from devnet.faults.proxy import Proxy, proxy

__all__ = ["Fault", "Proxy", "proxy"]
