import { expect, test } from "vitest";
import { BLOCKING_REASONS } from "../../../../provisioner/model/reason-help.ts";
import { DECISION_TABLE } from "../../../../provisioner/plan/plan.ts";
import { HELD_REASONS } from "../../../../provisioner/state/schema.ts";

test("the reasons that block are those of the decision table, of a backoff that needs a person and of a held replacement", () => {
  const named = DECISION_TABLE.flatMap(({ plan }) =>
    [...plan.matchAll(/`blocked: ([a-z_]+)/g)].map(([, word]) => `${word}`),
  );
  const inTable = named.filter((word) => word !== "account_");
  expect(inTable.length).toBeGreaterThan(8);
  // `blocked: account_<trouble>`, and the row about a backoff.
  const accounts = ["account_auth", "account_two_factor", "account_no_credit", "account_spend_limit"];
  const backoffs = ["no_offer", "create_refused", "image_unavailable", "disk_too_small", "app_not_listening"];
  const expected = new Set([...inTable, ...accounts, ...backoffs, ...HELD_REASONS]);
  expect([...BLOCKING_REASONS].sort()).toEqual([...expected].sort());
});
