// Law 7, a number: which part of the money was paid for instances that were not serving. Pure.
import type { Truth } from "../emulator-truth.ts";

/** $ of a run, for the instances with a pod's label. */
export interface Money {
  paid: number;
  /** Before an instance served for the first time, if it ever did. */
  boot: number;
  /** For instances that never served, and for time after serving. */
  waste: number;
}

export function moneyOf(truth: Truth): Money {
  const labels = new Set(truth.pods.map((pod) => pod.label));
  const money: Money = { paid: 0, boot: 0, waste: 0 };
  for (const { label, paid } of truth.contracts) {
    if (label === null || !labels.has(label)) continue;
    money.paid += paid.serving + paid.before + paid.after;
    money.waste += paid.after;
    if (paid.serving > 0) money.boot += paid.before;
    else money.waste += paid.before;
  }
  return money;
}

/** `7.4 % of $12.31 served nobody: 1.1 % boot time, 6.3 % waste` */
export function moneySentence({ paid, boot, waste }: Money): string {
  const share = (part: number) => `${paid === 0 ? "0.0" : ((100 * part) / paid).toFixed(1)} %`;
  return `${share(boot + waste)} of $${paid.toFixed(2)} served nobody: ${share(boot)} boot time, ${share(waste)} waste`;
}
