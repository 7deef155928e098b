// Draws a scenario with the faults that are common, as often as they are common: what a run costs there is close to what an operator
// pays. The hard mix (fault-mix.ts) tries the laws. Pure.
import type { JsonObject } from "../emulator/json.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import type { Injection, Scenario } from "./scenario.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
// The laws about the state at rest look at the last hour.
const REST_MS = 1.2 * HOUR_MS;
// How often each happens on average.
const INSTANCE_EVENT_HOURS = 40; // for one instance
const POD_RESTART_HOURS = 24; // for one pod
const API_FAULT_HOURS = 6;
const IMAGE_HOURS = 24;
// Three of a hundred hosts never start an instance.
const BAD_HOST_EVERY = 33;

/** The calm scenario of `seed`. */
export function calmMix(seed: number, { hours, pods }: { hours: number; pods: number }): Scenario {
  const random = seededRandom(seed, "calm");
  const faultsEndMs = Math.round(hours * HOUR_MS - REST_MS);
  const faultyHours = faultsEndMs / HOUR_MS;
  const injections: Injection[] = [{ kind: "bad-hosts", at: 0, every: BAD_HOST_EVERY }];
  /** As many as come in the time on average; the seed decides about the fraction. */
  const add = (everyHours: number, draw: (at: number) => Injection) => {
    const average = faultyHours / everyHours;
    const count = Math.floor(average) + Number(random.chance(average % 1));
    for (let i = 0; i < count; i += 1) injections.push(draw(random.integer(0, faultsEndMs)));
  };
  add(INSTANCE_EVENT_HOURS / pods, (at) => drawEvent(random, at, pods));
  add(POD_RESTART_HOURS / pods, (at) => ({
    kind: "restart",
    at,
    pod: random.integer(0, pods - 1),
    how: "terminate",
    point: null,
    downMs: random.integer(3, 30) * SECOND_MS,
    losesDisk: random.chance(0.5),
  }));
  add(API_FAULT_HOURS, (at) => drawApiFault(random, at));
  let images = 1;
  add(IMAGE_HOURS, (at) => {
    images += 1;
    return { kind: "image", at, image: `example/app:${images}`, losesDisk: true };
  });
  return {
    seed,
    hours,
    pods,
    faultsEndMs,
    env: { BLACKLIST_ENABLED: "true" },
    oneAddress: random.chance(0.5),
    emulator: {
      offerGoneProbability: 0.05,
      visibilityLagSeconds: random.integer(0, 5),
      destroyLagSeconds: random.integer(0, 15),
      appSeconds: random.integer(20, 120),
    },
    injections: injections.sort((a, b) => a.at - b.at),
  };
}

/** Mostly a restart, or a host that is not heard of for a while. */
function drawEvent(random: Random, at: number, pods: number): Injection {
  const one = (event: string, comesBackAfterMs: number | null = null): Injection => ({
    kind: "instance",
    at,
    pod: random.integer(0, pods - 1),
    event,
    body: {},
    undo:
      comesBackAfterMs === null ? null : { event: event === "mute" ? "unmute" : "recover", afterMs: comesBackAfterMs },
  });
  const within = (most: number) => random.integer(MINUTE_MS / 2, most * MINUTE_MS);
  const dice = random.integer(1, 10);
  if (dice <= 4) return one("restart");
  if (dice <= 7) return one(random.pick(["offline", "unknown"]), within(8));
  if (dice === 8) return one("exit", random.chance(0.5) ? within(3) : null);
  if (dice === 9) return one("mute", within(8));
  return one(random.pick(["expire", "outbid", "offline"]));
}

function drawApiFault(random: Random, at: number): Injection {
  const effect = random.pick<JsonObject>([
    { kind: "error", status: 502, form: "html" },
    { kind: "error", status: 500, form: "main", error: "server_error", msg: "Internal error" },
    { kind: "hang-before" },
    { kind: "cut-before" },
    { kind: "answer", status: 429, body: "API requests too frequent" },
  ]);
  const rule = { times: 0, probability: random.pick([0.3, 1]), skip: 0, effect };
  return { kind: "api-fault", at, forMs: random.integer(20, 180) * SECOND_MS, rule };
}
