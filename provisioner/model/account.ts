// What to tell the operator about trouble with the account. Pure.

import type { AccountTrouble } from "../vast/errors.ts";
import type { Observation } from "./observation.ts";

/** The account has nothing left to spend: Vast.ai has stopped its instances for that, and no host or app is to blame. */
export function outOfCredit({ credit }: Observation): boolean {
  return credit?.known === true && credit.value !== null && credit.value <= 0;
}

/** What is said then. A new create would be refused, so that the instance that is there is kept. */
export const OUT_OF_CREDIT = accountMessage(
  "no_credit",
  "Vast.ai has stopped the instance and goes on billing its disk; it is kept, or replaced once there is credit and it does not start again",
);

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
