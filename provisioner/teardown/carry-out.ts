// Carries an ordered end through: sends every destroy until the API accepts it, and lists until nothing is left or the time is
// over. Touches the API, the lease, and the state through `save`.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { destroyInstance } from "../act/destroy.ts";
import type { Lease } from "../lease/lease.ts";
import { whyText } from "../model/account.ts";
import { LEASE_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import type { Ownership } from "../model/ownership.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import type { EndCalls, EndList } from "./end-calls.ts";
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
  calls: EndCalls;
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

/** What `listed` shows counts at first. Ends when nothing is left, when another provisioner holds the label, or when `over` is aborted. */
export async function carryOut(
  parts: CarryOutParts,
  first: { targets: readonly DestroyTarget[]; listed: EndList },
  before: State,
  over: AbortSignal,
): Promise<CarriedOut> {
  const { calls, clock, label, lease, print, adoptsAll } = parts;
  const answers: Answers = new Map();
  const list = repeatedList(parts, over);
  let { listed } = first;
  let state = before;
  let left = first.targets;
  let others: readonly Instance[] = [];
  let createOpen = isCreateOpen(state, clock.now());
  const targets = new Set(left.map(({ id }) => id));
  let waits = false;
  const tellWait = (ahead: number) => {
    if (ahead > 0 && !waits) print(`${ahead} destroys of other pods with the same key are to be sent before.`);
    waits = ahead > 0;
  };

  /** Lists again, and takes over what the list shows. False: it is unknown. */
  async function listAgain(): Promise<boolean> {
    const newer = await list();
    if (newer === null) return false;
    listed = newer;
    const { rows } = newer;
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
    return true;
  }

  while ((left.length > 0 || createOpen) && !over.aborted) {
    const renewed = await lease.renew(state, over); // it may have expired while the operator thought about the answer
    state = renewed.state;
    if (renewed.ownership.kind === "other") {
      print(heldByOther(renewed.ownership, label));
      break;
    }
    const due = left.filter(({ id }) => isDue(answers.get(id), clock));
    if (due.length > 0) {
      const ahead = await calls.untilNear(over);
      tellWait(ahead);
      if (ahead > 0) continue;
      if (!listed.mayDecide()) {
        if (!(await listAgain())) await clock.sleep(POLL_MS, over);
        continue;
      }
      const sent = await send(parts, { due, listed, answers }, state, over);
      state = sent.state;
      // What is sent again queues anew: it must not keep the others from their turns.
      if (sent.hasFailed || left.every(({ id }) => answers.has(id))) await calls.leave();
    }
    await clock.sleep(POLL_MS, over);
    await listAgain();
  }
  await parts.save(state);
  return { left, gone: goneOf(targets, left), others, createOpen };
}

const goneOf = (targets: ReadonlySet<number>, left: readonly DestroyTarget[]) =>
  [...targets].filter((id) => !left.some((target) => target.id === id));

/** What the API last answered to the destroy of an instance: when (monotonic ms), and whether it accepted it or knows no such instance. */
type Answers = Map<number, { at: number; accepted: boolean }>;

/** True for a destroy that the API has not answered, or answered long ago. */
const isDue = (answer: { at: number } | undefined, clock: Clock) =>
  answer === undefined || clock.monotonic() - answer.at >= DESTROY_AGAIN_MS;

/** Sends the destroys while the list is new enough for that. `hasFailed`: the API accepts one of them only when it is sent again. */
async function send(
  parts: CarryOutParts,
  { due, listed, answers }: { due: readonly DestroyTarget[]; listed: EndList; answers: Answers },
  before: State,
  over: AbortSignal,
): Promise<{ state: State; hasFailed: boolean }> {
  let hasFailed = false;
  const { client, clock, label, lease } = parts;
  const observed: VastClient = {
    ...client,
    async destroyInstance(id, ...rest) {
      try {
        await client.destroyInstance(id, ...rest);
        answers.set(id, { at: clock.monotonic(), accepted: true });
      } catch (error) {
        if (asVastError(error).kind === "not_found") answers.set(id, { at: clock.monotonic(), accepted: false });
        else hasFailed = true;
        throw error;
      }
    },
  };
  const destroyParts = { ...parts, client: observed, mayMutate: lease.mayMutate, desired: nothingDesired(label) };
  let state = before;
  for (const { action, name } of due) {
    if (over.aborted || !listed.mayDecide()) break;
    state = await destroyInstance(destroyParts, action, `destroying ${name}, as ordered`, state, over);
  }
  return { state, hasFailed };
}

/** A function that lists once; null when the list is unknown, which proves nothing. The reason is printed when it changes. */
export function repeatedList(
  { calls, print }: Pick<CarryOutParts, "calls" | "print">,
  over: AbortSignal,
): () => Promise<EndList | null> {
  let lastWhy = "";
  return async () => {
    if (over.aborted) return null;
    const listed = await calls.list(over);
    if ("rows" in listed) return listed;
    const message = whyText(listed);
    if (message !== lastWhy && !over.aborted) print(`The instance list is unknown (${message}): listing again.`);
    lastWhy = message;
    return null;
  };
}

export function heldByOther({ owner }: Extract<Ownership, { kind: "other" }>, label: string): string {
  return `The label ${label} is held by the provisioner ${owner}: stop it or set VAST_POLICY=observe; if it was killed, its lease in Redis expires within ${LEASE_MS / 1000} s.`;
}

/** A destroy by an operator says nothing about the desired image. */
function nothingDesired(label: string): Desired {
  return { label, image: "", templateName: "", revision: "", upstreamPort: undefined, upstreamScheme: "http" };
}
