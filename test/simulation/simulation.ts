// One run: the emulator, the pods and the faults in one virtual time. The same scenario gives the same run, byte for byte. Touches
// nothing outside.
import { createHash } from "node:crypto";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { run } from "../../provisioner/commands/run.ts";
import { ACCOUNT_KEY, createEmulator } from "../emulator/emulator.ts";
import { seededRandom } from "../emulator/random.ts";
import type { RequestRecord } from "../emulator/world.ts";
import { createForeignInstances, sendCommand } from "./control-commands.ts";
import type { Truth } from "./emulator-truth.ts";
import { heldProbes } from "./held-probes.ts";
import { createInjector, type Injector } from "./injector.ts";
import { createOracle } from "./oracle.ts";
import { type Pod, type Program, STATE_PATH, simulatedPod, templateFile, UPSTREAM_PATH } from "./pod.ts";
import { createQualities, type Qualities } from "./qualities.ts";
import { createRecorder } from "./recorder.ts";
import { sharedRedis } from "./redis.ts";
import { describeInjection, FIRST_IMAGE, type Injection, type Scenario } from "./scenario.ts";
import { type Cause, createSpending } from "./spending.ts";
import { timelineEntry } from "./timeline.ts";
import { virtualTime } from "./virtual-time.ts";

export interface RunOptions {
  /** Keeps the timeline; without it only its hash is computed. */
  timeline?: boolean;
  /** Changes the program: the tests of the laws plant bugs with it. */
  alter?: (dependencies: Dependencies, pod: number) => Dependencies;
  /** Pod names; by default those of a StatefulSet. */
  nameOf?: (pod: number) => string;
  /** When each pod starts, ms from the run's start; by default within the first five seconds. */
  startsAt?: (pod: number) => number;
  /** The error of each pod's clock, ms. */
  clockOffsetMs?: (pod: number) => number;
  /** Runs in each pod in place of the provisioner. */
  program?: Program;
  /** The oracle runs in each pod (oracle.ts). */
  oracle?: boolean;
  /** The oracle must read from the API where an instance answers. */
  readsAddresses?: boolean;
  /** Puts down why money served nobody. */
  causes?: boolean;
  /** Answers the probes of pods for which all is well only after so long, or when something changes: several times faster. */
  holdProbesMs?: number;
  /** Called each simulated second; true ends the run. */
  look?: (run: RunControl) => boolean;
}

/** A run as it goes on, for what happens when something else has happened. */
export interface RunControl {
  now: number;
  truth: Truth;
  /** Calls of the API, and the newest of them. */
  calls: number;
  requests: readonly RequestRecord[];
  redisOperations: number;
  inject(injection: Injection): void;
}

export interface RunResult {
  truth: Truth;
  /** Readable lines; empty unless requested. */
  timeline: string[];
  /** Over every call, answer, write, log line and event of the run. */
  hash: string;
  /** Calls of the API. */
  calls: number;
  /** The newest of them, as recorded by the API. */
  requests: readonly RequestRecord[];
  /** Why money served nobody, if requested; the most expensive first. */
  causes: Cause[];
  /** Each pod's state file at the end; null: there is none. */
  states: readonly (string | null)[];
}

/** 2026-11-23T15:00:00Z: fixed, because the same seed must give the same run. */
const START = 1_795_446_000_000;
const HOUR_MS = 3_600_000;
// Enough machines that bans do not empty the market, few enough that a search is cheap.
const MACHINES = 220;
const MACHINES_PER_POD = 3;
const LOOK_MS = 1000;

const QUERY = {
  rentable: { eq: true },
  num_gpus: { eq: 1 },
  direct_port_count: { gte: 1 },
  inet_down: { gte: 400 },
  duration: { gte: 7 * 86_400 },
  order: [["dph_total", "asc"]],
  limit: 12,
};

/** The deadline of a start and the drain. */
function surgeBoundMs(env: Scenario["env"]): number {
  const { banAfterSeconds, drainSeconds } = { banAfterSeconds: 1200, drainSeconds: 10 };
  return (
    1000 * (Number(env.BLACKLIST_BAN_AFTER_SECONDS ?? banAfterSeconds) + Number(env.VAST_DRAIN_SECONDS ?? drainSeconds))
  );
}

const ceilingOf = ({ VAST_MAX_DPH: most }: Record<string, string>) => (most === undefined ? null : Number(most));

export async function simulate(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const time = virtualTime(START);
  const end = START + scenario.hours * HOUR_MS;
  const digest = createHash("sha256");
  const timeline: string[] = [];
  const keep = options.timeline === true;
  const record = (pod: number | null, text: string) => {
    const line = `${stamp(time.now() - START)} ${pod === null ? "      " : `pod ${pod} `} ${text}`;
    digest.update(line);
    if (keep) timeline.push(line);
  };

  const emulator = createEmulator({
    clock: { now: time.now },
    seed: scenario.seed,
    machines: Math.max(MACHINES, MACHINES_PER_POD * scenario.pods),
    settings: { rateLimits: "on", ipv6Twin: "some" },
  });
  sendCommand(emulator, "POST", "settings", scenario.emulator);
  createForeignInstances(emulator, scenario.pods, FIRST_IMAGE);
  const nameOf = options.nameOf ?? ((i: number) => `vast-pod-${i}`);

  const ofBids = (pod: number) => (scenario.bids?.pods.includes(pod) ? scenario.bids.env : {});

  const truth: Truth = {
    start: START,
    faultsEnd: START + scenario.faultsEndMs,
    end,
    pods: Array.from({ length: scenario.pods }, (_, i) => ({
      name: nameOf(i),
      label: `k8s_pod=${nameOf(i)}`,
      running: [],
      acts: [],
      releases: [],
      serving: [],
      dead: [],
      cutOff: [],
      replacedAt: [],
      ends: [],
      imageChanges: [],
      prechecked: !(scenario.uncheckedPods?.includes(i) ?? false),
      surgesForMs: scenario.surgePods?.includes(i) ? surgeBoundMs(scenario.env) : null,
      maxCreatesPerHour: Number(scenario.env.VAST_MAX_CREATES_PER_HOUR ?? 6),
      maxDollarsPerHour: ceilingOf({ ...ofBids(i), ...scenario.env }),
      bids: scenario.bids?.pods.includes(i) ?? false,
    })),
    contracts: [],
    creates: [],
    touches: [],
    destroys: [],
    recycles: [],
    acceptedPrices: [],
    bids: [],
    searches: [],
    disturbances: [],
    redisUnreliable: scenario.env.BLACKLIST_ENABLED === "true" ? [] : [{ from: START, to: end }],
  };
  const redis = sharedRedis(time.now);
  const probes = heldProbes(time.now);
  const hold = options.holdProbesMs === undefined ? null : { ms: options.holdProbesMs, probes };
  const pods: Pod[] = [];
  const reasons = new Map<number, string>();
  const reaches = (pod: number) => faults.failureTo("instances", pod) === null;
  const spending = createSpending({
    emulator,
    truth,
    now: time.now,
    reasonOf: (pod) => reasons.get(pod) ?? "nothing published",
    isUp: (pod) => pods[pod]?.isUp() ?? false,
    reaches,
  });
  const recorder = createRecorder({
    emulator,
    now: time.now,
    truth,
    record: record,
    changed: probes.changed,
    pods: truth.pods.map((_, i) => ({
      serves: () => pods[i]?.reloader.serves() ?? null,
      image: () => pods[i]?.image ?? { name: "", since: START },
      reaches: () => reaches(i),
    })),
  });
  let qualities: Qualities | null = null;
  const observe = () => {
    emulator.advance(); // its clock stands still between calls, so a program that calls rarely would be charged too little
    recorder.observe();
    if (options.causes) spending.observe();
    qualities?.observe();
  };
  const faults: Injector = createInjector({ time, emulator, redis, pods, truth, record, observe });
  if (scenario.qualities) {
    const labels = new Set<string | null>(truth.pods.map(({ label }) => label));
    const { fates } = faults;
    qualities = createQualities({ emulator, seed: scenario.seed, time, fates, isOwn: (label) => labels.has(label) });
  }
  const program = options.oracle
    ? createOracle({ emulator, fates: () => faults.fates, readsAddresses: options.readsAddresses ?? false })
    : (options.program ?? run);

  for (const [i, podTruth] of truth.pods.entries()) {
    pods.push(
      simulatedPod({
        program,
        time,
        clockOffsetMs: options.clockOffsetMs?.(i) ?? 0,
        random: seededRandom(scenario.seed, `pod ${i}`),
        redis,
        image: FIRST_IMAGE,
        templateFile: scenario.templateFile ? templateFile(null) : null,
        truth: podTruth,
        env: {
          POD_NAME: podTruth.name,
          VAST_API_KEY: ACCOUNT_KEY,
          VAST_TEMPLATE_NAME: "demo",
          DOCKER_LOGIN: "-u robot -p registry-password registry.example",
          VAST_SEARCH_QUERY: JSON.stringify(QUERY),
          VAST_URL: "http://api.sim",
          ...(scenario.inPlacePods?.includes(i) ? { VAST_UPDATE_STRATEGY: "in-place" } : {}),
          ...(scenario.surgePods?.includes(i) ? { VAST_UPDATE_STRATEGY: "surge" } : {}),
          ...(scenario.uncheckedPods?.includes(i) ? { VAST_UPDATE_PRECHECK: "none" } : {}),
          ...ofBids(i),
          ...scenario.env,
        },
        connection: {
          time,
          emulator,
          random: seededRandom(scenario.seed, `line ${i}`),
          address: scenario.oneAddress ? "10.0.0.1" : `10.0.0.${i + 1}`,
          failureCode: () => faults.failureTo("api", i),
          observer: {
            sent: (request) => recorder.sent(i, request),
            ended: () => undefined,
            arrived: (request, answer) => {
              digest.update(`${time.now()} ${i} ${request.method} ${request.url} ${request.body}`);
              digest.update(`${answer.status} ${answer.delivery.kind} ${answer.body}`);
              recorder.arrived(i, request, answer);
              if (request.method !== "GET" && request.method !== "POST") {
                record(
                  i,
                  `${request.method} ${request.url} -> ${answer.delivery.kind === "whole" ? "" : `${answer.delivery.kind} `}${answer.status} ${answer.body.slice(0, 80).trim()}`,
                );
              }
            },
          },
        },
        hold,
        probe: { emulator, broken: () => faults.failureTo("instances", i) !== null, probed: recorder.probed },
        record: (text) => record(i, text),
        log: (line) => {
          const text = timelineEntry(line);
          if (text !== null) record(i, text);
        },
        wrote(path, text) {
          digest.update(`${time.now()} ${i} ${path} ${text}`);
          if (path !== UPSTREAM_PATH || !options.causes) return;
          reasons.set(i, /"reason": ?"(\w+)"/.exec(text)?.[1] ?? "");
          spending.observe();
        },
        changed: observe,
        alter: (dependencies) => options.alter?.(dependencies, i) ?? dependencies,
      }),
    );
  }
  const starts = seededRandom(scenario.seed, "starts");
  for (const [i, pod] of pods.entries()) time.after(options.startsAt?.(i) ?? starts.integer(0, 5000), pod.start);
  const inject = (injection: Injection) => {
    record(null, `>> ${describeInjection(injection)}`);
    faults.inject(injection);
    if (["image", "template", "template-file"].includes(injection.kind)) probes.wakeAll();
    else probes.allChanged();
  };
  for (const injection of scenario.injections) time.after(injection.at, () => inject(injection));
  time.after(scenario.faultsEndMs, () => {
    record(null, ">> the faults end");
    faults.endFaults();
    qualities?.end();
  });
  let over = false;
  const { look } = options;
  const lookAgain = (every: NonNullable<typeof look>) => {
    const { requestCount: calls, requests } = emulator.world;
    over = every({ now: time.now(), truth, calls, requests, redisOperations: redis.operations(), inject });
    if (!over) time.after(LOOK_MS, () => lookAgain(every));
  };
  if (look !== undefined) time.after(LOOK_MS, () => lookAgain(look));
  observe();
  await time.runUntil(end, { nextAt: emulator.nextEventAt, happen: observe }, () => over);
  observe();
  const causes = options.causes ? spending.causes() : [];
  recorder.close();
  for (const pod of pods) pod.kill();
  await time.rest();
  return {
    truth,
    timeline: timeline,
    hash: digest.digest("hex"),
    calls: emulator.world.requestCount,
    requests: emulator.world.requests,
    causes,
    states: pods.map(({ disk }) => disk.read(STATE_PATH)),
  };
}

/** `hh:mm:ss` of a time since the run's start. */
export function stamp(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
