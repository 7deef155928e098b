// Several pods with one API key and address and one Redis: starts their provisioners as real processes, and tells what became of them.
import { Redis } from "ioredis";
import { expect } from "vitest";
import { RATE_RULES } from "../emulator/api/rate-limits.ts";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import type { RecordedRequest } from "./emulator-control.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

/** Another pod follows one that reads for all and does nothing any more within this time. */
export const LONGEST_WITHOUT_LEADER_MS = 15_000;

/** One pod of the fleet, with volumes of its own. */
export interface Member {
  readonly label: string;
  /** Its provisioner, the newest one. */
  child(): Child;
  /** All lines of the log of all its provisioners. */
  log(): Record<string, unknown>[];
  /** Starts its provisioner (again). */
  start(): Promise<void>;
  status(): Promise<Record<string, unknown>>;
}

export interface MemberOptions {
  env?: Readonly<Record<string, string>>;
  /** Where its provisioner runs: on a host of its own, or on this machine. */
  host?: { address: string; command: readonly string[] };
}

export async function startMember(pod: Pod, index: number, { env = {}, host }: MemberOptions = {}): Promise<Member> {
  const name = `vast-pod-${index}`;
  // On a host of its own every port is free.
  const port = host === undefined ? String(await pod.sandbox.port()) : (pod.env().PROVISIONER_STATUS_PORT ?? "");
  const folder = await pod.sandbox.subfolder(name);
  const children: Child[] = [];
  const start = async () => {
    const own = {
      POD_NAME: name,
      STATE_PATH: `${folder}/provisioner.json`,
      UPSTREAM_PATH: `${folder}/upstream.json`,
      PROVISIONER_STATUS_PORT: port,
    };
    children.push(await pod.provision({ ...own, ...env }, ["run"], host?.command));
  };
  await start();
  const child = () => {
    const newest = children.at(-1);
    if (newest === undefined) throw new Error(`${name} was not started`);
    return newest;
  };
  return {
    label: `k8s_pod=${name}`,
    child,
    log: () => children.flatMap(logOf),
    start,
    status: async () =>
      (await fetch(`http://${host?.address ?? "127.0.0.1"}:${port}/status`)).json() as Promise<Record<string, unknown>>,
  };
}

/** How many of them serve. One that does not answer does not. */
export async function readyCount(members: readonly Member[]): Promise<number> {
  const states = await Promise.all(
    members.map(({ status }) =>
      status().then(
        ({ state }) => state,
        () => null,
      ),
    ),
  );
  return states.filter((state) => state === "ready").length;
}

export async function untilReady(members: readonly Member[], timeoutMs: number, count = members.length): Promise<void> {
  const context = () => members.flatMap(({ child }) => child().lines.slice(-4)).join("\n");
  const enough = async () => (await readyCount(members)) >= count;
  await until(`${count} pods serve`, enough, { timeoutMs, everyMs: 250, context });
}

/** The pod that holds the lead. `lead` is the value of that key: it names the process. */
export function memberWithLead(members: readonly Member[], lead: string | null): Member | null {
  const pid = Number(/\bpid (\d+)/.exec(lead ?? "")?.[1]);
  return members.find(({ child }) => child().pid === pid && child().exit() === null) ?? null;
}

/** Waits until another process leads than the one that `before` runs now; answers after how long. */
export async function untilAnotherLeads(
  members: readonly Member[],
  read: () => Promise<string | null>,
  before: Member | null,
): Promise<number> {
  const [from, pid] = [performance.now(), before?.child().pid];
  const another = async () => {
    const leader = memberWithLead(members, await read());
    return leader !== null && leader.child().pid !== pid;
  };
  const context = () => members.flatMap(({ child }) => child().lines.slice(-2)).join("\n");
  await until("another pod leads", another, { timeoutMs: 60_000, everyMs: 100, context });
  return performance.now() - from;
}

/** Each pod has had exactly as many instances as are expected, one after another, and has one now. */
export async function expectOneInstanceEach(
  pod: Pod,
  members: readonly Member[],
  lost: readonly Member[] = [],
): Promise<void> {
  const { instances } = await pod.emulator.state();
  const ofLabel = ({ label }: Member) => instances.filter((one) => one.label === label);
  const expected = members.map((one) => [one.label, 1 + lost.filter((other) => other === one).length, 1]);
  const seen = members.map((one) => {
    const all = ofLabel(one);
    return [one.label, all.length, all.filter(({ destroyedAt }) => destroyedAt === null).length];
  });
  expect(seen).toEqual(expected);
}

/** The lines with which a pod that served says that it serves nothing any more. */
export function interruptions(members: readonly Member[]): string[] {
  return members.flatMap((member) => {
    let served = false;
    return member.log().flatMap(({ event, server, reason, msg }) => {
      if (event !== "state") return [];
      const lost = served && server === null;
      served = server !== null;
      return lost ? [`${member.label}: ${reason}: ${msg}`] : [];
    });
  });
}

/**
 * A pod with Redis and the API's rate limits, whose clocks run so many times as fast. Its provisioners log when their changes leave. The
 * emulator judges by milliseconds when they arrive, so it does not wait for the test.
 */
export const openLimitedPod = (timeScale: number, env: Record<string, string> = {}): Promise<Pod> =>
  openPod({
    redis: true,
    timeScale,
    emulatorApart: true,
    emulator: { rateLimits: "scaled" },
    env: { DEBUG: "true", ...env },
  });

interface Departure {
  at: number;
  by: string;
  afterTurnMs: number | null;
}

/** When the members' creates or destroys left their processes, oldest first. They log it with DEBUG=true. */
function departures(members: readonly Member[], endpoint: string): Departure[] {
  const all = members.flatMap((member) =>
    member
      .log()
      .filter((line) => line.event === "turn" && line.endpoint === endpoint)
      .map(({ time, afterTurnMs }) => ({
        at: Date.parse(String(time)),
        by: member.label,
        afterTurnMs: typeof afterTurnMs === "number" ? afterTurnMs : null,
      })),
  );
  return all.sort((a, b) => a.at - b.at);
}

/**
 * Creates and destroys that left too soon after the one before them, or without a turn: for nothing, if the pods keep their turns. Whether
 * the emulator refused one tells less: a busy machine holds up calls on their way, and with a fast clock that counts for more. The members
 * need DEBUG=true.
 */
export function brokenTurns(members: readonly Member[], requests: readonly RecordedRequest[]): string[] {
  const broken = (["create", "destroy"] as const).flatMap((endpoint) => {
    const left = departures(members, endpoint);
    const came = changesIn(requests, endpoint).length;
    const tooSoon = left.slice(1).flatMap(({ at, by, afterTurnMs }, i) => {
      const before = left[i];
      if (before === undefined || at - before.at >= RATE_RULES[endpoint].thresholdSeconds * 1000) return [];
      const turns = `${before.afterTurnMs} and ${afterTurnMs} ms after their turns`;
      return [`${new Date(at).toISOString()} ${by}: ${endpoint} ${at - before.at} ms after ${before.by}, ${turns}`];
    });
    return came === left.length ? tooSoon : [...tooSoon, `${came} ${endpoint}s came, ${left.length} left`];
  });
  return broken.length === 0 ? [] : [...broken, ...refusedChanges(requests)];
}

const CHANGES = {
  create: { method: "PUT", path: /\/asks\/\d+\/$/ },
  destroy: { method: "DELETE", path: /\/instances\// },
};

function changesIn(requests: readonly RecordedRequest[], endpoint: keyof typeof CHANGES): RecordedRequest[] {
  const { method, path } = CHANGES[endpoint];
  return requests.filter((request) => request.method === method && path.test(request.path));
}

/** Creates and destroys that the API has refused as too frequent, and how long after the one before them they came. */
export function refusedChanges(requests: readonly RecordedRequest[]): string[] {
  return (["create", "destroy"] as const).flatMap((endpoint) => {
    const changes = changesIn(requests, endpoint);
    return changes.flatMap(({ at, method, path, status }, i) => {
      const before = changes[i - 1];
      if (status !== 429) return [];
      const after = before === undefined ? "" : `, ${Date.parse(at) - Date.parse(before.at)} ms after ${before.path}`;
      return [`${at} ${method} ${path} was refused${after}`];
    });
  });
}

export const createsIn = (requests: readonly RecordedRequest[]) =>
  requests.filter(({ method, path, status }) => method === "PUT" && path.includes("/asks/") && status === 200);

/** A client that follows a Redis that is stopped and started. */
export function patientRedis(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 200 });
  redis.on("error", () => undefined); // the tests stop it on purpose
  return redis;
}
