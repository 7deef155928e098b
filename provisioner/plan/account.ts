// What to tell the operator about trouble with the account. Pure.
import type { AccountTrouble } from "../vast/errors.ts";

/** A sentence with the remedy. `detail` is what the API said. */
export function accountMessage(trouble: AccountTrouble, detail: string): string {
  switch (trouble) {
    case "auth":
      return `the API refuses VAST_API_KEY: set a valid key with instance and template rights (${detail})`;
    case "two_factor":
      return `the API asks for two-factor authentication: use a key that was made for API use (${detail})`;
    case "no_credit":
      return `the account has no credit: add some; nothing is created and no host is blamed meanwhile (${detail})`;
    case "spend_limit":
      return `the account's spend limit is reached: raise it or wait (${detail})`;
  }
}
