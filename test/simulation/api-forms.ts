// Draws which of its known forms the API's answers have in a run. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";

/** Settings of the emulator, of those calls that the provisioner makes. Another form of an answer must never lead to another decision. */
export function drawForms(random: Random): JsonObject {
  return {
    takenOfferStatus: random.pick<number | string>([400, 404, 410, "no-ask"]),
    noCreditSlug: random.pick(["insufficient_credit", "invalid_args"]),
    noTemplates: random.pick(["empty-list", "success-false"]),
    missingInstance: random.pick(["no_such_instance", "not_found"]),
    showMissing: random.pick(["null", "404"]),
    badKeyStatus: random.pick([401, 404]),
    omittedLimit: random.pick([25, 5]),
    rateLimitBody: random.pick(["plain", "product", "detail", "main", "retry-after"]),
    outbidIntendedStatus: random.pick(["stopped", "running"]),
    staleTemplateHash: random.pick(["refused", "works"]),
  };
}
