// Looks for instances that vanished from the list of our label: one whose label was changed lives on and is billed, and must not be
// touched any more. Touches the API, which it only reads, and the log.
import type { Logger } from "../../common/logging.ts";
import { describe } from "../model/describe.ts";
import type { Observation } from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import { vanishedIds } from "../state/vanished.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";

export interface LostLabelParts {
  client: Pick<VastClient, "listByIds">;
  log: Logger;
  label: string;
}

/** Looks after a pass that began with `before` and has seen `seen`. Never rejects because of the API: a later pass looks again. */
export type LookForLostLabels = (before: State, seen: Observation, signal: AbortSignal) => Promise<void>;

export function createLostLabelLook({ client, log, label }: LostLabelParts): LookForLostLabels {
  const missing = new Set<number>();
  return async (before, seen, signal) => {
    for (const id of vanishedIds(before, seen)) missing.add(id);
    if (missing.size === 0 || signal.aborted) return;
    try {
      const found = await client.listByIds([...missing], signal); // the whole account may have many pages
      for (const row of found) {
        if (row.label === label) continue;
        const now = row.label === null || row.label === "" ? "no label" : `the label ${row.label}`;
        log.warn(
          { event: "lost_label", instance: row.id, label: row.label },
          `${describe(row)} has ${now} instead of ${label}: it is still billed and is not touched any more. Give it its label back, or destroy it in the console of Vast.ai`,
        );
      }
      missing.clear();
    } catch (error) {
      log.debug(
        { event: "lost_label", err: asVastError(error) },
        "it is not known whether instances that are not listed any more have another label",
      );
    }
  };
}
