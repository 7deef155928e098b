import { expect, test } from "vitest";
import { type LeaseAnswer, OURS, ownershipBy } from "../../../../provisioner/model/ownership.ts";
import { MINUTE, NOW, SECOND } from "../plan/situation.ts";

const ours: LeaseAnswer = { kind: "ours" };
const other = { kind: "other", owner: "vast-pod-0 (pid 1)", until: NOW + MINUTE } as const;
const away: LeaseAnswer = { kind: "none", why: "Command timed out" };

test("acts while the lease is ours in Redis, whatever was before", () => {
  for (const last of [null, ours, other]) expect(ownershipBy(ours, last, NOW, NOW)).toEqual(OURS);
});

test("is blocked as soon as another provisioner holds the lease, even if it was ours", () => {
  for (const last of [null, ours, other]) expect(ownershipBy(other, last, NOW, NOW)).toEqual(other);
});

test("continues, with a doubt, when Redis stops answering after the lease was ours", () => {
  const ownership = ownershipBy(away, ours, NOW - 30 * MINUTE, NOW);
  expect(ownership).toMatchObject({ kind: "ours", doubt: expect.stringContaining("Command timed out") });
});

test("stays blocked when Redis stops answering after another provisioner held the lease, even after its expiry", () => {
  expect(ownershipBy(away, other, NOW - 30 * MINUTE, NOW + 30 * MINUTE)).toEqual(other);
});

test("waits for 120 s when Redis has never answered", () => {
  const ownership = ownershipBy(away, null, NOW, NOW + 120 * SECOND - 1);
  expect(ownership).toEqual({ kind: "unknown", why: "Command timed out", until: NOW + 120 * SECOND });
});

test("continues, with a doubt, when Redis has not answered for 120 s", () => {
  const ownership = ownershipBy(away, null, NOW, NOW + 120 * SECOND);
  expect(ownership).toMatchObject({ kind: "ours", doubt: expect.stringContaining("without knowing") });
});
