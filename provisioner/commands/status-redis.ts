// The fleet's Redis for the command `status`, which reads in it what the provisioners of all pods say. Touches Redis.
import type { Clock } from "../../common/clock.ts";
import { createLogger } from "../../common/logging.ts";
import type { SettingsSource } from "../../common/settings.ts";
import { shareAccountId } from "../fleet/account-id.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { explainTrouble, troubleOf } from "../redis/trouble.ts";
import { readFleetRedis } from "../settings.ts";
import type { VastClient } from "../vast/client.ts";
import { processName } from "./dependencies.ts";
import type { StatusParts } from "./read-status.ts";

/** Null where none is set. */
export async function openStatusRedis(
  source: SettingsSource,
  client: VastClient,
  apiKey: string,
  clock: Clock,
): Promise<(NonNullable<StatusParts["redis"]> & { close(): void }) | null> {
  const address = readFleetRedis(source);
  if (address === null) return null;
  // What the log of a provisioner would say about Redis is among the problems of the document.
  const destination = { write: () => undefined };
  const log = createLogger({ app: "vast-provisioner", debug: false, secrets: () => [], destination });
  const scripts = await openRedisForCommand(address, log, clock);
  const fleet = { redis: scripts, keys: () => null, token: processName(clock) };
  return {
    scripts,
    accountId: shareAccountId({ client, clock, fleet, apiKey: () => apiKey }).readAccountId,
    explain(error) {
      const { message, remedy } = explainTrouble(troubleOf(error), address.variable);
      return `${message}: ${remedy}`;
    },
    close: scripts.close,
  };
}
