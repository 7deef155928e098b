import { expect, test } from "vitest";
import { matchesDesired } from "../../../../provisioner/model/matches-desired.ts";
import { desired, HASH, row } from "../plan/situation.ts";

const template = { hash: HASH };

test.each([
  ["example/app:2", "same"],
  ["docker.io/example/app:2", "same"],
  ["example/app:1", "different"],
  ["", "not_reported"],
])("compares the image %j: %s", (image, answer) =>
  expect(matchesDesired(row({ image }), desired, template).image).toBe(answer),
);

test.each([
  [HASH, template, "same"],
  ["0ld", template, "different"],
  [null, template, "not_reported"],
  [HASH, null, "not_known"],
  [null, null, "not_known"],
])("compares the template hash %j with %j: %s", (templateHash, wanted, answer) =>
  expect(matchesDesired(row({ templateHash }), desired, wanted).templateHash).toBe(answer),
);
