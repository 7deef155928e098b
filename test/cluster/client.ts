// The client of the Service, which runs in a pod (client.mjs): what its requests got. Touches the network.
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
  /** Opens an answer that takes 200 s. */
  openLong(): Promise<void>;
  long(): Promise<{ lines: number; endedAt: number | null }>;
}

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
  return {
    mark: async () => (await samples(0)).length,
    since: async (mark) => (await samples(mark)).filter(({ outcome }) => outcome !== "open"),
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
