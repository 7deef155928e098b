// `vast-provisioner run`: starts the loop's parts, runs the loop, and shuts down. Touches everything, through its dependencies.
import { createLogger } from "../../common/logging.ts";
import { createRegistry } from "../../common/metrics.ts";
import { createTurns } from "../../common/turns.ts";
import { type ActorParts, createActor } from "../act/act.ts";
import { createPreview } from "../act/preview-create.ts";
import { type BanStore, createBanStore, noBans } from "../blacklist/store.ts";
import { shareAccountId } from "../fleet/account-id.ts";
import { createAccountReadings } from "../fleet/account-readings.ts";
import { createOfferMarket } from "../fleet/offer-market.ts";
import { noPodTurns } from "../fleet/pod-turns.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import { createAccountLease } from "../lease/account-lease.ts";
import { type Lease, newToken, noLease } from "../lease/lease.ts";
import { type LoopState, noteFile, serverToLeave, startState, takeState } from "../loop-state.ts";
import { createLostLabelLook } from "../observe/lost-label.ts";
import { createObserver } from "../observe/observe.ts";
import { type Pauses, watchPauses } from "../observe/pauses.ts";
import { mayBeAlone, nextCreateSlot, pollSlotOf } from "../observe/poll-schedule.ts";
import type { Probe } from "../observe/probe.ts";
import { shareProbe } from "../observe/shared-probe.ts";
import { suppressedCreate } from "../plan/suppressed-create.ts";
import { createPublisher, type Publisher } from "../publish/publish.ts";
import { type LoopParts, runLoop } from "../reconcile.ts";
import { openAll, type RedisConnections } from "../redis/open.ts";
import { databaseOf } from "../redis/url.ts";
import { createMetrics, type ProvisionerCounts } from "../report/metrics.ts";
import { createStartingLog } from "../report/starting-log.ts";
import { logUpdates } from "../report/update-counts.ts";
import { runServing } from "../serve.ts";
import type { ProvisionerSettings } from "../settings.ts";
import { adoptPublished } from "../state/apply-observation.ts";
import { stateAtStart } from "../state/at-start.ts";
import type { State } from "../state/schema.ts";
import { createStateFile, type StateFile } from "../state/state-file.ts";
import { billingSentence, nothingBilled } from "../teardown/billing.ts";
import type { DestroyOutcome } from "../teardown/destroy-all.ts";
import type { Dependencies, RunContext } from "./dependencies.ts";
import { connectBoots } from "./fleet-boots.ts";
import { connectRecords } from "./fleet-records.ts";
import { type ConnectedLists, connectLists, leadMeanwhile } from "./lists.ts";
import { logStart } from "./log-start.ts";
import { mutationDeadline } from "./mutation-deadline.ts";
import { connectReports, type Reports } from "./reports.ts";
import { connectRunAccount, fleetOf, type RunAccount } from "./run-account.ts";
import { shutdown } from "./shutdown.ts";
import { statusSource } from "./status-source.ts";
import { templateAtStart } from "./template-at-start.ts";
import { watchMoney } from "./watch-money.ts";

/** What an earlier run has left. `fresh`: there was no usable state file. */
interface Restored {
  loop: LoopState;
  fresh: boolean;
  stateFile: StateFile;
  publisher: Publisher;
}

interface Stores {
  redis: RedisConnections;
  bans: BanStore;
  lease: Lease;
  /** Null: this pod shares nothing with others. */
  fleet: Fleet | null;
  /** Writes the state to disk and copies it to Redis. */
  save(state: State): Promise<void>;
}

/**
 * Runs until `stop` is aborted. Returns whether all was done that the stop ordered. Rejects when it cannot start, as with a status
 * port in use or an unreadable state file.
 */
export async function run(settings: ProvisionerSettings, deps: Dependencies, stop: AbortSignal): Promise<boolean> {
  const { secrets } = settings;
  const log = createLogger({
    app: "vast-provisioner",
    debug: settings.debug,
    secrets: secrets.all,
    ...(deps.logTo ? { destination: deps.logTo } : {}),
  });
  const context: RunContext = { settings, deps, log };
  logStart(context);
  const restored = await restoreState(context);
  const { loop } = restored;
  let redis: RedisConnections | null = null;
  const metrics = createRegistry();
  const counts = createMetrics(metrics, {
    loop,
    now: deps.clock.now,
    limits: settings.limits,
    redis: () => redis?.health ?? null,
  });
  const account = connectRunAccount(context, loop, counts.onCall);
  const statusServer = await deps.serveStatus(
    settings.statusPort,
    statusSource(context, loop, metrics),
    "PROVISIONER_STATUS_PORT",
  );
  // Only now that the port is ours: an open connection, like an open port, would keep a program alive that cannot start.
  const stores = await connectRedis(context, restored, account, counts).catch(async (error: unknown) => {
    await statusServer.close();
    throw error;
  });
  redis = stores.redis;
  if (redis.fleet !== null) account.queue?.connect(redis.fleet);
  const mutations = mutationDeadline(stop, deps);
  let outcome: DestroyOutcome | null = null;
  try {
    const probe = shareProbe(counts.countedProbe(deps.probe));
    const { lead, endCalls: calls, ...lists } = connectLists(context, restored, account, stores.fleet);
    const { pods } = lists;
    const reports = await connectReports(context, loop, stores.fleet, pods);
    const pauses = watchPauses(deps.clock, stop);
    const parts = loopParts(context, restored, account, stores, counts, lists, probe, pauses, reports);
    const template = templateAtStart(context, loop, { ...account, ...stores }, stop);
    const main = template.first.then(() => runLoop(parts, loop, stop, mutations.signal));
    const watched = watchMoney(context, loop, { ...account, ...stores, pods }, stop);
    const work = Promise.all([main, runServing({ ...parts, probe }, loop, stop), watched, template.done]);
    const { ending: onEnding } = reports;
    const end = async () => {
      await work;
      const stoppedAt = mutations.stoppedAt();
      return shutdown({ ...context, ...restored, ...account, ...stores, calls, onEnding, stoppedAt });
    };
    outcome = await leadMeanwhile(end, lead, settings.onTerminate === "keep" ? stop : null);
    await reports.written();
    if (outcome?.done && outcome.problem === null) await reports.forget();
  } finally {
    mutations.cancel();
    await stores.lease.release();
    stores.redis.close();
    await statusServer.close();
  }
  const { label } = settings.desired;
  if (outcome === null) log.info({ event: "stop" }, billingSentence(loop.seen, loop.state, label));
  else if (outcome.problem === null) log.info({ event: "stop" }, nothingBilled(label));
  else log.error({ event: "stop", instances: outcome.left }, outcome.problem);
  return outcome?.done ?? true;
}

/** Reads the state file and the upstream file. What was published stays published until a pass decides otherwise. */
async function restoreState({ settings, deps, log }: RunContext): Promise<Restored> {
  const { clock, disk } = deps;
  const { label, revision } = settings.desired;
  const stateFile = createStateFile(settings.statePath, clock.now, disk);
  const { state, aside } = await stateFile.load(label);
  if (aside)
    log.warn(
      { event: "state_file", aside: aside.path },
      `${settings.statePath} cannot be used (${aside.why}): it was moved to ${aside.path}; instances are found by their label`,
    );
  // A start may have brought another key.
  const loop = startState(stateAtStart(state, label, revision, clock.now()), clock.now());
  const publisher = createPublisher(settings.upstreamPath, settings.podName, clock, () => loop.state.generation, disk);
  const { file, problem } = await publisher.start();
  if (problem !== null)
    log.warn({ event: "upstream_file" }, `${settings.upstreamPath} cannot be used (${problem}): it will be rewritten`);
  if (file !== null) {
    noteFile(loop, file, clock.monotonic());
    loop.state = adoptPublished(loop.state, file, clock.now());
  }
  return { loop, fresh: state === null, stateFile, publisher };
}

/** Bans and lease are in Redis where the settings name one. Under VAST_POLICY=observe there is no lease, so that others can act. */
async function connectRedis(
  { settings, deps, log }: RunContext,
  { loop, stateFile }: Restored,
  { client }: RunAccount,
  counts: ProvisionerCounts,
): Promise<Stores> {
  const { clock, random, owner } = deps;
  const { label } = settings.desired;
  const redis = await openAll(settings.redis, (address) => deps.connectRedis(address, log));
  const fleet = redis.fleet === null ? null : fleetOf(redis.fleet, client, loop, owner);
  loop.sharesLists = fleet !== null;
  const account = shareAccountId({ client, clock, fleet, apiKey: settings.secrets.apiKey });
  const bans =
    redis.bans === null || settings.redis.bans === null
      ? noBans
      : counts.countedBans(
          createBanStore(redis.bans, clock, settings.banTimes, {
            fleet,
            database: databaseOf(settings.redis.bans.target),
          }),
        );
  let lease = noLease;
  if (redis.fleet !== null && settings.policy !== "observe") {
    const token = loop.state.leaseToken ?? newToken(random);
    loop.state = { ...loop.state, leaseToken: token };
    const parts = { clock, log, label, token, owner, startedAt: clock.now() };
    lease = createAccountLease({ client: account, redis: redis.fleet, ...parts });
  }
  const inTurn = createTurns(); // both loops save: an older state must not replace a newer one
  const save = (state: State) => {
    takeState(loop, state); // what was done counts even if it cannot be written to disk
    return inTurn(async () => {
      const newest = loop.state;
      let saved = false;
      try {
        await stateFile.save(newest);
        saved = true;
      } finally {
        // A pod may be evicted because its volume is full: then only this copy is left.
        await lease.mirror(newest, saved, serverToLeave(loop, clock.now()));
      }
    });
  };
  return { redis, bans, lease, fleet, save };
}

function loopParts(
  { settings, deps, log }: RunContext,
  { loop, publisher }: Restored,
  { client, queue }: RunAccount,
  { bans, lease, fleet, save }: Stores,
  counts: ProvisionerCounts,
  { lists, pods }: Pick<ConnectedLists, "lists" | "pods">,
  probe: Probe,
  pauses: Pauses,
  reports: Reports,
): LoopParts {
  const { clock, random, askReloader } = deps;
  const { allowLocal, desired, drainMs, firstCreateWaitMs, limits, policy, secrets } = settings;
  const slot = pollSlotOf(settings.podName);
  const readings = createAccountReadings({ client, clock, fleet });
  const turns = queue?.turns ?? noPodTurns;
  const market = createOfferMarket({ client, clock, fleet, label: desired.label });
  // Beside a provisioner that only observes there is one that counts the same.
  const records = connectRecords(policy === "observe" ? null : fleet);
  const shareBoots = connectBoots(policy === "observe" ? null : fleet, clock);
  const logStarting = createStartingLog(log, limits);
  const lookForLostLabels = createLostLabelLook({ client, log, label: desired.label });
  const acting: ActorParts = {
    client,
    market,
    turns,
    readings,
    bans,
    clock,
    log,
    desired,
    query: settings.query,
    recordsOf: records.of,
    onOffers: counts.onOffers,
    imageLogin: () => secrets.registryLogin()?.text ?? null,
    save,
    mayMutate: lease.mayMutate,
    pauses,
    nextCreateSlot: (notBefore) => (queue === null ? nextCreateSlot(slot, notBefore, random) : notBefore),
  };
  const previewCreate = createPreview(acting);
  return {
    observer: createObserver({
      readings,
      bans,
      probe,
      clock,
      random,
      desired,
      allowLocal,
      slot,
      own: queue && { ...queue.own, pods },
      lists,
    }),
    act: counts.counted(createActor(acting)),
    async afterPass(before, seen, stop) {
      counts.onPass(before);
      logUpdates(log, before, loop.state);
      logStarting(loop, clock.now());
      const forbidden = suppressedCreate(loop.suppressed, policy, { desired, seen, state: loop.state, limits });
      loop.wouldRent = await previewCreate(forbidden, seen, loop.state, stop);
      reports.report(stop);
      await records.send(loop);
      await shareBoots(before, loop);
      await lookForLostLabels(before, seen, stop);
    },
    lease,
    turns,
    mayBeAlone: mayBeAlone(slot),
    pauses,
    publisher,
    askReloader,
    save,
    clock,
    log,
    desired,
    limits,
    policy,
    drainMs,
    firstCreateWaitMs,
  };
}
