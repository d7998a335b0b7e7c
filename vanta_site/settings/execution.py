"""Settings of `execution`: the chain, the signer, the venue."""

from vanta_site.settings.env import read

BASE_RPC_URLS = read.items("BASE_RPC_URL", example="https://first.example.org,https://second.example.org")
CHAIN_ID = read.whole("CHAIN_ID", 31337)
RPC_TIMEOUT_SECONDS = 3.0

# Who answers a port: imported by the processes that need it, since web3 takes a second to load.
CHAIN = "execution.adapters.rpc.RpcChain"
VENUE = "execution.adapters.veranta.venue.VerantaVenue"
SIGNERS = {"local": "execution.adapters.local_signer.LocalSigner"}
LOCAL_WALLET = "execution.adapters.local_wallet.LocalWallet"
OUTSIDE_WALLET = "execution.adapters.outside_wallet.OutsideWallet"

SIGNER_BACKEND = read.choice("SIGNER_BACKEND", tuple(SIGNERS), "local")
SIGNER_PRIVATE_KEY = read.text("SIGNER_PRIVATE_KEY", "", example="0x and 64 hexadecimal digits")
ALLOW_LOCAL_SIGNER = read.flag("ALLOW_LOCAL_SIGNER", False)

# Base mainnet's proxies; the local venue sets its own.
VERANTA_ROUTER_ADDRESS = read.text("VERANTA_ROUTER_ADDRESS", "0x44914408af82bC9983bbb330e3578E1105e11d4e")
VERANTA_STORAGE_ADDRESS = read.text("VERANTA_STORAGE_ADDRESS", "0x8a311D7048c35985aa31C131B9A13e03a5f7422d")
VERANTA_CALLBACKS_ADDRESS = read.text("VERANTA_CALLBACKS_ADDRESS", "", example="what TradingStorage.callbacks() answers")
VERANTA_PAIR_STORAGE_ADDRESS = read.text("VERANTA_PAIR_STORAGE_ADDRESS", "0x5db3772136e5557EFE028Db05EE95C84D76faEC4")
VERANTA_USDC_ADDRESS = read.text("VERANTA_USDC_ADDRESS", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
VERANTA_DATA_API_URL = read.text("VERANTA_DATA_API_URL", "https://prod-api.veranta.xyz/data")
VERANTA_TX_BUILDER_URL = read.text("VERANTA_TX_BUILDER_URL", "https://tx-builder.veranta.xyz")
VERANTA_FEED_URL = read.text("VERANTA_FEED_URL", "https://feed-v3.veranta.xyz")

# A receipt this many blocks deep is final.
FINALITY_BLOCKS = read.whole("FINALITY_BLOCKS", 5)
# How many market orders of one trader the venue takes at a time (maxPendingMarketOrders).
VENUE_MAX_PENDING_ORDERS = read.whole("VENUE_MAX_PENDING_ORDERS", 5)
