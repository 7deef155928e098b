// The laws by which every run is judged. Pure.
import type { Breach, Law, Truth } from "../emulator-truth.ts";
import { bidCeiling } from "./bid-ceiling.ts";
import { budgetKept } from "./budget.ts";
import { contractEnds } from "./contract-ends.ts";
import { deadDropped } from "./dead-dropped.ts";
import { goodKept } from "./good-kept.ts";
import { noLoop } from "./no-loop.ts";
import { nothingLeft } from "./nothing-left.ts";
import { offerFirst } from "./offer-first.ts";
import { oneOwner } from "./one-owner.ts";
import { orderedEnd } from "./ordered-end.ts";
import { othersUntouched } from "./others.ts";
import { priceCeiling } from "./price-ceiling.ts";
import { refusedOnce } from "./refused-once.ts";
import { servesOrEnds } from "./serves-or-ends.ts";
import { servingAgain } from "./serving-again.ts";
import { stoppedBid } from "./stopped-bid.ts";
import { surgeBounded } from "./surge-bounded.ts";
import { twoInstances } from "./two-instances.ts";
import { typoUndone } from "./typo-undone.ts";
import { updateShown } from "./update-shown.ts";

export const LAWS = {
  "two-instances": twoInstances,
  "others-untouched": othersUntouched,
  "good-kept": goodKept,
  "nothing-left": nothingLeft,
  "serving-again": servingAgain,
  budget: budgetKept,
  "one-owner": oneOwner,
  "serves-or-ends": servesOrEnds,
  "ordered-end": orderedEnd,
  "dead-dropped": deadDropped,
  "no-loop": noLoop,
  "update-shown": updateShown,
  "contract-ends": contractEnds,
  "typo-undone": typoUndone,
  "price-ceiling": priceCeiling,
  "surge-bounded": surgeBounded,
  "bid-ceiling": bidCeiling,
  "stopped-bid": stoppedBid,
  "offer-first": offerFirst,
  "refused-once": refusedOnce,
} as const satisfies Record<string, Law>;
export type LawName = keyof typeof LAWS;

/** Every breach of every law, in order of time. */
export function judge(truth: Truth): Breach[] {
  return Object.values(LAWS)
    .flatMap((law) => law(truth))
    .sort((a, b) => a.at - b.at);
}
