// Draws contracts that end sooner than agreed, and cheap offers that end soon: an instance is replaced before its contract ends, and by one
// that does not end soon as well. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const PER_POD_HOUR = 0.4;
// From the end that is near already to one that is known long before.
const SECONDS = { low: 120, high: 5400 };

export function drawContractEnds(random: Random, pods: number, faultsEndMs: number): Injection[] {
  const count = Math.round((PER_POD_HOUR * pods * faultsEndMs) / HOUR_MS);
  return Array.from(
    { length: count },
    (): Injection => ({
      kind: "instance",
      at: random.integer(0, faultsEndMs),
      pod: random.integer(0, pods - 1),
      event: "ends-in",
      body: { seconds: random.integer(SECONDS.low, SECONDS.high) },
      undo: null,
    }),
  );
}

/** The cheapest machines end soon, and the query of all pods allows that: how long an offer must last is the program's own condition. */
export function drawShortOffers(random: Random): { injection: Injection; query: string } | null {
  if (random.chance(0.5)) return null;
  const offers = random.pick([5, 20]);
  const seconds = random.integer(SECONDS.low, 2 * SECONDS.high);
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
