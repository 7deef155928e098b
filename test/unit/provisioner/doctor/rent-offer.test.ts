import { describe, expect, test } from "vitest";
import { CLEANUP_MS, planRent } from "../../../../provisioner/doctor/rent-offer.ts";
import { HOUR, MINUTE, offer } from "../plan/situation.ts";

const priced = (id: number, dollarsPerHour: number | null) => offer({ id, dollarsPerHour });

describe("the plan of a trial", () => {
  test("takes the cheapest offers first, and none without a price", () => {
    const plan = planRent(
      [priced(1, 0.5), priced(2, null), priced(3, 0.2), priced(4, 0.3), priced(5, 0.9)],
      20 * MINUTE,
      1,
    );
    expect(plan).toMatchObject({ waitMs: 20 * MINUTE });
    expect("offers" in plan && plan.offers.map(({ id }) => id)).toEqual([3, 4, 1]);
  });

  test("waits only as long as the money lasts, the destroy included", () => {
    const plan = planRent([priced(1, 3)], 20 * MINUTE, 1);
    expect(plan).toMatchObject({ waitMs: HOUR / 3 - CLEANUP_MS, mostDollars: 1 });
  });

  test("leaves out a dearer offer for which the money would not last", () => {
    const plan = planRent([priced(1, 0.3), priced(2, 30)], 20 * MINUTE, 1);
    expect("offers" in plan && plan.offers.map(({ id }) => id)).toEqual([1]);
    expect("mostDollars" in plan && plan.mostDollars).toBeCloseTo(0.15);
  });

  test("rents nothing that may cost more than allowed, and says how much that needs", () => {
    expect(planRent([priced(1, 3)], 20 * MINUTE, 0.5)).toEqual({
      why: "the cheapest offer costs $3.000/h, which may become more than $0.50 before it is destroyed",
      remedy: "allow more with --max-dollars 0.65",
    });
  });

  test("rents nothing without an offer", () => {
    expect(planRent([priced(1, null)], 20 * MINUTE, 1)).toMatchObject({ why: "no offer can be taken" });
  });
});
