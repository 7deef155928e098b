// What the reads of the account show: key, rights, credit, instances. Pure.
import { accountMessage } from "../model/account.ts";
import { describe } from "../model/describe.ts";
import { accountTrouble, type VastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import { type Finding, fail, ok, skip, warn } from "./findings.ts";

/** What a read answered, or its error. */
export type Answer<T> = { value: T } | { error: VastError };

const HOURS_PER_DAY = 24;
// Vast.ai stops all instances without credit: a day is time enough to react.
const LOW_CREDIT_HOURS = 24;

export function judgeKey(
  account: Answer<{ id: number; credit: number | null }>,
  instances: Answer<readonly Instance[]>,
): Finding {
  if ("error" in account) return fail("key", account.error.message, remedyOf(account.error));
  const { id, credit } = account.value;
  if (credit === null)
    return warn(
      "key",
      `account ${id}, credit ?`,
      "the API does not show the credit: look it up in the console of Vast.ai",
    );
  const text = `account ${id}, credit $${credit.toFixed(2)}`;
  if (credit <= 0)
    return fail("key", text, "add credit: without it Vast.ai stops all instances and refuses every create");
  const perHour = "value" in instances ? dollarsPerHour(instances.value) : null;
  if (perHour === null || perHour === 0) return ok("key", text);
  const hours = credit / perHour;
  const runway = `${text} (about ${durationText(hours)} at $${perHour.toFixed(2)}/h)`;
  return hours < LOW_CREDIT_HOURS
    ? warn("key", runway, "add credit: without it Vast.ai stops all instances")
    : ok("key", runway);
}

/** Of all instances; null when a price is unknown. */
function dollarsPerHour(rows: readonly Instance[]): number | null {
  const prices = rows.map((row) => row.dollarsPerHour);
  return prices.reduce<number | null>((sum, price) => (sum === null || price === null ? null : sum + price), 0);
}

function durationText(hours: number): string {
  const days = Math.floor(hours / HOURS_PER_DAY);
  return days === 0 ? `${Math.floor(hours)}h` : `${days}d ${Math.floor(hours % HOURS_PER_DAY)}h`;
}

/** A read, the right that it needs, and its answer. */
export interface TriedRead {
  right: "user_read" | "instance_read" | "misc";
  answer: Answer<unknown>;
}

/** Which rights the key has, by what it may read. What it may write is not tried: that would change something. */
export function judgeRights(reads: readonly TriedRead[]): Finding[] {
  const refused = reads.filter(({ answer }) => "error" in answer && answer.error.kind === "auth");
  const proven = [...new Set(reads.flatMap(({ right, answer }) => ("value" in answer ? [right] : [])))];
  if (proven.length === 0 && refused.length === 0) return []; // the API answers nothing
  const missing = [...new Set(refused.map(({ right }) => right))].map((right) =>
    fail(
      "rights",
      `the key lacks the right ${right}`,
      "make a key with the rights misc, user_read, instance_read and instance_write",
    ),
  );
  const text = `the key has ${proven.join(", ")}; instance_write is not tried here: doctor --rent tries it`;
  return missing.length > 0 ? missing : [skip("rights", text)];
}

/** `label` null: unknown, because a setting is missing. */
export function judgeInstances(instances: Answer<readonly Instance[]>, label: string | null): Finding {
  if ("error" in instances) return fail("instances", instances.error.message, remedyOf(instances.error));
  const all = `the account has ${instances.value.length}`;
  if (label === null) return ok("instances", all);
  const own = instances.value.filter((row) => row.label === label);
  const names = own.map(describe).join(" and ");
  if (own.length > 1)
    return warn(
      "instances",
      `${all}, and ${own.length} of them have the label ${label}: ${names}`,
      "only one is kept: make sure that no two pods or clusters use this label (VAST_LABEL)",
    );
  return ok("instances", `${all}; ${own.length === 0 ? "none" : names} with the label ${label}`);
}

/** What only tells a person something: without it the pods run as well, so nothing here fails. `isCut`: there are more increases. */
export function judgeMoney(increases: Answer<readonly unknown[]>, charges: Answer<unknown>, isCut: boolean): Finding[] {
  const unread = [
    { name: "announced price increases", answer: increases },
    { name: "what was billed", answer: charges },
  ].flatMap(({ name, answer }) => ("error" in answer ? [{ name, error: answer.error }] : []));
  if (unread.length > 0)
    return unread.map(({ name, error }) =>
      skip("money", `${name} cannot be read (${error.message}): shown as unknown`),
    );
  const announced = "value" in increases ? increases.value.length : 0;
  if (isCut) {
    const text = `more than ${announced} hosts announced a higher price, and the API leaves the others out`;
    return [
      warn(
        "money",
        text,
        "look at all of them in the console of Vast.ai: the others are neither shown nor accepted here",
      ),
    ];
  }
  if (announced === 0) return [ok("money", "announced price increases and charges can be read")];
  const text = `${announced} host${announced === 1 ? "" : "s"} announced a higher price`;
  return [warn("money", text, "see status for the instances; accept or reject them in the console of Vast.ai")];
}

/** What to do about a read that failed. */
export function remedyOf(error: VastError): string {
  const trouble = accountTrouble(error);
  if (trouble !== null) return accountMessage(trouble, "").replace(/ \(\)$/, "");
  switch (error.kind) {
    case "rate_limited":
      return "other pods with this key call the API: run doctor again in a minute";
    case "unavailable":
      return error.reached
        ? "the API has trouble: run doctor again in some minutes"
        : "check VAST_URL, DNS, the proxy and the network policy of this pod";
    case "malformed":
      return "something other than the API may answer at VAST_URL, like a proxy; otherwise update vast-pod";
    default:
      return "check VAST_URL";
  }
}
