// What an ordered end has to destroy, and when that counts as done. Pure.
import { elapsedMs } from "../../common/clock.ts";
import { CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import { describe } from "../model/describe.ts";
import type { DestroyAction } from "../model/plan.ts";
import { needsConfirmation } from "../state/pending-delete.ts";
import type { State } from "../state/schema.ts";
import type { Instance } from "../vast/rows.ts";

/** What is to be destroyed. `createdAt` (epoch ms) is set for a contract that no list has shown yet, and null otherwise. */
export interface DestroyTarget {
  id: number;
  action: DestroyAction;
  name: string;
  createdAt: number | null;
}

export function listedTarget(row: Instance): DestroyTarget {
  const { id, hostId, machineId } = row;
  return {
    id,
    action: { kind: "destroy", id, hostId, machineId, reason: "operator" },
    name: describe(row),
    createdAt: null,
  };
}

/** Our contracts that no list shows: that of a recent create, and those of failed creates whose destroy was not confirmed. */
export function unlistedTargets({ intent, pendingDeletes }: State, rows: readonly Instance[]): DestroyTarget[] {
  const target = (id: number, reason: DestroyAction["reason"], createdAt: number, price = ""): DestroyTarget => ({
    id,
    action: { kind: "destroy", id, hostId: null, machineId: null, reason },
    name: `instance ${id} (not listed${price})`,
    createdAt,
  });
  const failed = pendingDeletes.filter(needsConfirmation).map(({ id, since }) => target(id, "still_listed", since));
  const price = intent?.dollarsPerHour ?? null;
  const recent =
    intent === null || intent.contract === null
      ? []
      : [
          target(
            intent.contract,
            "create_never_appeared",
            intent.startedAt,
            price === null ? "" : `, $${price.toFixed(3)}/h`,
          ),
        ];
  return [...recent, ...failed].filter(({ id }) => !rows.some((row) => row.id === id));
}

/**
 * Whether a contract that was never listed may still exist although a complete list lacks it: until the API has accepted its
 * destroy, or has said that there is no such contract and its row had enough time to appear.
 */
export function mayBeHidden(
  { id, createdAt }: DestroyTarget,
  { pendingDeletes }: State,
  accepted: boolean,
  now: number,
): boolean {
  if (createdAt === null || accepted) return false;
  const confirmed = pendingDeletes.find((one) => one.id === id)?.deleteConfirmed === true;
  return !confirmed || elapsedMs(createdAt, now) < CREATE_DEADLINE_MS;
}

/** Whether the instance of a create without an answer may still appear. */
export function isCreateOpen({ intent }: State, now: number): boolean {
  return intent !== null && intent.contract === null && elapsedMs(intent.startedAt, now) < CREATE_DEADLINE_MS;
}

/** Forgets a create whose instance is in a complete list: from then on the list says what exists. */
export function withoutListedIntent(state: State, rows: readonly Instance[]): State {
  const { intent, pendingDeletes } = state;
  if (intent === null) return state;
  const found = rows.some(({ id }) =>
    // An instance that was to be destroyed before is not that of a later create.
    intent.contract === null ? !pendingDeletes.some((pending) => pending.id === id) : id === intent.contract,
  );
  return found ? { ...state, intent: null } : state;
}

/** The state when `gone` are verified as destroyed: nothing of them is left to wait for, also not for the next start. */
export function withoutGone(state: State, gone: readonly number[]): State {
  const { intent, pendingDeletes, tracks } = state;
  return {
    ...state,
    intent: intent?.contract != null && gone.includes(intent.contract) ? null : intent,
    pendingDeletes: pendingDeletes.filter(({ id }) => !gone.includes(id)),
    tracks: Object.fromEntries(Object.entries(tracks).filter(([id]) => !gone.includes(Number(id)))),
  };
}
