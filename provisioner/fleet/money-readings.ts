// What all pods of an account read about its money besides the credit: announced prices and charges. With a fleet one pod reads for all.
// Touches the API and Redis.
import * as z from "zod";
import type { Charges, PriceIncrease } from "../vast/account-calls.ts";
import type { VastClient } from "../vast/client.ts";
import type { AllowedAge } from "./account-readings.ts";
import { type Reading, readShared, type SharedReadingParts } from "./shared-reading.ts";

export interface MoneyReadings {
  priceIncreases(age: AllowedAge, signal?: AbortSignal): Promise<Reading<PriceIncrease[]>>;
  /** What was charged in the last 30 days, from `since` (epoch ms) on. */
  charges(age: AllowedAge, signal?: AbortSignal): Promise<Reading<{ since: number; byLabel: Charges }>>;
}

export interface MoneyReadingsParts extends SharedReadingParts {
  client: Pick<VastClient, "priceIncreases" | "charges">;
}

const DAY_MS = 86_400_000;
const CHARGED_DAYS = 30;

const sharedIncreases: z.ZodType<PriceIncrease[]> = z.array(
  z.object({
    id: z.int(),
    instanceId: z.int(),
    factor: z.number().nullable(),
    gpuDollarsPerHour: z.number(),
    endsAt: z.number().nullable(),
    otherCosts: z.literal(true).optional(),
  }),
);
const sharedCharges = z.object({ since: z.number(), byLabel: z.record(z.string(), z.number()) });

export function createMoneyReadings({ client, ...parts }: MoneyReadingsParts): MoneyReadings {
  const keys = () => parts.fleet?.keys() ?? null;
  return {
    priceIncreases: (age, signal) =>
      readShared(
        parts,
        {
          ...age,
          key: keys()?.priceIncreases ?? null,
          schema: sharedIncreases,
          read: () => client.priceIncreases(signal),
        },
        signal,
      ),
    charges: (age, signal) =>
      readShared(
        parts,
        {
          ...age,
          key: keys()?.charges ?? null,
          schema: sharedCharges,
          async read() {
            const now = parts.clock.now();
            const since = Math.floor(now / DAY_MS) * DAY_MS - CHARGED_DAYS * DAY_MS;
            return { since, byLabel: await client.charges(since, now, signal) };
          },
        },
        signal,
      ),
  };
}
