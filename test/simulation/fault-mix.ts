// Draws a scenario with all kinds of faults from a seed. Pure.
import type { JsonObject } from "../emulator/json.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import { drawForms } from "./api-forms.ts";
import { drawBidShortage } from "./bid-shortages.ts";
import { drawBids } from "./bids.ts";
import { drawContractEnds, drawShortOffers } from "./contract-ends.ts";
import { drawEnds } from "./ends.ts";
import { drawFault } from "./faults.ts";
import { drawFreezes } from "./freezes.ts";
import { drawPriceIncreases } from "./price-increases.ts";
import { KILL_POINTS, type KillPoint } from "./process.ts";
import { drawRefusals } from "./refusals.ts";
import { drawReplacements } from "./replacements.ts";
import { FIRST_IMAGE, type Injection, type Scenario } from "./scenario.ts";
import { drawTemplateFiles } from "./template-files.ts";
import { drawTypos } from "./typo-images.ts";
import { drawUpdateFaults } from "./update-faults.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
// Faults stop after this part of a run, so that the laws about the state at rest can be judged.
const FAULTY_PART = 0.6;
// Faults per hour for every pod, and for the account as a whole.
const PER_POD_HOUR = 3;
const PER_HOUR = 6;
// In this part of the runs every stop destroys the instance.
const ENDS_PART = 0.3;
// Of the pods, half change their instance in place.
const IN_PLACE_PART = 0.5;
// In this part of the runs, some of the other pods create the next instance while the outdated one serves.
const SURGE_RUNS = 0.6;
const SURGE_PART = 0.7;
// In this part of the runs, half of the pods give up an outdated instance without a search for another one.
const UNCHECKED_RUNS = 0.4;
const UNCHECKED_PART = 0.5;
// In most runs the first instance can come up before the first fault.
const QUIET_START_MS = 4 * MINUTE_MS;

export interface FaultMixOptions {
  hours: number;
  pods: number;
  /** All pods share a Redis and one address, as the pods of a fleet do. Otherwise the seed decides about both. */
  fleet?: boolean;
}

/** The scenario of `seed`. */
export function faultMix(seed: number, { hours, pods, fleet = false }: FaultMixOptions): Scenario {
  const random = seededRandom(seed, "mix");
  const faultsEndMs = Math.round(hours * FAULTY_PART * HOUR_MS);
  const losesDisks = random.chance(0.6);
  const drawn = random.pick(["none", "forgetful", "steady", "steady", "steady"] as const);
  const redis = fleet && drawn === "none" ? "forgetful" : drawn;
  // The id of a contract that no list shows must not be lost, because nobody could ever find it again.
  const losesRows = !losesDisks || (redis === "steady" && random.chance(0.7));
  const env: Record<string, string> = { BLACKLIST_ENABLED: String(redis !== "none") };
  if (random.chance(0.3)) env.VAST_HEALTH_PATH = "/health";
  if (random.chance(0.3)) env.VAST_DRAIN_SECONDS = "0";
  if (random.chance(0.3)) env.VAST_UPSTREAM_PORT = "8000";
  const emulator: JsonObject = {
    offerGoneProbability: random.pick([0, 0.05, 0.3]),
    appSeconds: random.pick([0, 20, 90]),
    ...drawForms(seededRandom(seed, "forms")),
  };
  const injections: Injection[] = [];
  const context = { random, pods, losesDisks, losesRows, redis, images: 1, templates: 0 };
  const count = Math.round((faultsEndMs / HOUR_MS) * (PER_POD_HOUR * pods + PER_HOUR));
  const start = random.chance(0.8) ? QUIET_START_MS : 0;
  const times = Array.from({ length: count }, () => random.integer(start, faultsEndMs)).sort((a, b) => a - b);
  for (const at of times) injections.push({ ...draw(context), at });
  if (redis === "steady") {
    const replacements = { pods, faultsEndMs, losesDisks, losesRows };
    injections.push(...drawReplacements(seededRandom(seed, "replacements"), replacements));
  }
  const ends = seededRandom(seed, "ends");
  if (ends.chance(ENDS_PART)) {
    env.VAST_ON_TERMINATE = "destroy";
    injections.push(...drawEnds(ends, pods, faultsEndMs));
  }
  injections.push(...drawRefusals(seededRandom(seed, "refusals"), pods, faultsEndMs));
  // Some images are reported with their digest once they run: no replacement can change that.
  const reported = seededRandom(seed, "reported");
  const images = reported.chance(0.2) ? { [FIRST_IMAGE]: { runningAs: `${FIRST_IMAGE}@sha256:4e17` } } : {};
  const typos = drawTypos(seededRandom(seed, "typos"), faultsEndMs);
  emulator.images = { ...images, ...typos.images };
  injections.push(...typos.injections);
  const updates = seededRandom(seed, "updates");
  const inPlacePods = Array.from({ length: pods }, (_, pod) => pod).filter(() => updates.chance(IN_PLACE_PART));
  const surges = seededRandom(seed, "surges");
  const surgeRun = surges.chance(SURGE_RUNS);
  const surgePods = Array.from({ length: pods }, (_, pod) => pod).filter(
    (pod) => surges.chance(SURGE_PART) && surgeRun && !inPlacePods.includes(pod),
  );
  const unchecked = seededRandom(seed, "precheck");
  const uncheckedRun = unchecked.chance(UNCHECKED_RUNS);
  const uncheckedPods = Array.from({ length: pods }, (_, pod) => pod).filter(
    () => unchecked.chance(UNCHECKED_PART) && uncheckedRun,
  );
  emulator.templateUpdateExtras = updates.pick(["applied", "applied", "ignored", "refused"]);
  emulator.notRunningStatus = updates.pick([200, 400]);
  emulator.idInBody = updates.pick(["accepted", "refused"]);
  injections.push(...drawUpdateFaults(updates, faultsEndMs));
  injections.push(...drawContractEnds(seededRandom(seed, "contract-ends"), pods, faultsEndMs));
  const short = drawShortOffers(seededRandom(seed, "short-offers"), faultsEndMs);
  if (short !== null) {
    injections.push(short.injection);
    env.VAST_SEARCH_QUERY = short.query;
  }
  const prices = drawPriceIncreases(seededRandom(seed, "price-increases"), pods, faultsEndMs);
  Object.assign(env, prices.env);
  injections.push(...prices.injections);
  const bidding = drawBids(seededRandom(seed, "bids"), pods, faultsEndMs);
  Object.assign(emulator, bidding.emulator);
  injections.push(...bidding.injections);
  const { bids } = bidding;
  injections.push(...drawBidShortage(seededRandom(seed, "bid-shortage"), bids.pods, faultsEndMs));
  const files = drawTemplateFiles(seededRandom(seed, "template-file"), faultsEndMs);
  if (files !== null) injections.push(...files);
  const freezes = { pods, faultsEndMs, steadyRedis: redis === "steady", losesRows };
  injections.push(...drawFreezes(seededRandom(seed, "freezes"), freezes));
  const oneAddress = random.chance(0.5) || fleet;
  const templateFile = files !== null;
  return {
    seed,
    hours,
    pods,
    faultsEndMs,
    env,
    inPlacePods,
    surgePods,
    uncheckedPods,
    bids,
    templateFile,
    oneAddress,
    emulator,
    injections,
  };
}

interface Context {
  random: Random;
  pods: number;
  losesDisks: boolean;
  losesRows: boolean;
  /** A steady Redis is never down and loses nothing. */
  redis: "none" | "forgetful" | "steady";
  images: number;
  templates: number;
}

/** An injection without its time. */
type Drawn = Injection extends infer One ? (One extends Injection ? Omit<One, "at"> : never) : never;

function draw(context: Context): Drawn {
  const { random, pods, losesDisks, losesRows, redis } = context;
  const pod = random.integer(0, pods - 1);
  const minutes = (low: number, high: number) => random.integer(low * MINUTE_MS, high * MINUTE_MS);
  const dice = random.integer(1, 100);
  if (dice <= 30) return { kind: "api-fault", forMs: minutes(1, 12), rule: drawFault(random, losesRows) };
  if (dice <= 34) return { kind: "api-settings", forMs: minutes(5, 30), set: random.pick(LAGS) };
  if (dice <= 37) return { kind: "account", forMs: minutes(2, 25), ...random.pick(ACCOUNT_TROUBLE) };
  if (dice <= 41) {
    const to = random.pick(["api", "api", "instances"] as const);
    const code = to === "api" ? random.pick(["ECONNREFUSED", "ENOTFOUND", "ECONNRESET", "ETIMEDOUT"]) : "ETIMEDOUT";
    return { kind: "network", forMs: minutes(0.2, 9), to, code, pod: random.chance(0.5) ? null : pod };
  }
  if (dice <= 65) return { kind: "instance", pod, ...drawEvent(random) };
  if (dice <= 66) return { kind: "twin", pod };
  if (dice <= 67) return { kind: "bad-host", pod, forMs: minutes(20, 90) };
  if (dice <= 69) return { kind: "rented-out", offers: random.pick([5, 20, 60]) };
  if (dice <= 71) {
    context.templates += 1;
    return { kind: "template", readme: `edit ${context.templates}` };
  }
  if (dice <= 74) {
    if (random.chance(0.7)) context.images += 1;
    const version = random.chance(0.3) ? random.integer(1, context.images) : context.images; // sometimes an earlier image again
    const image = version === 1 ? FIRST_IMAGE : `example/app:${version}`;
    return { kind: "image", image, losesDisk: losesDisks && random.chance(0.7) };
  }
  if (dice <= 92) {
    const how = random.pick(["kill", "kill", "kill", "terminate"] as const);
    const losesDisk = losesDisks && random.chance(0.4);
    const points = KILL_POINTS.filter((one) => !losesRows || !losesId(one, losesDisk));
    const point = how === "kill" && random.chance(0.7) ? random.pick([points[0] ?? "upstream-after", ...points]) : null;
    return { kind: "restart", pod, how, point, downMs: random.integer(1000, 60_000), losesDisk };
  }
  if (dice <= 96 && redis === "steady") return { kind: "overlap", pod, forMs: minutes(1, 15) };
  if (dice <= 94) return { kind: "redis-flush" };
  if (dice <= 96) return { kind: "redis-away", forMs: minutes(1, 15) };
  if (dice <= 98) return { kind: "disk-full", pod, forMs: minutes(0.5, 10) };
  return { kind: "reloader-down", pod, forMs: minutes(0.5, 10) };
}

/** True if a contract's id is lost between the API and the disk, or with the disk before it is in Redis. */
function losesId(point: KillPoint, losesDisk: boolean): boolean {
  return (
    point === "create-sent" ||
    point === "create-made" ||
    point === "state-before" ||
    (losesDisk && point === "state-after")
  );
}

const LAGS: readonly [JsonObject, ...JsonObject[]] = [
  { visibilityLagSeconds: 8 },
  { visibilityLagSeconds: 40 },
  { destroyLagSeconds: 20 },
  { destroyLagSeconds: 110 },
  { visibilityLagSeconds: 25, destroyLagSeconds: 60 },
];

const ACCOUNT_TROUBLE: readonly [{ set: JsonObject; back: JsonObject }, ...{ set: JsonObject; back: JsonObject }[]] = [
  { set: { credit: 0 }, back: { credit: 10_000 } },
  { set: { keyRevoked: true }, back: { keyRevoked: false } },
  { set: { spendLimited: true }, back: { spendLimited: false } },
  { set: { twoFactor: true }, back: { twoFactor: false } },
  { set: { sessionExpired: true }, back: { sessionExpired: false } },
  { set: { scopes: ["misc", "user_read", "instance_read"] }, back: { scopes: null } },
];

function drawEvent(random: Random): Pick<Extract<Drawn, { kind: "instance" }>, "event" | "body" | "undo"> {
  const after = (low: number, high: number) => random.integer(low * MINUTE_MS, high * MINUTE_MS);
  const one = (event: string, body: JsonObject = {}, undo: { event: string; afterMs: number } | null = null) => ({
    event,
    body,
    undo,
  });
  const back = (low: number, high: number) =>
    random.chance(0.5) ? { event: "recover", afterMs: after(low, high) } : null;
  switch (random.integer(1, 16)) {
    case 1:
    case 2:
      return one("exit", random.chance(0.3) ? { text: "process ended with code 1" } : {}, back(0.3, 15));
    case 3:
    case 4:
      return one("offline", { reachable: random.chance(0.4) }, back(0.5, 20));
    case 5:
    case 6:
      return one("unknown", { reachable: random.chance(0.4) }, back(0.5, 20));
    case 7:
      return one("move", random.chance(0.5) ? { ip: `198.19.7.${random.integer(1, 254)}` } : {});
    case 8:
      return one("oci-failure");
    case 9:
      return one("pull-failure", random.chance(0.5) ? {} : { text: "no space left on device" });
    case 10:
      return one("outbid");
    case 11:
    case 12:
      return one("mute", {}, { event: "unmute", afterMs: after(0.2, 25) });
    case 13:
      return one("stick");
    case 14:
      return one("restart");
    case 15:
      return one("kill");
    default:
      return one("expire");
  }
}
