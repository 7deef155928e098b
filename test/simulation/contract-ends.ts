// Draws contracts that end sooner than agreed, and cheap offers that end soon: an instance is replaced before its contract ends, and by one
// that does not end soon as well. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const PER_POD_HOUR = 0.4;
// From the end that is near already to one that is known long before.
const SECONDS = { low: 120, high: 5400 };
// An end to come is a fault until it has come: it takes the instance away, or its replacement does. All of that must be over before the
// state at rest is judged, an hour after the faults. Still, some contracts end while nothing else disturbs.
const AFTER_FAULTS_MS = 1_800_000;

/** So many seconds after `at`, or the last instant at which a contract may end if that is sooner. */
function endsIn(seconds: number, at: number, faultsEndMs: number): number {
  return Math.min(seconds, Math.floor((faultsEndMs + AFTER_FAULTS_MS - at) / 1000));
}

export function drawContractEnds(random: Random, pods: number, faultsEndMs: number): Injection[] {
  const count = Math.round((PER_POD_HOUR * pods * faultsEndMs) / HOUR_MS);
  return Array.from({ length: count }, (): Injection => {
    const at = random.integer(0, faultsEndMs);
    const pod = random.integer(0, pods - 1);
    const seconds = endsIn(random.integer(SECONDS.low, SECONDS.high), at, faultsEndMs);
    return { kind: "instance", at, pod, event: "ends-in", body: { seconds }, undo: null };
  });
}

/** The cheapest machines end soon, and the query of all pods allows that: how long an offer must last is the program's own condition. */
export function drawShortOffers(random: Random, faultsEndMs: number): { injection: Injection; query: string } | null {
  if (random.chance(0.5)) return null;
  const offers = random.pick([5, 20]);
  const seconds = endsIn(random.integer(SECONDS.low, 2 * SECONDS.high), 0, faultsEndMs);
  return { injection: { kind: "short-offers", at: 0, offers, seconds }, query: JSON.stringify(QUERY) };
}

const QUERY = {
  rentable: { eq: true },
  num_gpus: { eq: 1 },
  direct_port_count: { gte: 1 },
  inet_down: { gte: 400 },
  duration: { gt: 0 },
  order: [["dph_total", "asc"]],
  limit: 12,
};
