// Resolves the server's host to an address, so that nginx never uses DNS itself. Touches DNS through what it is given.
import { isIP, isIPv4 } from "node:net";
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import { localKind } from "../../common/local-address.ts";

export type Resolution = { known: true; address: string; warning: string | null } | { known: false; why: string };

/** All addresses of a name. Throws when DNS does not answer. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export interface Resolver {
  /** The address of `host`. Never throws, and waits 2 s at most. */
  resolve(host: string): Promise<Resolution>;
}

// A working resolver answers within tens of milliseconds. A broken one must not delay a withdrawal.
const LOOKUP_WAIT_MS = 2_000;

/**
 * A name keeps its address while the answer still contains it (otherwise round-robin DNS would reload nginx at every pass)
 * and while DNS does not answer (an outage of DNS is no reason to unpublish), or answers only addresses of this machine, as a
 * filtering DNS does. IPv4 comes first, since every pod has it.
 */
export function createResolver(lookup: Lookup, clock: Clock, { allowLocal }: { allowLocal: boolean }): Resolver {
  const isUsable = (address: string) => allowLocal || localKind(address) === null;
  const kept = new Map<string, string>();
  const running = new Map<string, Promise<readonly string[]>>();

  const lookupOnce = (name: string): Promise<readonly string[]> => {
    // getaddrinfo cannot be cancelled and occupies one of Node's four threads, so there is never a second one for a name.
    const pending = running.get(name) ?? lookup(name).finally(() => running.delete(name));
    running.set(name, pending);
    return pending;
  };

  return {
    resolve: async (host) => {
      if (isIP(host) !== 0) return { known: true, address: host, warning: null };
      const previous = kept.get(host);
      const answer = await within(clock, LOOKUP_WAIT_MS, lookupOnce(host));
      const all = answer.ok ? [...answer.value].filter((address) => isIP(address) !== 0) : [];
      const found = all.filter(isUsable);
      // The caller refuses it and says why.
      if (found.length === 0 && all.length > 0 && previous === undefined)
        return { known: true, address: best(all), warning: null };
      if (found.length > 0) {
        const address = previous !== undefined && found.includes(previous) ? previous : best(found);
        kept.clear(); // one server is desired at a time
        kept.set(host, address);
        return { known: true, address, warning: null };
      }
      const why = `the name ${host} cannot be resolved: ${answer.ok ? noAddress(all) : answer.why}`;
      if (previous === undefined) return { known: false, why };
      return { known: true, address: previous, warning: `${why}; nginx keeps its last address ${previous}` };
    },
  };
}

function best(addresses: readonly string[]): string {
  const sorted = addresses.toSorted((a, b) => Number(isIPv4(b)) - Number(isIPv4(a)) || (a < b ? -1 : 1));
  return sorted[0] ?? "";
}

const noAddress = (all: readonly string[]) =>
  all.length === 0 ? "it has no address" : `it has no address that an instance can have (${all.join(", ")})`;

type LookupResult<T> = { ok: true; value: T } | { ok: false; why: string };

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<LookupResult<T>> {
  const done = new AbortController();
  const late = clock
    .sleep(ms, done.signal)
    .then((): LookupResult<T> => ({ ok: false, why: `no answer within ${ms} ms` }));
  const answer = work.then(
    (value): LookupResult<T> => ({ ok: true, value }),
    (error: unknown): LookupResult<T> => ({ ok: false, why: messageOf(error) }),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}
