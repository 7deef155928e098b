import { describe, expect, test } from "vitest";
import {
  judgeInstances,
  judgeKey,
  judgeMoney,
  judgeRights,
  type TriedRead,
} from "../../../../provisioner/doctor/account.ts";
import { vastError } from "../fakes.ts";
import { LABEL, row } from "../plan/situation.ts";

const account = (credit: number | null) => ({ value: { id: 4711, credit } });
const paying = { value: [row({ dollarsPerHour: 0.5 }), row({ id: 2, dollarsPerHour: 0.5, label: "other" })] };

describe("the key", () => {
  test.each([
    [account(88.2), "ok", "account 4711, credit $88.20 (about 3d 16h at $1.00/h)"],
    [account(23.9), "warn", "account 4711, credit $23.90 (about 23h at $1.00/h)"],
    [account(0), "fail", "account 4711, credit $0.00"],
    [account(null), "warn", "account 4711, credit ?"],
    [{ error: vastError("auth") }, "fail", "PUT /api/v0/asks/1/: HTTP 400: it said so"],
  ])("with %o is %s", (answer, verdict, message) => {
    expect(judgeKey(answer, paying)).toMatchObject({ check: "key", verdict, message });
  });

  test("has a runway only where all prices are known and something is paid", () => {
    const unknown = { value: [row({ dollarsPerHour: null })] };
    for (const instances of [unknown, { value: [] }, { error: vastError("unavailable") }])
      expect(judgeKey(account(5), instances)).toMatchObject({ verdict: "ok", message: "account 4711, credit $5.00" });
  });
});

describe("prices and charges", () => {
  test("that are announced are named; none is well", () => {
    expect(judgeMoney({ value: [] }, { value: {} }, false)).toMatchObject([{ check: "money", verdict: "ok" }]);
    expect(judgeMoney({ value: [1, 2] }, { value: {} }, false)).toMatchObject([
      { verdict: "warn", message: "2 hosts announced a higher price" },
    ]);
  });

  test("of which the API leaves some out are a warning, because what is not shown is not accepted either", () => {
    expect(judgeMoney({ value: [1, 2] }, { value: {} }, true)).toMatchObject([
      { verdict: "warn", message: "more than 2 hosts announced a higher price, and the API leaves the others out" },
    ]);
  });

  test("that cannot be read are named one by one, and fail nothing", () => {
    const refused = { error: vastError("auth") };
    expect(judgeMoney(refused, { value: {} }, false)).toMatchObject([
      { verdict: "skip", message: expect.stringMatching(/^announced price increases cannot be read/) },
    ]);
    expect(judgeMoney(refused, refused, false)).toHaveLength(2);
  });
});

describe("the rights", () => {
  const read = (right: TriedRead["right"], answer: TriedRead["answer"]) => ({ right, answer });
  const refused = { error: vastError("auth") };

  test("are those of the reads that were answered", () => {
    const [finding] = judgeRights([read("user_read", { value: 1 }), read("misc", { value: 1 })]);
    expect(finding?.message).toMatch(/^the key has user_read, misc; instance_write is not tried here/);
  });

  test("lack what was refused, and nothing because of an outage", () => {
    const outage = { error: vastError("unavailable") };
    expect(
      judgeRights([read("user_read", { value: 1 }), read("instance_read", refused), read("misc", outage)]),
    ).toMatchObject([{ verdict: "fail", message: "the key lacks the right instance_read" }]);
    expect(judgeRights([read("user_read", outage)])).toEqual([]);
  });
});

describe("the instances", () => {
  test("are doubtful when two have the label", () => {
    expect(judgeInstances({ value: [row(), row({ id: 2 })] }, LABEL)).toMatchObject({ verdict: "warn" });
    expect(judgeInstances(paying, LABEL)).toMatchObject({ verdict: "ok" });
  });

  test("are counted without a label", () => {
    expect(judgeInstances(paying, null)).toMatchObject({ verdict: "ok", message: "the account has 2" });
  });
});
