// The client of the Service, which runs in a pod (client.mjs): what its requests got. Touches the network.
import { until } from "../sandbox/until.ts";

export interface RequestSample {
  at: number;
  /** A status, `refused`, another error's code, or `open` while there is no answer yet. */
  outcome: string;
  /** The instance that answered. */
  instance: number | null;
}

export interface ServiceClient {
  /** A mark for `since`: the number of requests so far. */
  mark(): Promise<number>;
  /** The requests after the mark that are answered. */
  since(mark: number): Promise<RequestSample[]>;
  /** Waits until a request that is sent from now on is answered by an instance. */
  answered(): Promise<void>;
  /** Waits until so many more requests are sent, ten in a second. */
  sends(count: number): Promise<void>;
  /** Opens an answer that takes 200 s. */
  openLong(): Promise<void>;
  long(): Promise<{ lines: number; endedAt: number | null }>;
}

// Only ends a wait that has no hope.
const ANSWER_MS = 600_000;

export function createClient(url: string): ServiceClient {
  const send = async (method: string, path: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { method });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} of the client: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const samples = async (mark: number) =>
    ((await send("GET", `/samples?since=${mark}`)) as [number, string, number | null][]).map(
      ([at, outcome, instance]) => ({ at, outcome, instance }),
    );
  const mark = async () => (await samples(0)).length;
  const since = async (from: number) => (await samples(from)).filter(({ outcome }) => outcome !== "open");
  return {
    mark,
    since,
    answered: async () => {
      const from = await mark();
      const isAnswered = async () => (await since(from)).at(-1)?.outcome === "200";
      await until("an instance answers the client", isAnswered, { timeoutMs: ANSWER_MS, everyMs: 200 });
    },
    sends: async (count) => {
      const from = await mark();
      const isSent = async () => (await mark()) >= from + count;
      await until(`${count} more requests are sent`, isSent, { timeoutMs: ANSWER_MS, everyMs: 500 });
    },
    openLong: async () => void (await send("POST", "/long")),
    long: async () => (await send("GET", "/long")) as { lines: number; endedAt: number | null },
  };
}

export const failures = (all: readonly RequestSample[]) => all.filter(({ outcome }) => outcome !== "200");

/** For the output: how many of each outcome, and the seconds without an answer at the worst place. */
export function summary(all: readonly RequestSample[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of all) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const each = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  return `${each}; longest gap ${longestGapSeconds(all).toFixed(1)} s`;
}

/** The longest time in which every request failed, from the first of them to the next good one. */
export function longestGapSeconds(all: readonly RequestSample[]): number {
  let longest = 0;
  let since: number | null = null;
  for (const { at, outcome } of all) {
    if (outcome !== "200") since ??= at;
    if (since !== null) longest = Math.max(longest, at - since);
    if (outcome === "200") since = null;
  }
  return longest / 1000;
}
