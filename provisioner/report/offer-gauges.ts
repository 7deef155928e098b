// What the last search for an offer found, as gauges. Touches only the registry.
import { gaugeOf, type Registry } from "../../common/metrics.ts";
import { EXCLUSION_REASONS } from "../search/exclusions.ts";
import type { Choice } from "../search/select-offers.ts";

/** Returns the function that records a search. Before the first search there is no line. */
export function registerOffers(registry: Registry, now: () => number): (choice: Choice) => void {
  let last: { at: number; choice: Choice } | null = null;
  gaugeOf(
    registry,
    {
      name: "vast_pod_offers_search_timestamp_seconds",
      help: "Time of the last search for an offer: the next two metrics are of that time.",
    },
    () => (last === null ? null : last.at / 1000),
  );
  gaugeOf(
    registry,
    { name: "vast_pod_offers_acceptable", help: "Offers of the last search that could be taken." },
    () => last?.choice.offers.length ?? null,
  );
  gaugeOf(
    registry,
    {
      name: "vast_pod_offers_excluded",
      help: "Offers of the last search that could not be taken, by reason.",
      labels: ["reason"],
    },
    () => (last === null ? [] : countsOf(last.choice)),
  );
  return (choice) => {
    last = { at: now(), choice };
  };
}

function countsOf({ exclusions }: Choice) {
  return EXCLUSION_REASONS.map((reason) => ({
    labels: { reason },
    value: exclusions.filter((one) => one.reason === reason).reduce((sum, { count }) => sum + count, 0),
  }));
}
