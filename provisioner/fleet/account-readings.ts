// What all pods of an account read of it: its template and its credit. With a fleet one pod reads for all. Touches the API and Redis.
import * as z from "zod";
import type { VastClient } from "../vast/client.ts";
import type { ReadOptions } from "../vast/instance-list.ts";
import type { Template } from "../vast/rows.ts";
import { shortHash } from "./keys.ts";
import { type Reading, readShared, type SharedReadingParts } from "./shared-reading.ts";

/** How old a reading may be: `freshMs` where it costs nothing to wait for a new one, `usableMs` while another pod reads it. */
export interface AllowedAge {
  freshMs: number;
  usableMs: number;
}

export interface AccountReadings {
  /** The account's own template of this name; null: there is none. */
  template(
    name: string,
    age: AllowedAge,
    signal?: AbortSignal,
    options?: ReadOptions,
  ): Promise<Reading<Template | null>>;
  /** $ that the account can still spend; null where the API does not show it. Without `age` it is new enough to decide by. */
  credit(signal?: AbortSignal, age?: AllowedAge): Promise<Reading<number | null>>;
}

export interface AccountReadingsParts extends SharedReadingParts {
  client: Pick<VastClient, "findTemplate" | "readCredit">;
}

// Decisions depend on the credit, and in a rollout every replacement asks for it: they come 4.5 s apart.
const CREDIT_AGE: AllowedAge = { freshMs: 10_000, usableMs: 10_000 };

// The API allows a template call in 3 s.
const TEMPLATE_POLL_MS = 2000;

const sharedTemplate: z.ZodType<Template | null> = z
  .object({
    id: z.int(),
    hash: z.string().min(1),
    name: z.string(),
    creatorId: z.number().nullable(),
    diskSpace: z.number().nullable(),
    publishedPorts: z.int().min(0),
    portFlags: z.string().optional(),
  })
  .nullable();
const sharedCredit = z.number().nullable();

export function createAccountReadings({ client, ...parts }: AccountReadingsParts): AccountReadings {
  return {
    template: (name, age, signal, options) =>
      readShared(
        parts,
        {
          key: parts.fleet?.keys()?.template(shortHash(name)) ?? null,
          schema: sharedTemplate,
          read: () => client.findTemplate(name, signal, options),
          pollMs: TEMPLATE_POLL_MS,
          freshMs: age.freshMs,
          usableMs: age.usableMs,
        },
        signal,
      ),
    credit: (signal, age = CREDIT_AGE) =>
      readShared(
        parts,
        {
          ...age,
          key: parts.fleet?.keys()?.credit ?? null,
          schema: sharedCredit,
          read: () => client.readCredit(signal),
        },
        signal,
      ),
  };
}
