// What an operator must know before all else, each in one sentence. Pure.
import type { StatusDocument } from "../report/status-document.ts";
import { dollarsText, perHourText, shortDuration } from "../screens/amounts.ts";

export interface Warning {
  tone: "bad" | "warn";
  text: string;
}

// As in the alert on the credit: a day is enough to react in.
const CREDIT_HOURS = 24;

export function warningsOf(status: StatusDocument): Warning[] {
  const { instances, list, money, problem, proxy } = status;
  const bad = (text: string): Warning => ({ tone: "bad", text });
  const warn = (text: string): Warning => ({ tone: "warn", text });
  const found: Warning[] = [];
  if (problem !== null) found.push(bad(problem));
  const others = instances.filter(({ current, pendingDelete }) => !current && !pendingDelete);
  if (others.length > 0 && instances.length > 1)
    found.push(bad(`More than one instance is billed for this pod: ${others.map(({ id }) => id).join(", ")} too.`));
  if (list !== null && !list.known)
    found.push(
      warn(
        `The instance list is unknown (${list.why ?? "no reason given"}): no instance is created, and what serves is kept, until it is read.`,
      ),
    );
  if (status.bansKnown === false)
    found.push(warn("The bans cannot be read: no instance is created until Redis answers."));
  if (proxy !== null && proxy.problem !== null) found.push(bad(`nginx: ${proxy.problem}`));
  const hours = creditHours(status);
  if (hours !== null && hours < CREDIT_HOURS)
    found.push(
      bad(
        `The credit of ${dollarsText(money.creditDollars)} lasts ${shortDuration(hours * 3_600_000)} for this pod alone: ` +
          "add credit, because Vast stops all instances when it is used up.",
      ),
    );
  for (const { id, dollarsPerHour, pendingPrice } of instances) {
    if (pendingPrice !== null)
      found.push(
        warn(
          `The host of ${id} raises its price from ${perHourText(dollarsPerHour)} to ${perHourText(pendingPrice.dollarsPerHour)}.`,
        ),
      );
    if (dollarsPerHour !== null && money.maxDollarsPerHour !== null && dollarsPerHour > money.maxDollarsPerHour)
      found.push(
        warn(
          `Instance ${id} costs ${perHourText(dollarsPerHour)}, more than VAST_MAX_DPH (${perHourText(money.maxDollarsPerHour)}).`,
        ),
      );
  }
  if (status.suppressed.length > 0)
    found.push(
      warn(`VAST_POLICY=${status.policy}: what would be done now is not done (${actionsOf(status.suppressed)}).`),
    );
  // toSorted keeps the order within a tone.
  return found.toSorted((a, b) => Number(a.tone === "warn") - Number(b.tone === "warn"));
}

/** How long the account's credit lasts if only this pod uses it; null: unknown, or nothing is rented. */
export function creditHours({ money: { creditDollars, dollarsPerHour } }: StatusDocument): number | null {
  if (creditDollars === null || dollarsPerHour === null || dollarsPerHour <= 0) return null;
  return Math.max(creditDollars, 0) / dollarsPerHour;
}

function actionsOf(actions: readonly unknown[]): string {
  return actions
    .map((action) =>
      typeof action === "object" && action !== null && "kind" in action ? `${action.kind}` : "an action",
    )
    .join(", ");
}
