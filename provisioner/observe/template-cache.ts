// Keeps the template between passes and reads it again when it is due. Touches the API and, with a fleet, Redis.
import type { Clock } from "../../common/clock.ts";
import type { AccountReadings } from "../fleet/account-readings.ts";
import { spreadMs } from "../fleet/fleet-size.ts";
import { type OwnSlot, slotAmongMany } from "../fleet/own-slot.ts";
import type { Desired } from "../model/desired.ts";
import { known, type Observation, type Seen } from "../model/observation.ts";
import { asVastError } from "../vast/errors.ts";
import type { Template } from "../vast/rows.ts";
import { nextCreateSlot, nextTemplate, nextTemplateAmongMany, type PollSlot } from "./poll-schedule.ts";
import { unknownBecause } from "./unknown.ts";

// After a failed read: short enough to continue soon, long enough for the endpoint's rate limit.
const TEMPLATE_RETRY_MS = 10_000;
// After a rate-limited read the next one starts at the pod's create slot, and at least the endpoint's interval later.
const TEMPLATE_INTERVAL_MS = 3000;
// With a fleet the template is read for all pods, so often that a rollout of hundreds of pods loses little time before its first create.
// Each pod uses it some time later, so that they do not all come at once.
const SHARED = { freshMs: 30_000, usableMs: 90_000 } as const;
const LEAST_SPREAD_MS = 10_000;
const MOST_SPREAD_MS = 60_000;
// A pod does not ask Redis more often than this, however old the shared template is.
const MIN_SHARED_GAP_MS = 10_000;

export interface TemplateCacheParts {
  readings: Pick<AccountReadings, "template">;
  clock: Clock;
  random: () => number;
  desired: Pick<Desired, "templateName">;
  slot: PollSlot;
  /** The pod's place in its fleet, in which it reads while Redis is away. */
  own: OwnSlot | null;
}

export interface TemplateCache {
  /**
   * The template and when it was read, or why it is unknown and when that was. `mayRead` false: nothing depends on it yet, so there is no
   * API call.
   */
  observe(mayRead: boolean, signal?: AbortSignal): Promise<Pick<Observation, "template" | "templateAt">>;
  /** Epoch ms of the next read. */
  dueAt(): number;
}

export function createTemplateCache(parts: TemplateCacheParts): TemplateCache {
  const { readings, clock, random, desired, slot } = parts;
  let template: Seen<Template | null> | null = null;
  let templateAt = 0;
  let askedAt = 0;
  let dueAt = 0;
  let leastSpreadMs = 0;
  let lateness = 0; // how late this pod is among those that use a shared template, from 0 to 1
  // A pod that has read for itself although Redis answers uses the shared one next time.
  const ownSlot = () => (parts.own?.redisIsAway() ? slotAmongMany(parts.own) : null);
  // How many pods there are may be known only after the first read.
  const spreadOfAll = () => spreadMs(parts.own?.pods() ?? 0, MOST_SPREAD_MS);
  const due = () => dueAt + lateness * Math.max(spreadOfAll(), leastSpreadMs);
  return {
    dueAt: due,
    async observe(mayRead, signal) {
      if (!mayRead) return { template: unknownBecause("it is read in this pod's create slot"), templateAt };
      // When the clock was set back, `askedAt` is in the future: read again.
      if (template !== null && clock.now() >= askedAt && clock.now() < due()) return { template, templateAt };
      askedAt = clock.now();
      lateness = 0;
      try {
        const { templateName } = desired;
        const reading = await readings.template(templateName, SHARED, signal, { retryRateLimited: false });
        template = known(reading.value);
        const among = reading.sharedAt === null ? ownSlot() : null;
        if (among !== null) dueAt = nextTemplateAmongMany(among, reading.readAt);
        else if (reading.own) dueAt = nextTemplate(slot, reading.readAt);
        else dueAt = Math.max(reading.readAt + SHARED.freshMs, clock.now() + MIN_SHARED_GAP_MS);
        if (among === null && !reading.own) [lateness, leastSpreadMs] = [random(), LEAST_SPREAD_MS];
        templateAt = reading.readAt;
      } catch (error) {
        const failure = asVastError(error);
        const refused = failure.kind === "rate_limited";
        const among = ownSlot();
        if (refused && among !== null) dueAt = nextTemplateAmongMany(among, askedAt);
        // After an outage of the API, too, one of the others reads it soon.
        else if (refused && parts.own?.redisIsAway() === false) dueAt = askedAt + MIN_SHARED_GAP_MS;
        else if (refused) dueAt = nextCreateSlot(slot, askedAt + TEMPLATE_INTERVAL_MS, random);
        else dueAt = askedAt + TEMPLATE_RETRY_MS;
        // In an outage of the API all pods fail, and each try asks Redis some times, too.
        if (among === null && spreadOfAll() > 0) [lateness, leastSpreadMs] = [random(), 0];
        // A refusal is no news: what was read before still counts, as old as it is. A create may have read a newer one.
        if (!refused || template === null) [template, templateAt] = [unknownBecause(failure), askedAt];
      }
      return { template, templateAt };
    },
  };
}
