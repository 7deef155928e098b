// Turns an API error or a reason into a value that is not known. Pure.
import type { Why } from "../model/observation.ts";
import { accountTrouble, type VastError } from "../vast/errors.ts";

export function unknownBecause(reason: VastError | string): { known: false; why: Why } {
  if (typeof reason === "string") return { known: false, why: { message: reason, account: null } };
  return { known: false, why: { message: reason.message, account: accountTrouble(reason) } };
}
