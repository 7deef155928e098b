// The account of an API key, which names the fleet's keys: one pod reads it for all that start. Touches the API and Redis.
import * as z from "zod";
import type { VastClient } from "../vast/client.ts";
import { accountKey } from "./keys.ts";
import { readShared, type SharedReadingParts } from "./shared-reading.ts";

export interface AccountIdParts extends SharedReadingParts {
  client: Pick<VastClient, "accountId" | "readAccountId" | "rememberAccountId">;
  apiKey: () => string;
}

// A key belongs to one account for ever: only Redis' time to live ends this reading. It is read at a first start only, and a new pod needs
// it most while the API refuses the key.
const FOR_EVER = {
  freshMs: Number.MAX_SAFE_INTEGER,
  usableMs: Number.MAX_SAFE_INTEGER,
  ttlMs: 365 * 86_400_000,
  // Where nobody has called the API before, the first call waits for 1.15 s (fleet/turn-scripts.ts).
  pollMs: 1500,
} as const;

/** Names the account as the client does. The client knows it from then on. */
export function shareAccountId({
  client,
  apiKey,
  ...parts
}: AccountIdParts): Pick<VastClient, "accountId" | "readAccountId"> {
  return {
    accountId: client.accountId,
    async readAccountId(signal) {
      const before = client.accountId();
      if (before !== null) return before;
      const key = apiKey();
      const { value } = await readShared(
        parts,
        { ...FOR_EVER, key: accountKey(key), schema: z.int(), read: () => client.readAccountId(signal) },
        signal,
      );
      client.rememberAccountId(value, key);
      return value;
    },
  };
}
