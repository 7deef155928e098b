import { describe, expect, test } from "vitest";
import { type AccountView, NOTHING_READ, pendingPriceOf } from "../../../../provisioner/model/account-view.ts";
import { moneyWarnings } from "../../../../provisioner/model/money-warnings.ts";
import { HOUR, NOW, row } from "../plan/situation.ts";

const priced = row({ dollarsPerHour: 1, diskDollarsPerHour: 0.2 });
const asks = (factor: number | null, endsAt: number | null = null): AccountView => ({
  ...NOTHING_READ,
  priceIncreases: [{ id: 3, instanceId: priced.id, factor, gpuDollarsPerHour: 0.6, endsAt }],
});
const credit = (dollars: number): AccountView => ({ ...NOTHING_READ, credit: { dollars, at: NOW } });
const messages = (...given: Parameters<typeof moneyWarnings>) => moneyWarnings(...given).map(({ message }) => message);

describe("the price that a host asks for", () => {
  test("raises the price of the GPUs alone, at the end of the contract", () => {
    expect(pendingPriceOf(priced, asks(1.5, NOW))).toEqual({ dollarsPerHour: expect.closeTo(1.4), at: NOW });
    const ending = { ...priced, endsAt: NOW + HOUR };
    expect(pendingPriceOf(ending, asks(1.5))).toMatchObject({ at: NOW + HOUR });
  });

  test("is that of each GPU where the API does not tell the price now", () => {
    expect(pendingPriceOf({ ...priced, gpus: 2 }, asks(null))).toMatchObject({ dollarsPerHour: expect.closeTo(1.4) });
  });

  test("is none for another instance, and unknown with the price", () => {
    expect(pendingPriceOf({ ...priced, id: 5 }, asks(1.5))).toBeNull();
    expect(pendingPriceOf(priced, NOTHING_READ)).toBeNull();
    expect(pendingPriceOf({ ...priced, dollarsPerHour: null }, asks(1.5))).toBeNull();
  });
});

describe("a warning", () => {
  test("comes a day before a contract ends, and says what happens and what to do", () => {
    const ending = (inMs: number) => messages([{ ...priced, endsAt: NOW + inMs }], NOTHING_READ, NOW);
    expect(ending(24 * HOUR + 1)).toEqual([]);
    expect(ending(0)).toEqual([]);
    expect(ending(20 * HOUR)).toEqual([
      "the contract of instance 7835610 (RTX 4090, $1.000/h) ends at 2026-11-24T11:00:00.000Z, in 20.0 h: it is replaced VAST_END_MARGIN_SECONDS before that, or when Vast.ai has stopped it. To choose the time, destroy it in the console of Vast.ai earlier",
    ]);
  });

  test("says what a host asks for, until when, and what to do", () => {
    expect(messages([priced], asks(1.5, NOW), NOW)).toEqual([
      "the host of instance 7835610 (RTX 4090, $1.000/h) asks for $1.400/h instead of $1.000/h from 2026-11-23T15:00:00.000Z on: to keep the instance, accept that in the console of Vast.ai, or set VAST_PRICE_INCREASE and VAST_MAX_DPH; otherwise its contract ends then, and it is replaced before that",
    ]);
  });

  test("comes when the credit lasts less than a day for this pod alone", () => {
    expect(messages([priced], credit(24), NOW)).toEqual([]);
    expect(messages([priced], credit(12), NOW)).toEqual([
      "the credit of the account, $12.00, lasts 12.0 h for this pod alone ($1.000/h): add credit. At 0 Vast.ai stops all instances of the account",
    ]);
    expect(messages([], credit(0), NOW)).toEqual([]);
  });
});
