// Why the API did not take a change that it may take later, and what to do. Pure.
import { accountMessage } from "../model/account.ts";
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
