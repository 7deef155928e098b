// The last step of `vast-provisioner run`: does with the instance what VAST_ON_TERMINATE says. Touches the cluster's API, the
// upstream file, the reloader and the API of Vast, through its parts.
import type { Lease } from "../lease/lease.ts";
import type { LoopState } from "../loop-state.ts";
import type { Publisher } from "../publish/publish.ts";
import { awaitWithdrawn } from "../publish/withdraw.ts";
import type { State } from "../state/schema.ts";
import { destroyAll } from "../teardown/destroy-all.ts";
import { destroyUnlessDesired } from "../teardown/on-terminate.ts";
import type { VastClient } from "../vast/client.ts";
import type { RunContext } from "./dependencies.ts";

export interface ShutdownParts extends RunContext {
  loop: LoopState;
  publisher: Publisher;
  client: VastClient;
  lease: Lease;
  save(state: State): Promise<void>;
}

/** True when every instance of the label is destroyed and verified. */
export async function shutdown(parts: ShutdownParts): Promise<boolean> {
  const { settings, deps, log, loop, client, lease, save } = parts;
  const { clock, openCluster } = deps;
  const { label } = settings.desired;
  return destroyUnlessDesired({
    onTerminate: settings.onTerminate,
    policy: settings.policy,
    podName: settings.podName,
    clock,
    log,
    openCluster,
    createPending: async () => {
      const { intent } = loop.state;
      if (intent === null) return false;
      const rows = await client.listInstances(label).catch(() => []); // unknown: the list is read again later
      return !rows.some((row) => intent.contract === null || row.id === intent.contract);
    },
    withdraw: () => withdrawForDestroy(parts),
    destroy: () =>
      destroyAll({
        client,
        clock,
        log,
        label,
        load: async () => loop.state,
        save,
        lease,
        provisionerRuns: async () => false, // this process is the provisioner, and its loop has stopped
        confirm: async () => true,
        print: (text) => log.info({ event: "terminate" }, text),
      }),
  });
}

/** Publishes that nothing is served, and waits until nginx has applied it and the requests under way have had their time. */
async function withdrawForDestroy({ settings, deps, log, loop, publisher }: ShutdownParts): Promise<void> {
  const { file: last, served } = loop;
  if (last === null) return;
  const { file } = await publisher.publish({
    state: "unavailable",
    reason: "terminating",
    message: "the pod is no longer wanted: its instance is being destroyed",
    server: null,
    instance: last.instance,
  });
  loop.file = file;
  if (served === null) return;
  const never = new AbortController().signal;
  const { askReloader, clock } = deps;
  await awaitWithdrawn(askReloader, file.generation, served.server, settings.drainMs, clock, log, never);
}
