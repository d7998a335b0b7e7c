"""Settings of `execution`: the chain, the signer, the venue."""

from vanta_site.settings.env import read

BASE_RPC_URLS = read.items("BASE_RPC_URL", example="https://first.example.org,https://second.example.org")
CHAIN_ID = read.whole("CHAIN_ID", 31337)
# One exchange with an endpoint, from the connection to the last byte of its answer.
RPC_TIMEOUT_SECONDS = 3.0
# The receipts of a full block of Base are about a megabyte.
RPC_MAX_ANSWER_BYTES = 32 * 1024 * 1024

# Who answers a port: imported by the processes that need it, since web3 takes a second to load.
CHAIN = "execution.adapters.rpc.RpcChain"
VENUE = "execution.adapters.veranta.venue.VerantaVenue"
SIGNERS = {"local": "execution.adapters.local_signer.LocalSigner", "kms": "execution.adapters.kms_signer.KmsSigner"}
LOCAL_WALLET = "execution.adapters.local_wallet.LocalWallet"
OUTSIDE_WALLET = "execution.adapters.outside_wallet.OutsideWallet"

SIGNER_BACKEND = read.choice("SIGNER_BACKEND", tuple(SIGNERS), "local")
# One sender for each key, in this order.
SIGNER_PRIVATE_KEYS = read.items("SIGNER_PRIVATE_KEY", example="0x and 64 hexadecimal digits")
ALLOW_LOCAL_SIGNER = read.flag("ALLOW_LOCAL_SIGNER", False)
KMS_KEY_IDS = read.items("KMS_KEY_ID", example="arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
AWS_REGION = read.text("AWS_REGION", "", example="eu-west-1")

# The signer's own limits, beside MAX_LEVERAGE, MAX_POSITION_SIZE_USD and FEE_CEILING_GWEI: what one
# transaction may cost, value included;
SIGNER_MAX_COST_WEI = read.whole("SIGNER_MAX_COST_WEI", 10**18)
# and what may be given as gas money at once, to one of these addresses and to nobody else.
SIGNER_MAX_TOP_UP_WEI = read.whole("SIGNER_MAX_TOP_UP_WEI", 5 * 10**16)
SIGNER_BENEFICIARIES = read.items("SIGNER_BENEFICIARIES", example="0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")

# Base mainnet's proxies; the local venue sets its own.
VERANTA_ROUTER_ADDRESS = read.text("VERANTA_ROUTER_ADDRESS", "0x44914408af82bC9983bbb330e3578E1105e11d4e")
VERANTA_STORAGE_ADDRESS = read.text("VERANTA_STORAGE_ADDRESS", "0x8a311D7048c35985aa31C131B9A13e03a5f7422d")
VERANTA_CALLBACKS_ADDRESS = read.text("VERANTA_CALLBACKS_ADDRESS", "", example="what TradingStorage.callbacks() answers")
VERANTA_PAIR_STORAGE_ADDRESS = read.text("VERANTA_PAIR_STORAGE_ADDRESS", "0x5db3772136e5557EFE028Db05EE95C84D76faEC4")
VERANTA_USDC_ADDRESS = read.text("VERANTA_USDC_ADDRESS", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
VERANTA_DATA_API_URL = read.text("VERANTA_DATA_API_URL", "https://prod-api.veranta.xyz/data")
VERANTA_CORE_API_URL = read.text("VERANTA_CORE_API_URL", "https://prod-api.veranta.xyz/core")
VERANTA_TX_BUILDER_URL = read.text("VERANTA_TX_BUILDER_URL", "https://tx-builder.veranta.xyz")
VERANTA_FEED_URL = read.text("VERANTA_FEED_URL", "https://feed-v3.veranta.xyz")

# A receipt this many blocks deep is final; 0: when the chain's own tag says so.
FINALITY_BLOCKS = read.whole("FINALITY_BLOCKS", 0)
# Offers of more for what is stuck; without, the same bytes go out again until they are mined.
ENABLE_RBF = read.flag("ENABLE_RBF", True)
# The most that a new sender pays for a gas; operators change it on the sender.
FEE_CEILING_GWEI = read.whole("FEE_CEILING_GWEI", 500)
# How many of a sender's transactions may ever be in flight.
MAX_IN_FLIGHT = read.whole("MAX_IN_FLIGHT", 64)
# A sender that has less than this, beside what is in flight, takes no new nonces.
GAS_FLOOR_WEI = read.whole("GAS_FLOOR_WEI", 500_000_000_000_000)
# What the treasury gives a sender at once.
GAS_TOP_UP_WEI = read.whole("GAS_TOP_UP_WEI", 10**16)
# How many market orders of one trader the venue takes at a time (maxPendingMarketOrders).
VENUE_MAX_PENDING_ORDERS = read.whole("VENUE_MAX_PENDING_ORDERS", 5)

# An account that lets the venue take less than this is shown as a difference.
LEAST_ALLOWANCE_USDC = read.decimal("LEAST_ALLOWANCE_USDC", "100")

# The paper venue fills an order after a delay of its own, drawn by the order's key: half of them wait less than
# the first, none waits longer than the last. 0: at once.
PAPER_DELAY_SECONDS = read.decimal("PAPER_DELAY_SECONDS", "2")
PAPER_LONGEST_DELAY_SECONDS = read.decimal("PAPER_LONGEST_DELAY_SECONDS", "15")
PAPER_DELAY_SEED = read.whole("PAPER_DELAY_SEED", 1)
