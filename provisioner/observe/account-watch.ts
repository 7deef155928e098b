// Reads what concerns the money of the account, beside the passes: nothing waits for it, and no pass decides by it. Logs what an operator
// must hear in good time. Touches the API, and Redis where pods share readings.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { runPasses, WakeSignal } from "../../common/loop.ts";
import type { AccountReadings } from "../fleet/account-readings.ts";
import { spreadMs } from "../fleet/fleet-size.ts";
import type { MoneyReadings } from "../fleet/money-readings.ts";
import type { AccountView } from "../model/account-view.ts";
import { moneyWarnings } from "../model/money-warnings.ts";
import type { Observation } from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import { asVastError, type VastErrorKind } from "../vast/errors.ts";

export interface AccountWatchParts {
  readings: Pick<AccountReadings, "credit"> & MoneyReadings;
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
  log: Logger;
  label: string;
  /** How many pods the fleet has. */
  pods(): number;
  /** Called with each look, before the warnings. */
  acceptPrice?: ((stop: AbortSignal) => Promise<void>) | undefined;
}

/** What the loop knows, and where the readings are kept. */
export interface WatchedLoop {
  readonly state: Pick<State, "pendingDeletes">;
  readonly seen: Observation | null;
  account: AccountView;
}

// A start needs its calls itself; and pods that start together do not ask together.
const FIRST_MS = 15_000;
const FIRST_JITTER_MS = 45_000;
const FIRST_SPREAD_MS = 300_000;
// An account is asked once in ten minutes where its pods share a Redis: credit falls by cents in that time.
const CREDIT_MS = 600_000;
const PRICES_MS = 600_000;
const CHARGES_MS = 3_600_000;
// A key that lacks a right gets it from an operator, if ever.
const REFUSED_MS = 6 * 3_600_000;
const REFUSALS: ReadonlySet<VastErrorKind> = new Set(["auth", "not_found", "invalid"]);
const JITTER = 0.2;
// Pods without Redis do not know of each other. With less, pods that start together are often refused: the API wants two seconds between
// two of these calls.
const SPREAD_MS = 600_000;
// How soon a warning follows the list that calls for it.
const WARN_MS = 60_000;

/** Runs until `stop` is aborted. */
export async function watchAccount(parts: AccountWatchParts, loop: WatchedLoop, stop: AbortSignal): Promise<void> {
  const { clock, random, log } = parts;
  const watch = createAccountWatch(parts, loop);
  await clock.sleep(FIRST_MS + random() * FIRST_JITTER_MS, stop);
  const spread = spreadMs(parts.pods(), FIRST_SPREAD_MS);
  if (spread > 0) await clock.sleep(random() * spread, stop);
  const onError = (error: unknown) =>
    log.error(
      { event: "internal_error", err: error },
      "reading the account failed with an internal error; retrying in 5 s",
    );
  await runPasses({ pass: watch, onError, wake: new WakeSignal(), clock }, stop);
}

/** One look; answers in how many ms the next one is due. */
export function createAccountWatch(
  parts: AccountWatchParts,
  loop: WatchedLoop,
): (stop: AbortSignal) => Promise<number> {
  const { readings, clock, random, log, label } = parts;
  let warned = new Set<string>();
  const take = (more: Partial<AccountView>) => {
    loop.account = { ...loop.account, ...more };
  };
  /** A reading that is repeated. `forget`: the key may not read it any more. */
  const repeated = (
    what: string,
    firstMs: number,
    everyMs: number,
    refusedMs: number,
    read: (stop: AbortSignal) => Promise<void>,
    forget: () => void,
  ) => {
    let dueAt = clock.monotonic() + random() * firstMs;
    let refused = false;
    return async (stop: AbortSignal) => {
      if (stop.aborted || clock.monotonic() < dueAt) return;
      let waitMs = everyMs;
      try {
        await read(stop);
        refused = false;
      } catch (error) {
        const failure = asVastError(error);
        log.debug({ event: "money", err: failure }, `${what} could not be read`);
        if (REFUSALS.has(failure.kind)) {
          if (!refused)
            log.info(
              { event: "money" },
              `${what} is unknown, because this VAST_API_KEY may not read it (${failure.message})`,
            );
          refused = true;
          forget();
          waitMs = refusedMs;
        }
      }
      dueAt = clock.monotonic() + waitMs * (1 + JITTER * (random() - 0.5));
    };
  };
  const all = [
    repeated(
      "the credit of the account",
      0,
      CREDIT_MS,
      CREDIT_MS,
      async (stop) => {
        const { value, readAt } = await readings.credit(stop, CREDIT_AGE);
        take({ credit: value === null ? null : { dollars: value, at: readAt } });
      },
      () => take({ credit: null }),
    ),
    repeated(
      "whether a host raises its price",
      SPREAD_MS,
      PRICES_MS,
      REFUSED_MS,
      async (stop) => take({ priceIncreases: (await readings.priceIncreases(PRICES_AGE, stop)).value }),
      () => take({ priceIncreases: null }),
    ),
    repeated(
      "what was really billed",
      SPREAD_MS,
      CHARGES_MS,
      REFUSED_MS,
      async (stop) => {
        const { value, readAt } = await readings.charges(CHARGES_AGE, stop);
        take({ billed: { dollars: value.byLabel[label] ?? 0, since: value.since, at: readAt } });
      },
      () => take({ billed: null }),
    ),
  ];

  return async (stop) => {
    for (const one of all) await one(stop);
    await parts.acceptPrice?.(stop);
    const { seen, state, account } = loop;
    if (seen?.list.known) {
      const rows = seen.list.value.filter(({ id }) => !state.pendingDeletes.some((d) => d.id === id));
      const warnings = moneyWarnings(rows, account, clock.now());
      for (const { key, message } of warnings) if (!warned.has(key)) log.warn({ event: "money" }, message);
      warned = new Set(warnings.map(({ key }) => key));
    }
    return WARN_MS;
  };
}

const age = (ms: number) => ({ freshMs: ms, usableMs: 2 * ms });
// A little less than the time between two looks: the first pod whose look is due reads for all.
const CREDIT_AGE = age(CREDIT_MS * (1 - JITTER));
const PRICES_AGE = age(PRICES_MS * (1 - JITTER));
const CHARGES_AGE = age(CHARGES_MS * (1 - JITTER));
