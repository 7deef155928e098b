// Removes what provisioners that ended said of their pods, so that `status` does not show them as silent. Touches Redis.
import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/logging.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { fleetKeys } from "../fleet/keys.ts";
import { removeReport } from "../fleet/reports.ts";
import type { ScriptRunner } from "../redis/commands.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { redisMessage } from "../redis/trouble.ts";
import { readFleetRedis } from "../settings.ts";
import type { VastClient } from "../vast/client.ts";
import { VastError } from "../vast/errors.ts";

interface RemoveReportsParts {
  client: Pick<VastClient, "readAccountId">;
  labels: readonly string[];
  print(text: string): void;
}

/** A report that remains does no harm but in `status`: it is said, and nothing fails for it. */
export async function removeReports(redis: ScriptRunner, { client, labels, print }: RemoveReportsParts): Promise<void> {
  try {
    const keys = fleetKeys(await client.readAccountId());
    for (const label of labels) await removeReport(redis, keys, label);
  } catch (error) {
    print(remains(labels, error));
  }
}

/** The same with the Redis of the settings, if any. */
export async function removeReportsIn(
  source: SettingsSource,
  parts: RemoveReportsParts & { log: Logger; clock: Clock },
): Promise<void> {
  try {
    const address = readFleetRedis(source);
    if (address === null) return;
    const redis = await openRedisForCommand(address, parts.log, parts.clock);
    await removeReports(redis, parts).finally(() => redis.close());
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    parts.print(remains(parts.labels, error));
  }
}

function remains(labels: readonly string[], error: unknown): string {
  const why = whyOf(error);
  return `status shows ${labels.join(", ")} as silent for up to a day, because the report in Redis remains: ${why}`;
}

function whyOf(error: unknown): string {
  if (error instanceof SettingsError) return error.problems.join(" ");
  return error instanceof VastError ? messageOf(error) : redisMessage(error);
}
