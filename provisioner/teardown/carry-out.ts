// Carries an ordered end through: sends every destroy until the API accepts it, and lists until nothing is left or the time is
// over. Touches the API, the lease, and the state through `save`.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { destroyInstance } from "../act/destroy.ts";
import type { Lease } from "../lease/lease.ts";
import { LEASE_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import type { Ownership } from "../model/ownership.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import {
  type DestroyTarget,
  isCreateOpen,
  listedTarget,
  mayBeHidden,
  withoutGone,
  withoutListedIntent,
} from "./targets.ts";

export interface CarryOutParts {
  client: VastClient;
  clock: Clock;
  log: Logger;
  label: string;
  lease: Lease;
  save(state: State): Promise<void>;
  print(text: string): void;
  /** Whether an instance that is listed only now is destroyed too; otherwise only that of the open create is. */
  adoptsAll: boolean;
}

/** What is left when the work ends; `others` are new instances that were left alone. */
export interface CarriedOut {
  left: readonly DestroyTarget[];
  gone: number[];
  others: readonly Instance[];
  /** Whether the instance of a create without an answer may still appear. */
  createOpen: boolean;
}

// Lists have shown instances for up to two minutes after their destroy. A destroy that was accepted is sent again after this time.
const DESTROY_AGAIN_MS = 60_000;
// Between two rounds. What a rate limit does not allow yet waits in the client.
const POLL_MS = 2000;

/** Ends when nothing is left, when another provisioner holds the label, or when `over` is aborted. */
export async function carryOut(
  parts: CarryOutParts,
  first: readonly DestroyTarget[],
  before: State,
  over: AbortSignal,
): Promise<CarriedOut> {
  const { clock, label, lease, print, adoptsAll } = parts;
  const answers: Answers = new Map();
  const list = repeatedList(parts, over);
  let state = before;
  let left = first;
  let others: readonly Instance[] = [];
  let createOpen = isCreateOpen(state, clock.now());
  const targets = new Set(first.map(({ id }) => id));
  while ((left.length > 0 || createOpen) && !over.aborted) {
    const renewed = await lease.renew(state, over); // it may have expired while the operator thought about the answer
    state = renewed.state;
    if (renewed.ownership.kind === "other") {
      print(heldByOther(renewed.ownership, label));
      break;
    }
    state = await sendDue(parts, left, answers, state, over);
    await clock.sleep(POLL_MS, over);
    const rows = await list();
    if (rows === null) continue;
    const isLeft = (target: DestroyTarget) =>
      rows.some(({ id }) => id === target.id) ||
      mayBeHidden(target, state, answers.get(target.id)?.accepted === true, clock.now());
    left = left.filter(isLeft);
    const found = rows.filter(({ id }) => !left.some((target) => target.id === id));
    // An instance whose destroy is pending is not that of the open create.
    const ofCreate = createOpen
      ? found.filter(({ id }) => !state.pendingDeletes.some((pending) => pending.id === id))
      : [];
    const adopted = adoptsAll ? found : ofCreate;
    others = found.filter((row) => !adopted.includes(row));
    left = [...left, ...adopted.map(listedTarget)];
    for (const { id } of adopted) targets.add(id);
    const known = withoutListedIntent(state, rows);
    const forgets = known.intent !== null && known.intent.contract === null && !isCreateOpen(known, clock.now());
    state = withoutGone(forgets ? { ...known, intent: null } : known, goneOf(targets, left));
    createOpen = isCreateOpen(state, clock.now());
  }
  await parts.save(state);
  return { left, gone: goneOf(targets, left), others, createOpen };
}

const goneOf = (targets: ReadonlySet<number>, left: readonly DestroyTarget[]) =>
  [...targets].filter((id) => !left.some((target) => target.id === id));

/** What the API last answered to the destroy of an instance: when (monotonic ms), and whether it accepted it or knows no such instance. */
type Answers = Map<number, { at: number; accepted: boolean }>;

/** Sends the destroys that the API has not answered, and once more those that it answered long ago. */
async function sendDue(
  parts: CarryOutParts,
  targets: readonly DestroyTarget[],
  answers: Answers,
  before: State,
  over: AbortSignal,
): Promise<State> {
  const { client, clock, label, lease } = parts;
  const observed: VastClient = {
    ...client,
    async destroyInstance(id, ...rest) {
      try {
        await client.destroyInstance(id, ...rest);
        answers.set(id, { at: clock.monotonic(), accepted: true });
      } catch (error) {
        if (asVastError(error).kind === "not_found") answers.set(id, { at: clock.monotonic(), accepted: false });
        throw error;
      }
    },
  };
  const destroyParts = { ...parts, client: observed, mayMutate: lease.mayMutate, desired: nothingDesired(label) };
  let state = before;
  for (const { id, action, name } of targets) {
    const answeredAt = answers.get(id)?.at ?? Number.NEGATIVE_INFINITY;
    if (clock.monotonic() - answeredAt >= DESTROY_AGAIN_MS && !over.aborted)
      state = await destroyInstance(destroyParts, action, `destroying ${name}, as ordered`, state, over);
  }
  return state;
}

/** A function that lists once; null when the list is unknown, which proves nothing. The reason is printed when it changes. */
export function repeatedList(
  { client, label, print }: Pick<CarryOutParts, "client" | "label" | "print">,
  over: AbortSignal,
): () => Promise<readonly Instance[] | null> {
  let lastWhy = "";
  return async () => {
    if (over.aborted) return null;
    try {
      return await client.listInstances(label, over);
    } catch (error) {
      const { message } = asVastError(error);
      if (message !== lastWhy && !over.aborted) print(`The instance list is unknown (${message}): listing again.`);
      lastWhy = message;
      return null;
    }
  };
}

export function heldByOther({ owner }: Extract<Ownership, { kind: "other" }>, label: string): string {
  return `The label ${label} is held by the provisioner ${owner}: stop it or set VAST_POLICY=observe; if it was killed, its lease in Redis expires within ${LEASE_MS / 1000} s.`;
}

/** A destroy by an operator says nothing about the desired image. */
function nothingDesired(label: string): Desired {
  return { label, image: "", templateName: "", revision: "", upstreamPort: undefined, upstreamScheme: "http" };
}
