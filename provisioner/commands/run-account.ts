// The account of `run`: its client, and how its calls are paced. Touches nothing until the client makes a call.
import { scrub } from "../../common/logging.ts";
import { type FleetKeys, fleetKeys } from "../fleet/keys.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import type { CallInfo } from "../vast/transport.ts";
import { type Account, connectAccount } from "./connect.ts";
import type { RunContext } from "./dependencies.ts";
import { joinQueue, type Queue } from "./queue.ts";

export interface RunAccount extends Account {
  /** Null without Redis. */
  queue: Queue | null;
}

export function connectRunAccount(context: RunContext, loop: LoopState, onCall: (info: CallInfo) => void): RunAccount {
  const { settings, deps, log } = context;
  const { secrets, vastUrl } = settings;
  let queue: Queue | null = null;
  const account = connectAccount({
    baseUrl: vastUrl,
    apiKey: secrets.apiKey,
    clock: deps.clock,
    random: deps.random,
    secrets: secrets.all,
    onAuthError: secrets.reload,
    onCall,
    pace(local) {
      if (settings.redis.fleet === null) return local;
      queue = joinQueue(context, loop, local);
      return queue.pacing;
    },
    ...(deps.adapter ? { adapter: deps.adapter } : {}),
    client: {
      clean: (text) => scrub(text, secrets.all()),
      onDuplicateTemplates: (name, [taken, ...others]) =>
        log.warn(
          { event: "template", taken, others },
          `the account has ${others.length + 1} templates named "${name}": the newest one, ${taken}, is used; rename the others, because changes in them have no effect`,
        ),
    },
  });
  return { ...account, queue };
}

/** What the pods of the account share. `token` names this process. */
export function fleetOf(redis: Fleet["redis"], client: RunAccount["client"], loop: LoopState, token: string): Fleet {
  let named: { accountId: number; keys: FleetKeys } | null = null;
  const keys = () => {
    const accountId = client.accountId() ?? loop.state.accountId;
    if (accountId === null) return null;
    if (named?.accountId !== accountId) named = { accountId, keys: fleetKeys(accountId) };
    return named.keys;
  };
  return { redis, keys, token };
}
