// A result of the bench: a number, what it is compared with, and the goal. Decides whether the goal is reached. Pure.

export interface Quantity {
  value: number;
  /** Printed after the number: `ms`, `requests/s`, `of 40,000`. */
  unit: string;
}

/** A limit for the ratio, or for our value if there is nothing to compare it with. */
export type Goal = { atLeast: number } | { atMost: number };

export interface Measured {
  what: string;
  ours: Quantity;
  /** Measured in the same run; `what` says what it is. */
  against: (Quantity & { what: string }) | null;
  /** Null: the number is only information. */
  goal: Goal | null;
}

/** A number that could not be measured here, and why. */
export interface NotMeasured {
  what: string;
  notMeasured: string;
}

export type ResultLine = Measured | NotMeasured;

export type Verdict = "reached" | "missed";

/** Our value divided by the other one; null without a comparison. */
export function ratioOf({ ours, against }: Measured): number | null {
  if (against === null || against.value === 0) return null;
  return ours.value / against.value;
}

/** Null without a goal, or if there is no ratio. */
export function verdictOf(line: Measured): Verdict | null {
  const { goal, ours, against } = line;
  const value = against === null ? ours.value : ratioOf(line);
  if (goal === null || value === null) return null;
  const reached = "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
  return reached ? "reached" : "missed";
}
