import { describe, expect, test } from "vitest";
import { firstBid, raisedBid, worthReplacingBelow } from "../../../../provisioner/model/bid.ts";
import { row } from "../plan/situation.ts";

describe("the bid for an offer", () => {
  test("is so many times the smallest one, rounded up to a hundredth of a cent", () => {
    expect(firstBid({ factor: 1.2 }, 0.1, 1)).toBe(0.12);
    expect(firstBid({ factor: 1.2 }, 0.12345, 1)).toBe(0.1482);
    expect(firstBid({ factor: 1 }, 0.12345, 1)).toBe(0.1235);
  });

  test("is the fixed price, if that is enough", () => {
    expect(firstBid({ dollarsPerHour: 0.2 }, 0.1, 1)).toBe(0.2);
    expect(firstBid({ dollarsPerHour: 0.2 }, 0.2, 1)).toBe(0.2);
    expect(firstBid({ dollarsPerHour: 0.2 }, 0.2001, 1)).toBeNull();
  });

  test("is the ceiling where more is wanted, if that is enough", () => {
    expect(firstBid({ factor: 2 }, 0.1, 0.15)).toBe(0.15);
    expect(firstBid({ factor: 2 }, 0.1, 0.09)).toBeNull();
  });

  test("is one that the API takes", () => {
    expect(firstBid({ factor: 1.2 }, 0.0001, 1)).toBe(0.001);
    expect(firstBid({ factor: 1.2 }, 0.0001, 0.0005)).toBeNull();
  });
});

describe("the raised bid of an instance", () => {
  const outbid = (minBid: number | null, over = {}) =>
    row({ isBid: true, gpuDollarsPerHour: 0.2, diskDollarsPerHour: 0.02, minBid, ...over });

  test("is so many times the smallest one that wins now, or a tenth above it for a fixed bid", () => {
    expect(raisedBid(outbid(0.25), { factor: 1.2 }, 1)).toBe(0.3);
    expect(raisedBid(outbid(0.25), { dollarsPerHour: 0.2 }, 1)).toBe(0.275);
  });

  test("leaves room for the disk under the ceiling, and is null where the smallest one does not", () => {
    expect(raisedBid(outbid(0.25), { factor: 1.2 }, 0.28)).toBeCloseTo(0.26, 10);
    expect(raisedBid(outbid(0.25), { factor: 1.2 }, 0.269)).toBeNull();
  });

  test("is a quarter higher where the row does not say what wins, and null where that is above the ceiling", () => {
    expect(raisedBid(outbid(null), { factor: 1.2 }, 1)).toBe(0.25);
    expect(raisedBid(outbid(0.2), { factor: 1.2 }, 1)).toBe(0.25);
    expect(raisedBid(outbid(0.2), { factor: 1.2 }, 0.22)).toBeNull();
  });

  test("is null where the price of the disk or of the GPUs is not known: nobody could tell what it costs", () => {
    expect(raisedBid(outbid(0.25, { diskDollarsPerHour: null }), { factor: 1.2 }, 1)).toBeNull();
    expect(raisedBid(outbid(0.25, { gpuDollarsPerHour: null }), { factor: 1.2 }, 1)).toBeNull();
  });
});

test("another instance is worth its start where it is a tenth cheaper, and the start is paid back within an hour", () => {
  const minutes = (count: number) => count * 60_000;
  expect(worthReplacingBelow(0.4, 0)).toBeCloseTo(0.36, 10);
  expect(worthReplacingBelow(0.4, minutes(3))).toBeCloseTo(0.36 / 1.1, 10);
  expect(worthReplacingBelow(0.4, minutes(30))).toBeCloseTo(0.18, 10);
});
