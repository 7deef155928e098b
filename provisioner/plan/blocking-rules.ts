// The rules under which nothing may be changed: an unknown list, another provisioner's label, account trouble. Pure.
import { accountMessage, OUT_OF_CREDIT, outOfCredit } from "../model/account.ts";
import { LEASE_MS } from "../model/deadlines.ts";
import type { Serving } from "../model/plan.ts";
import { takenOverUntil } from "../state/takeovers.ts";
import { BLOCKED_MS, noChange, type Rule, UNKNOWN_MS } from "./rule.ts";

// When a lease is about to expire, it is tried again soon after its end, and not many times within the second before.
const LEAST_WAIT_MS = 1000;

const readyIfServing = <T>({ server }: Serving, otherwise: T) => (server === null ? otherwise : "ready");

/** Under these rules no instance is created or destroyed and no ban is written. */
export const BLOCKING_RULES: readonly Rule[] = [
  {
    name: "account_refuses_list",
    observed:
      "the API refuses the instance list because of the account: key, two-factor authentication, credit or spend limit",
    plan: "change nothing; the published server stays as for `list_unknown`; `blocked: account_<trouble>`",
    decide(situation) {
      const { list } = situation.seen;
      if (list.known || list.why.account === null) return null;
      const { account, message } = list.why;
      return noChange(situation, `account_${account}`, accountMessage(account, message), "blocked", UNKNOWN_MS);
    },
  },
  {
    name: "list_unknown",
    observed: "the instance list is unknown",
    plan: "change nothing; the published server stays while its probe passes, at most `VAST_UNKNOWN_MAX_SECONDS` (no limit with an HTTP probe), then `unavailable: list_unknown`",
    decide(situation) {
      const { list } = situation.seen;
      if (list.known) return null;
      const message = `the instance list is unknown (${list.why.message}): nothing is changed until it is known. If this lasts, check VAST_URL and that this pod can reach it`;
      return noChange(situation, "list_unknown", message, readyIfServing(situation.serving, "unavailable"), UNKNOWN_MS);
    },
  },
  {
    name: "owner_unknown",
    observed:
      "Redis has not answered yet whether another provisioner holds the label's lease, or the API has not named the account, by which that lease is named",
    plan: "change nothing; keep serving; wait at most 120 s for Redis, and for the account as long as it takes",
    decide(situation) {
      const { ownership, desired, now, serving } = situation;
      if (ownership.kind !== "unknown") return null;
      const { until, why } = ownership;
      const message =
        until === null
          ? `it is unknown which account VAST_API_KEY belongs to (${why}), and the lease in Redis is named by the account: nothing is created or destroyed until the API says it. If this lasts, give the key the right to read its user (user_read)`
          : `Redis has not answered whether another provisioner holds the lease of the label ${desired.label} (${why}): nothing is created or destroyed before ${new Date(until).toISOString()}`;
      const waitMs = until === null ? UNKNOWN_MS : Math.min(UNKNOWN_MS, until - now);
      return noChange(situation, "owner_unknown", message, readyIfServing(serving, "provisioning"), waitMs);
    },
  },
  {
    name: "other_owner",
    observed: "another provisioner holds the label's lease",
    plan: "change nothing; keep serving; `blocked: other_owner`",
    decide(situation) {
      const { ownership, desired, now } = situation;
      if (ownership.kind !== "other") return null;
      const { owner, until } = ownership;
      const end =
        until === null
          ? "its lease in Redis never expires: delete the key"
          : `its lease in Redis expires within ${LEASE_MS / 1000} s`;
      const message = `another provisioner, ${owner}, holds the lease of the label ${desired.label}: nothing is created or destroyed here. Give each pod with the same POD_NAME its own VAST_LABEL. If the other provisioner is gone, ${end}`;
      const waitMs = until === null ? BLOCKED_MS : Math.min(BLOCKED_MS, Math.max(until - now, LEAST_WAIT_MS));
      return noChange(situation, "other_owner", message, "blocked", waitMs);
    },
  },
  {
    name: "taken_over",
    observed:
      "an instance is listed, and twice within an hour it disappeared and another one appeared that this provisioner did not create",
    plan: "change nothing for 30 min; keep serving; `blocked: other_owner`",
    decide(situation) {
      const { state, now, desired, instances } = situation;
      const until = takenOverUntil(state, now);
      // Without any instance one is created: if both provisioners do that, each one serves its own, and neither destroys the other's.
      if (until === null || instances.length === 0) return null;
      const message = `somebody else replaces the instance with the label ${desired.label}: twice within an hour it disappeared and another one appeared that was not created here. Nothing is destroyed here until ${new Date(until).toISOString()}. Give each pod with the same POD_NAME its own VAST_LABEL: two clusters with one account need two labels`;
      return noChange(situation, "other_owner", message, "blocked", Math.min(BLOCKED_MS, until - now));
    },
  },
  {
    name: "account_trouble",
    observed:
      "the API refused a create or destroy because of the account: key, two-factor authentication, credit or spend limit",
    plan: "change nothing and ban nobody until the pause is over; keep serving; `blocked: account_<trouble>`",
    decide(situation) {
      const { account } = situation.state;
      if (account === null || account.until <= situation.now) return null;
      return noChange(situation, `account_${account.trouble}`, account.message, "blocked", BLOCKED_MS);
    },
  },
  {
    name: "account_no_credit",
    observed: "an instance is stopped and the account has no credit",
    plan: "change nothing and ban nobody; `blocked: account_no_credit`",
    decide(situation) {
      if (!outOfCredit(situation.seen)) return null;
      return noChange(situation, "account_no_credit", OUT_OF_CREDIT, "blocked", BLOCKED_MS);
    },
  },
];
