// Why the API did not take a change that it may take later, and what to do. Pure.
import { accountMessage } from "../model/account.ts";
import type { DestroyAction, UpdateAction } from "../model/plan.ts";
import { accountTrouble, type VastError } from "../vast/errors.ts";

/** Null where the API refuses the change itself, or has not answered. */
export function whyNotNow(failure: VastError): string | null {
  const trouble = accountTrouble(failure);
  if (trouble === "auth")
    return `the API does not allow it with this VAST_API_KEY: give the key the right instance_write, or set another key (${failure.message})`;
  if (trouble !== null) return accountMessage(trouble, failure.message);
  if (failure.kind === "rate_limited") return `the API is called too often with this key (${failure.message})`;
  if (!failure.reached) return `the API cannot be reached (${failure.message})`;
  return null;
}

/** What the operator reads about an instance whose end was not taken; `why` has the remedy. */
export function keptMessage({ id, kind, difference }: DestroyAction | UpdateAction, why: string): string {
  const [done, noun] = kind === "destroy" ? ["destroyed", "destroy"] : ["updated", "update"];
  const what =
    difference === undefined ? "" : ` has ${difference.reported}, but ${difference.wanted} is wanted, and it`;
  return `instance ${id}${what} was not ${done}: ${why}. It is kept until then, and the ${noun} is tried again`;
}
