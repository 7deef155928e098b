// What the operator reads about trouble with the account. Pure.

import type { AccountTrouble } from "../vast/errors.ts";
import type { Observation, Why } from "./observation.ts";

/** True when the account has nothing left to spend: Vast.ai then stops its instances, and no host or app is to blame. */
export function outOfCredit({ credit }: Observation): boolean {
  return credit?.known === true && credit.value !== null && credit.value <= 0;
}

/** The message for a stopped instance without credit. A new create would be refused, so the instance is kept. */
export const OUT_OF_CREDIT = accountMessage(
  "no_credit",
  "Vast.ai has stopped the instance and still bills its disk. The instance is kept; if it does not start again when there is credit, it is replaced",
);

/** Why something is not known, with the remedy where the account is to blame. */
export function whyText({ message, account }: Why): string {
  return account === null ? message : accountMessage(account, message);
}

/** A sentence with the remedy. `detail` is the API's text. */
export function accountMessage(trouble: AccountTrouble, detail: string): string {
  switch (trouble) {
    case "auth":
      return `the API refuses VAST_API_KEY: set a valid key with instance and template rights (${detail})`;
    case "two_factor":
      return `the API requires two-factor authentication: use a key that was made for API use (${detail})`;
    case "no_credit":
      return `the account has no credit: add credit. Until then nothing is created and no host is banned (${detail})`;
    case "spend_limit":
      return `the account's spend limit is reached: raise it or wait (${detail})`;
  }
}
