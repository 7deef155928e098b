// Draws faults that test the lease and the copy in Redis: pods that are replaced around creates and destroys, and two processes of
// one pod that both have a reason to act. Independent random faults combine too rarely for that. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";
import type { KillPoint } from "./process.ts";
import type { Injection } from "./scenario.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
// For every pod in each hour with faults.
const REPLACED_PER_POD_HOUR = 0.5;
const OVERLAPS_PER_POD_HOUR = 0.25;
// More than the hourly budget, and all within one hour.
const ROUNDS = 8;
const ROUND_MS = 5.5 * MINUTE_MS;
// The longest duration of each group: it must end before the faults end.
const OVERLAP_MS = 15 * MINUTE_MS;
const KILL_POINT_WAIT_MS = 10 * MINUTE_MS;

type Points = readonly [KillPoint, ...KillPoint[]];
const ANYWHERE: Points = ["create-sent", "create-made", "create-over", "destroy-sent", "destroy-done", "state-after"];
const WITH_ID: Points = ["create-over", "create-over", "destroy-sent"];
/** Unusual outcomes of a create that has made a contract, which is listed in the end. */
const MADE: readonly [JsonObject, ...JsonObject[]] = [
  { kind: "late-row", seconds: 90 },
  { kind: "hang-after" },
  { kind: "cut-after" },
  { kind: "commit-then", status: 502 },
];

export interface ReplacementOptions {
  pods: number;
  faultsEndMs: number;
  /** A process can be killed together with its pod. */
  losesDisks: boolean;
  /** Contracts can stay unlisted for ever. Then no id may be lost before it is in Redis, because nobody could find the contract. */
  losesRows: boolean;
}

/** Only for a steady Redis, which must have everything that a lost disk had. */
export function drawReplacements(random: Random, options: ReplacementOptions): Injection[] {
  const { pods, faultsEndMs, losesDisks, losesRows } = options;
  const podHours = (pods * faultsEndMs) / HOUR_MS;
  const several = (count: number, lastsMs: number, draw: (at: number, pod: number) => Injection[]) =>
    Array.from({ length: faultsEndMs < lastsMs ? 0 : Math.round(count) }, () =>
      draw(random.integer(0, faultsEndMs - lastsMs), random.integer(0, pods - 1)),
    ).flat();
  const overlaps = several(podHours * OVERLAPS_PER_POD_HOUR, OVERLAP_MS, (at, pod) => bothAct(random, at, pod));
  if (!losesDisks) return overlaps;
  return [
    ...overlaps,
    ...several(podHours * REPLACED_PER_POD_HOUR, KILL_POINT_WAIT_MS, (at, pod) =>
      replacedAround(random, at, pod, losesRows),
    ),
    ...several(1, ROUNDS * ROUND_MS, (at, pod) => againAndAgain(random, at, pod, losesRows)),
  ];
}

/** A create has an unusual outcome, and the pod is replaced during it, soon after it, or during the following destroy. */
function replacedAround(random: Random, at: number, pod: number, losesRows: boolean): Injection[] {
  const effect = losesRows && random.chance(0.6) ? { kind: "no-row" } : random.pick(MADE);
  const rule = { method: "PUT", path: "^/api/v0/asks/", times: random.integer(1, 2), effect };
  const point = random.pick(losesRows ? WITH_ID : ANYWHERE);
  return [
    { kind: "api-fault", at, forMs: random.integer(4, 10) * MINUTE_MS, rule },
    gone(random, at + SECOND_MS, pod),
    replaced(random, at + 2 * SECOND_MS, pod, point),
  ];
}

/** Instances end one after another, each together with its pod: the label's budget must survive all of that. */
function againAndAgain(random: Random, from: number, pod: number, losesRows: boolean): Injection[] {
  return Array.from({ length: ROUNDS }, (_, i) => from + i * ROUND_MS).flatMap((at): Injection[] => [
    gone(random, at, pod),
    replaced(random, at + SECOND_MS, pod, random.pick(losesRows ? WITH_ID : ANYWHERE)),
  ]);
}

/** The former process still runs beside its successor while there is something to do. */
function bothAct(random: Random, at: number, pod: number): Injection[] {
  const reasons = [1, 2, 3].map((i) => at + i * random.integer(60, 240) * SECOND_MS);
  return [
    { kind: "overlap", at, pod, forMs: random.integer(5 * MINUTE_MS, OVERLAP_MS) },
    ...reasons.map(
      (when): Injection => (random.chance(0.3) ? { kind: "twin", at: when, pod } : gone(random, when, pod)),
    ),
  ];
}

function gone(random: Random, at: number, pod: number): Injection {
  return { kind: "instance", at, pod, event: random.pick(["kill", "kill", "exit", "expire"]), body: {}, undo: null };
}

function replaced(random: Random, at: number, pod: number, point: KillPoint): Injection {
  const downMs = random.integer(SECOND_MS, 30 * SECOND_MS);
  return { kind: "restart", at, pod, how: "kill", point, downMs, losesDisk: true };
}
