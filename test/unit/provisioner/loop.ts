// The loop with fakes around it, and a journal of everything that it does. Touches nothing.
import { formatUpstreamFile, type UpstreamFile } from "../../../common/upstream-file.ts";
import { createActor } from "../../../provisioner/act/act.ts";
import { noPodTurns, type PodTurns } from "../../../provisioner/fleet/pod-turns.ts";
import { type Lease, noLease } from "../../../provisioner/lease/lease.ts";
import { type LoopState, startState } from "../../../provisioner/loop-state.ts";
import type { Limits, Policy } from "../../../provisioner/model/desired.ts";
import type { Observation } from "../../../provisioner/model/observation.ts";
import type { Urgency } from "../../../provisioner/observe/list-schedule.ts";
import type { Pauses } from "../../../provisioner/observe/pauses.ts";
import type { Probe } from "../../../provisioner/observe/probe.ts";
import type { Publisher } from "../../../provisioner/publish/publish.ts";
import { type LoopParts, pass, runLoop } from "../../../provisioner/reconcile.ts";
import { runServing, serve } from "../../../provisioner/serve.ts";
import type { State } from "../../../provisioner/state/schema.ts";
import { type FakeClock, fakeClock } from "../../fakes/fake-clock.ts";
import {
  type ClientScript,
  fakeBans,
  fakeClient,
  fakeDisk,
  fakeLog,
  type Journal,
  noPauses,
  ownMarket,
  ownReadings,
} from "./fakes.ts";
import {
  atOnce,
  desired,
  HOUR,
  limits,
  NOW,
  observation,
  observedWith,
  offer,
  passing,
  published,
  query,
  SECOND,
  state,
} from "./plan/situation.ts";

export const fileOf = (over: Partial<UpstreamFile> = {}): UpstreamFile => ({
  schema: 1,
  generation: 1,
  pod: "vast-pod-0",
  state: "ready",
  reason: "instance_ready",
  message: "m",
  ...published(),
  updatedAt: new Date(NOW).toISOString(),
  ...over,
});

/** A publisher that journals what it publishes. */
function fakePublisher(journal: Journal, broken: { now: boolean }): Publisher {
  let generation = 1;
  let last = "";
  return {
    start: async () => ({ file: null, problem: null }),
    publish: async ({ state, reason, message, server, instance }) => {
      if (broken.now) throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
      const content = formatUpstreamFile(fileOf({ state, reason, message, server, instance }));
      const changed = content !== last;
      last = content;
      if (changed) {
        generation += 1;
        journal.push(`publish ${server === null ? "none" : server.port}`);
      }
      return { changed, file: fileOf({ generation, state, reason, message, server, instance }) };
    },
  };
}

interface Setup extends ClientScript {
  seen?: Observation | (() => Observation);
  state?: State;
  file?: UpstreamFile | null;
  policy?: Policy;
  limits?: Partial<Limits>;
  imageLogin?: string;
  /** True when the list of an observation is a second old. */
  oldList?: (urgency: Urgency) => boolean;
  /** How old the list of an observation is; instead of `oldList`. */
  listAgeMs?: number;
  /** Holds up the main loop, as an API that does not answer does. The observation is made before. */
  heldUp?: (clock: FakeClock) => Promise<void>;
  /** Of the serving loop. */
  probe?: Probe;
  onAsk?: () => void;
  lease?: Lease;
  turns?: PodTurns;
  pauses?: Pauses;
}

/** Runs passes of the real loop; nothing but the clock, the disk, the API, Redis and the reloader are fakes. */
export function loop(setup: Setup) {
  const journal: Journal = [];
  const clock: FakeClock = fakeClock(NOW);
  const { log, lines } = fakeLog();
  const stop = new AbortController();
  const brokenPublisher = { now: false };
  const file = setup.file === undefined ? null : setup.file;
  const loop: LoopState = {
    ...startState(setup.state ?? state(), NOW - HOUR),
    file,
    served: file?.server && file.instance ? { id: file.instance.id, server: file.server, downSince: null } : null,
  };
  const disk = fakeDisk(journal, (m) => {
    loop.state = m;
  });
  const lease = setup.lease ?? noLease;
  const asks: { urgency: Urgency }[] = [];
  const client = fakeClient(journal, { offers: () => [offer()], create: () => 42, ...setup });
  const parts: LoopParts = {
    observer: {
      observe: async (before, _published, urgency) => {
        asks.push({ urgency });
        const shown = typeof setup.seen === "function" ? setup.seen() : (setup.seen ?? observation());
        const seen = observedWith(before, shown, clock.now());
        await setup.heldUp?.(clock);
        return { ...seen, listedAt: clock.now() - (setup.oldList?.(urgency) ? SECOND : (setup.listAgeMs ?? 0)) };
      },
      wakeAt: (_urgency, wantedAt) => wantedAt,
    },
    act: createActor({
      client,
      recordsOf: async () => ({}),
      market: ownMarket(client, clock),
      turns: noPodTurns,
      readings: ownReadings(client, clock),
      bans: fakeBans(journal),
      clock,
      log,
      desired,
      query: query(),
      imageLogin: () => setup.imageLogin ?? null,
      save: disk.save,
      mayMutate: lease.mayMutate,
      pauses: setup.pauses ?? noPauses,
      nextCreateSlot: (notBefore) => notBefore,
    }),
    lease,
    turns: setup.turns ?? noPodTurns,
    mayBeAlone: false,
    pauses: setup.pauses ?? noPauses,
    publisher: fakePublisher(journal, brokenPublisher),
    askReloader: async () => {
      journal.push("ask reloader");
      setup.onAsk?.();
      return { generation: 99, server: null, hash: "h" };
    },
    save: disk.save,
    clock,
    log,
    desired,
    limits: { ...limits, ...setup.limits },
    policy: setup.policy ?? "sync",
    drainMs: 10 * SECOND,
    firstCreateWaitMs: 10 * SECOND,
  };
  const probe: Probe = async (where) => ({ ...passing(where), ...atOnce(clock.now()) });
  const serving = { ...parts, probe: setup.probe ?? probe };
  const never = new AbortController().signal;
  return {
    journal,
    clock,
    state: loop,
    stop,
    disk,
    lines,
    updates: client.updates,
    asks,
    brokenPublisher,
    pass: () => clock.drive(pass(parts, loop, stop.signal, never)),
    run: () => runLoop(parts, loop, stop.signal, never),
    serve: () => clock.drive(serve(serving, loop, stop.signal)),
    runServing: () => runServing(serving, loop, stop.signal),
  };
}
