// Keeps the template between passes and reads it again when it is due. Touches the API.
import type { Clock } from "../../common/clock.ts";
import type { Desired } from "../model/desired.ts";
import { known, type Observation, type Seen } from "../model/observation.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Template } from "../vast/rows.ts";
import { nextCreateSlot, nextTemplate, type PollSlot } from "./poll-schedule.ts";
import { unknownBecause } from "./unknown.ts";

// After a failed read: short enough to continue soon, long enough for the endpoint's rate limit.
const TEMPLATE_RETRY_MS = 10_000;
// After a rate-limited read the next one starts at the pod's create slot, and at least the endpoint's interval later.
const TEMPLATE_INTERVAL_MS = 3000;

export interface TemplateCacheParts {
  client: Pick<VastClient, "findTemplate">;
  clock: Clock;
  random: () => number;
  desired: Pick<Desired, "templateName">;
  slot: PollSlot;
}

export interface TemplateCache {
  /** The template and when it was last read. `mayRead` false: nothing depends on it yet, so there is no API call. */
  observe(mayRead: boolean, signal?: AbortSignal): Promise<Pick<Observation, "template" | "templateAt">>;
  /** Epoch ms of the next read. */
  dueAt(): number;
}

export function createTemplateCache({ client, clock, random, desired, slot }: TemplateCacheParts): TemplateCache {
  let template: Seen<Template | null> | null = null;
  let templateAt = 0;
  let dueAt = 0;
  return {
    dueAt: () => dueAt,
    async observe(mayRead, signal) {
      if (!mayRead) return { template: unknownBecause("it is read in this pod's create slot"), templateAt };
      // When the clock was set back, `templateAt` is in the future: read again.
      if (template !== null && clock.now() >= templateAt && clock.now() < dueAt) return { template, templateAt };
      templateAt = clock.now();
      try {
        template = known(await client.findTemplate(desired.templateName, signal, { retryRateLimited: false }));
        dueAt = nextTemplate(slot, templateAt);
      } catch (error) {
        const failure = asVastError(error);
        const refused = failure.kind === "rate_limited";
        dueAt = refused
          ? nextCreateSlot(slot, templateAt + TEMPLATE_INTERVAL_MS, random)
          : templateAt + TEMPLATE_RETRY_MS;
        // A refusal is no news: what was read before still counts.
        if (!refused || template === null) template = unknownBecause(failure);
      }
      return { template, templateAt };
    },
  };
}
