// Compiles every contract here into artifacts/NAME.json, and writes the ABI file that the client reads.
//
//   node devnet/contracts/build.mjs SOLC_DIRECTORY [OUTPUT_ROOT]
//
// SOLC_DIRECTORY is where npm put the `solc` package; OUTPUT_ROOT is the project's root unless a test says otherwise.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [solcDirectory, outputRoot = resolve(here, "../..")] = process.argv.slice(2);
const solc = createRequire(join(resolve(solcDirectory), "package.json"))("solc");

const DEPLOYED = [
  "Counter", "DueTriggers", "PairStorage", "PriceFeed", "SequencerFeed",
  "TradingCallbacks", "TradingRouter", "TradingStorage", "Usdc", "Vault",
];

// What the client reads of each contract: the wiring and the keeper's lists are no part of the venue's interface.
const CLIENT = {
  router: ["TradingRouter", [
    "openTrade", "closeTradeMarket", "increasePositionSize", "updateMargin", "cancelOpenLimitOrder", "updateOpenLimitOrder",
    "delegatedAction", "setDelegate", "removeDelegate", "multipleDelegations", "nonceBitmap", "domainSeparator",
    "executeMarketOrder", "executeLimitOrder", "cancelPendingMarketOrder", "updateTpSl",
    "MarketOrderInitiated", "IncreasePositionRequested", "OpenLimitPlaced", "OpenLimitUpdated", "OpenLimitCanceled",
    "DelegateAdded", "DelegateRemoved",
  ]],
  storage: ["TradingStorage", [
    "openTrades", "openTradesInfo", "openTradesCount", "openLimitOrders", "openLimitOrdersCount", "firstEmptyTradeIndex",
    "getPendingOrderIds", "pendingOrderIdsCount", "reqID_pendingMarketOrder", "maxPendingMarketOrders", "maxTradesPerPair",
    "callbacks", "trading", "MarketOpenCanceled", "MarketCloseCanceled",
  ]],
  callbacks: ["TradingCallbacks", [
    "getTradeLiquidationPrice", "getTradeOwed", "MarketExecuted", "LimitExecuted", "MarginUpdated", "PositionSizeIncreased",
    "FeesCharged", "TpUpdated", "SlUpdated",
  ]],
  pair_storage: ["PairStorage", [
    "pairsCount", "accFunding", "fundingPerHourP", "isCloseOnly", "isPairOIHardCapped", "walletOI", "openInterestUSDC",
  ]],
  usdc: ["Usdc", ["balanceOf", "allowance", "approve", "transfer", "Transfer", "Approval"]],
};

const names = readdirSync(here).filter((name) => name.endsWith(".sol")).sort();
const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(here, name), "utf8")]));

function compile() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(names.map((name) => [name, { content: texts[name] }])),
    settings: {
      optimizer: { enabled: true, runs: 200 },
      viaIR: false,
      evmVersion: "cancun",
      metadata: { bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = output.errors ?? [];
  for (const problem of problems) console.error(problem.formattedMessage);
  if (problems.length > 0) process.exit(1);
  return output.contracts;
}

// The sources a contract is made of: its own file and all it imports, whose change must change the digest too.
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, imported] of texts[name].matchAll(/from "\.\/(\w+\.sol)"/g)) closure(imported, seen);
  return seen;
}

function sourceDigest(name) {
  const hash = createHash("sha256");
  for (const part of [...closure(name)].sort()) hash.update(texts[part]);
  return hash.digest("hex");
}

// Where the constructor writes immutable values into the code: a comparison with the chain must leave those bytes out.
function immutables(deployed) {
  return Object.values(deployed.immutableReferences ?? {}).flat().sort((a, b) => a.start - b.start);
}

function artifact(contracts, name) {
  const { abi, evm } = contracts[`${name}.sol`][name];
  return {
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployed_bytecode: `0x${evm.deployedBytecode.object}`,
    immutables: immutables(evm.deployedBytecode),
    source_sha256: sourceDigest(`${name}.sol`),
  };
}

function clientAbi(contracts) {
  const file = {};
  for (const [key, [name, wanted]] of Object.entries(CLIENT)) {
    file[key] = contracts[`${name}.sol`][name].abi.filter((entry) => wanted.includes(entry.name));
    const found = new Set(file[key].map((entry) => entry.name));
    for (const one of wanted) if (!found.has(one)) throw new Error(`${name} has no ${one}`);
  }
  const errors = DEPLOYED.flatMap((name) => contracts[`${name}.sol`][name].abi).filter((entry) => entry.type === "error");
  file.errors = [...new Map(errors.map((entry) => [entry.name, entry])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return file;
}

function write(path, content) {
  const target = join(outputRoot, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `${JSON.stringify(content, null, 1)}\n`);
}

const contracts = compile();
for (const name of DEPLOYED) write(`devnet/contracts/artifacts/${name}.json`, artifact(contracts, name));
write("execution/adapters/veranta/abi.json", clientAbi(contracts));
for (const name of DEPLOYED) console.log(name, contracts[`${name}.sol`][name].evm.deployedBytecode.object.length / 2);
