// The last step of `vast-provisioner run`: does with the instance what VAST_ON_TERMINATE says. Touches the cluster's API, the
// upstream file, the reloader and the API of Vast, through its parts.
import { withDeadline } from "../../common/clock.ts";
import type { Lease } from "../lease/lease.ts";
import type { LoopState } from "../loop-state.ts";
import type { Publisher } from "../publish/publish.ts";
import { awaitWithdrawn } from "../publish/withdraw.ts";
import { withTransition } from "../state/history.ts";
import type { State } from "../state/schema.ts";
import { type DestroyOutcome, destroyAll } from "../teardown/destroy-all.ts";
import type { EndCalls } from "../teardown/end-calls.ts";
import { destroyUnlessDesired } from "../teardown/on-terminate.ts";
import type { VastClient } from "../vast/client.ts";
import type { RunContext } from "./dependencies.ts";

export interface ShutdownParts extends RunContext {
  loop: LoopState;
  publisher: Publisher;
  client: VastClient;
  calls: EndCalls;
  lease: Lease;
  save(state: State): Promise<void>;
  /** Called before anything is destroyed, when the state has that as its last transition; returns at once. */
  onEnding(): void;
  /** When the program was asked to stop, by the monotonic clock: VAST_TERMINATE_SECONDS begins then. */
  stoppedAt: number;
}

// The drain leaves at least this much of the time for the destroy, its rate limit and the lists that verify it.
const DESTROY_MS = 30_000;

/** What came of the destroy that was ordered; null when the instance was to be kept. */
export async function shutdown(parts: ShutdownParts): Promise<DestroyOutcome | null> {
  const { settings, deps, log, loop, client, calls, lease, save } = parts;
  const { clock, openCluster } = deps;
  const { label } = settings.desired;
  const timeLeftMs = () => timeLeft(parts);
  return destroyUnlessDesired({
    onTerminate: settings.onTerminate,
    policy: settings.policy,
    podName: settings.podName,
    clock,
    log,
    openCluster,
    timeLeftMs,
    withdraw: () => withdrawForDestroy(parts),
    destroy: () =>
      destroyAll({
        client,
        calls,
        clock,
        log,
        label,
        timeLeftMs,
        load: async () => loop.state,
        save,
        lease,
        adoptsAll: true, // this process would have destroyed a duplicate, too
        provisionerRuns: async () => "no", // this process is the provisioner, and its loop has stopped
        confirm: async () => true,
        print: (text) => log.info({ event: "terminate" }, text),
      }),
  });
}

const timeLeft = ({ settings, deps, stoppedAt }: ShutdownParts) =>
  stoppedAt + settings.terminateMs - deps.clock.monotonic();

/** Publishes that nothing is served, and waits until nginx has applied it and the requests under way have had their time. */
async function withdrawForDestroy(parts: ShutdownParts): Promise<void> {
  const { settings, deps, log, loop, publisher } = parts;
  const { file: last, served } = loop;
  if (last === null) return;
  const ending = {
    state: "unavailable",
    reason: "terminating",
    message: "the pod is no longer wanted: its instance is being destroyed",
    server: null,
    instance: last.instance,
  } as const;
  loop.state = { ...loop.state, history: withTransition(loop.state.history, ending, deps.clock.now()) };
  parts.onEnding();
  const { file } = await publisher.publish(ending);
  loop.file = file;
  if (served === null) return;
  const { askReloader, clock } = deps;
  if (await deps.isProxyGone()) return;
  await withDeadline(clock, timeLeft(parts) - DESTROY_MS, undefined, (over) =>
    awaitWithdrawn(askReloader, file.generation, served.server, settings.drainMs, clock, log, over),
  );
}
