// Turns the server's host into an address, so that nginx never asks DNS itself. Touches DNS through what it is given.
import { isIP, isIPv4 } from "node:net";
import type { Clock } from "../../common/clock.ts";

export type Resolution = { known: true; address: string; warning: string | null } | { known: false; why: string };

/** All addresses of a name; throws when there is no answer. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export interface Resolver {
  /** The address of `host`. Never throws, never waits longer than its limit. */
  resolve(host: string): Promise<Resolution>;
}

// A resolver that works answers within tens of milliseconds; one that does not must not hold up a withdrawal.
const LOOKUP_WAIT_MS = 2_000;

/**
 * A name keeps its address as long as the answer still has it (round-robin DNS would reload nginx at every look) and
 * while there is no answer (an outage of DNS is no reason to unpublish). IPv4 comes first: every pod has it.
 */
export function createResolver(lookup: Lookup, clock: Clock): Resolver {
  const kept = new Map<string, string>();
  const running = new Map<string, Promise<readonly string[]>>();

  const ask = (name: string): Promise<readonly string[]> => {
    // getaddrinfo cannot be cancelled and occupies one of Node's four threads: never two for one name.
    const pending = running.get(name) ?? lookup(name).finally(() => running.delete(name));
    running.set(name, pending);
    return pending;
  };

  return {
    resolve: async (host) => {
      if (isIP(host) !== 0) return { known: true, address: host, warning: null };
      const before = kept.get(host);
      const answer = await within(clock, LOOKUP_WAIT_MS, ask(host));
      const found = answer.ok ? [...answer.value].filter((address) => isIP(address) !== 0) : [];
      if (found.length > 0) {
        const address = before !== undefined && found.includes(before) ? before : best(found);
        kept.clear(); // one name at a time is wanted
        kept.set(host, address);
        return { known: true, address, warning: null };
      }
      const why = `the name ${host} cannot be resolved: ${answer.ok ? "it has no address" : answer.why}`;
      if (before === undefined) return { known: false, why };
      return { known: true, address: before, warning: `${why}; its last address ${before} stays` };
    },
  };
}

function best(addresses: readonly string[]): string {
  const sorted = addresses.toSorted((a, b) => Number(isIPv4(b)) - Number(isIPv4(a)) || (a < b ? -1 : 1));
  return sorted[0] ?? "";
}

type Answer<T> = { ok: true; value: T } | { ok: false; why: string };

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<Answer<T>> {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).then((): Answer<T> => ({ ok: false, why: `no answer within ${ms} ms` }));
  const answer = work.then(
    (value): Answer<T> => ({ ok: true, value }),
    (error: unknown): Answer<T> => ({ ok: false, why: error instanceof Error ? error.message : String(error) }),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}
