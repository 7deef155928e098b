// The lease of a label in the account that the API key belongs to: its keys are named by the account. Touches the API and Redis
// through what it is given.
import { fleetKeys } from "../fleet/keys.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import { createLease, type Lease, type LeaseParts } from "./lease.ts";

export interface AccountLeaseParts extends Omit<LeaseParts, "keys"> {
  client: Pick<VastClient, "accountId" | "readAccountId">;
}

/** While the account is unknown, the lease is not ours. The state file keeps the account, so that this can happen only at a first start. */
export function createAccountLease({ client, ...parts }: AccountLeaseParts): Lease {
  let current: { accountId: number; lease: Lease } | null = null;

  async function leaseOf(accountId: number): Promise<Lease> {
    if (current?.accountId === accountId) return current.lease;
    // The key is one of another account now: what is held in the former one only keeps others from acting there.
    await current?.lease.release();
    current = { accountId, lease: createLease({ ...parts, keys: fleetKeys(accountId) }) };
    return current.lease;
  }

  /** What the API says; `remembered` while it does not answer. */
  async function readOr(remembered: number, signal?: AbortSignal): Promise<number> {
    try {
      return await client.readAccountId(signal);
    } catch (error) {
      asVastError(error);
      return remembered;
    }
  }

  async function accountOf(state: State, signal?: AbortSignal): Promise<number | { why: string }> {
    const accountId = client.accountId() ?? current?.accountId ?? state.accountId;
    if (accountId !== null) return accountId;
    try {
      return await client.readAccountId(signal);
    } catch (error) {
      return { why: asVastError(error).message };
    }
  }

  return {
    async renew(state, signal) {
      const accountId = await accountOf(state, signal);
      if (typeof accountId !== "number")
        return { ownership: { kind: "unknown", why: accountId.why, until: null }, state };
      const known = state.accountId === accountId ? state : { ...state, accountId };
      return (await leaseOf(accountId)).renew(known);
    },
    async mayMutate() {
      if (current === null) return false;
      const { accountId, lease } = current;
      return (await readOr(accountId)) === accountId && lease.mayMutate();
    },
    async mirror(state, saved, left) {
      await current?.lease.mirror(state, saved, left);
    },
    async release() {
      await current?.lease.release();
    },
  };
}
