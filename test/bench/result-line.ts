// What a bench says: one line for each number, with what it is measured against and the goal. Decides whether the goal
// is reached. Pure.

export interface Quantity {
  value: number;
  /** What stands behind the number: `ms`, `requests/s`, `of 40,000`. */
  unit: string;
}

/** A bound on the ratio; on our own value where there is nothing to compare it with. */
export type Goal = { atLeast: number } | { atMost: number };

export interface Measured {
  what: string;
  ours: Quantity;
  /** Measured beside ours in the same run; `what` says what it is. */
  against: (Quantity & { what: string }) | null;
  /** Null: the number is for information. */
  goal: Goal | null;
}

/** A number that could not be had here, and why. */
export interface NotMeasured {
  what: string;
  notMeasured: string;
}

export type ResultLine = Measured | NotMeasured;

export type Verdict = "reached" | "missed";

/** Ours divided by what it is measured against, null where there is nothing to compare with. */
export function ratioOf({ ours, against }: Measured): number | null {
  if (against === null || against.value === 0) return null;
  return ours.value / against.value;
}

/** Null where there is no goal, or a ratio that cannot be had. */
export function verdictOf(line: Measured): Verdict | null {
  const { goal, ours, against } = line;
  const value = against === null ? ours.value : ratioOf(line);
  if (goal === null || value === null) return null;
  const reached = "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
  return reached ? "reached" : "missed";
}
