// Writes Events about the pod, and annotates it. Nothing waits for it, and nothing depends on it. Touches the cluster's API.
import * as z from "zod";
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Cluster, LookupResult } from "./cluster.ts";
import {
  annotationsOf,
  eventKey,
  eventOf,
  type PodChange,
  type PodIdentity,
  type PodInstance,
  repeatedEvent,
} from "./pod-objects.ts";

export interface PodReporterParts {
  cluster: Cluster;
  podName: string;
  clock: Clock;
  /** Makes an Event's name unique. Returns 0 to 1. */
  random: () => number;
  /** The text without secrets: everybody who may read the namespace's Events sees it. */
  clean(text: string): string;
  /** Called once when writing begins to fail, and with null when it works again. */
  onProblem(why: string | null): void;
}

export interface PodReporter {
  /** Called after each pass. Returns at once; what could not be written is tried again after a later pass. */
  report(changes: readonly PodChange[], instance: PodInstance | null, stop: AbortSignal): void;
  /** Writes what is left, even if writing has just failed. Resolves when that is done, has failed, or `stop` is aborted. */
  finish(changes: readonly PodChange[], stop: AbortSignal): Promise<void>;
}

// While the cluster does not take them, the newest ones count.
const MOST_WAITING = 20;
const RETRY_MS = 30_000;
// An Event is deleted after an hour. A change that comes again within that time is counted in it.
const MOST_EVENTS = 50;

const podObject = z.looseObject({ metadata: z.looseObject({ uid: z.string().min(1) }) });

export function createPodReporter(parts: PodReporterParts): PodReporter {
  const { cluster, podName, clock, random, clean, onProblem } = parts;
  const podPath = `/api/v1/namespaces/${cluster.namespace}/pods/${podName}`;
  const eventsPath = `/api/v1/namespaces/${cluster.namespace}/events`;
  const written = new Map<string, { name: string; count: number }>();
  let waiting: PodChange[] = [];
  let wanted: PodInstance | null = null;
  let annotated: string | null = null; // as JSON; null: what an earlier process has written is not known
  let pod: PodIdentity | null = null;
  let writing: Promise<void> | null = null;
  let failedFor: (() => number) | null = null;

  async function identify(stop: AbortSignal): Promise<string | null> {
    if (pod !== null) return null;
    const found = await cluster.get(podPath, stop);
    const read = found.kind === "found" ? podObject.safeParse(found.body) : null;
    if (!read?.success) return problemOf(found) ?? `GET ${podPath}: the answer is no pod`;
    pod = { namespace: cluster.namespace, name: podName, uid: read.data.metadata.uid };
    return null;
  }

  async function annotate(stop: AbortSignal): Promise<string | null> {
    const text = JSON.stringify(wanted);
    if (text === annotated) return null;
    const why = problemOf(await cluster.patch(podPath, annotationsOf(wanted), stop));
    if (why === null) annotated = text;
    return why;
  }

  async function writeEvent(change: PodChange, identity: PodIdentity, stop: AbortSignal): Promise<string | null> {
    const key = eventKey(change);
    const before = written.get(key);
    if (before !== undefined) {
      const count = before.count + 1;
      const patched = await cluster.patch(`${eventsPath}/${before.name}`, repeatedEvent(change, count), stop);
      if (patched.kind === "unknown") return patched.why;
      if (patched.kind === "found") written.set(key, { ...before, count });
      if (patched.kind === "found") return null;
      written.delete(key); // its hour is over
    }
    const unique = Math.floor(random() * 2 ** 32).toString(16);
    const name = `${podName}.${change.at.toString(16)}${unique}`;
    const why = problemOf(await cluster.post(eventsPath, eventOf(change, identity, name), stop));
    if (why !== null) return why;
    written.set(key, { name, count: 1 });
    const [oldest] = written.keys();
    if (written.size > MOST_EVENTS && oldest !== undefined) written.delete(oldest);
    return null;
  }

  /** Why not all was written, or null. */
  async function writeAll(stop: AbortSignal): Promise<string | null> {
    let why = (await identify(stop)) ?? (await annotate(stop));
    while (why === null && pod !== null && !stop.aborted) {
      const [first] = waiting;
      if (first === undefined) return null;
      why = await writeEvent(first, pod, stop);
      if (why === null) waiting = waiting.filter((one) => one !== first);
    }
    return why;
  }

  async function write(stop: AbortSignal): Promise<void> {
    const why = await writeAll(stop);
    writing = null;
    if (stop.aborted) return;
    if ((why === null) !== (failedFor === null)) onProblem(why);
    failedFor = why === null ? null : stopwatch(clock);
  }

  function add(changes: readonly PodChange[]): void {
    const cleaned = changes.map((change) => ({ ...change, message: clean(change.message) }));
    waiting = [...waiting, ...cleaned].slice(-MOST_WAITING);
  }

  return {
    report(changes, instance, stop) {
      wanted = instance;
      add(changes);
      const isDue = failedFor === null || failedFor() >= RETRY_MS;
      const isWritten = waiting.length === 0 && JSON.stringify(wanted) === annotated;
      if (writing === null && isDue && !isWritten && !stop.aborted) writing = write(stop);
    },
    async finish(changes, stop) {
      await writing;
      add(changes);
      if (waiting.length > 0 && !stop.aborted) await write(stop);
    },
  };
}

function problemOf(result: LookupResult): string | null {
  if (result.kind === "found") return null;
  return result.kind === "unknown" ? result.why : "the cluster answers that the pod does not exist";
}
