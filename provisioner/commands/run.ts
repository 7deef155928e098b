// `vast-provisioner run`: wires the loop together and ends it well. Touches everything, through what it is handed.
import type { Clock } from "../../common/clock.ts";
import { createLogger, type Logger, scrub } from "../../common/logging.ts";
import { createRegistry } from "../../common/metrics.ts";
import { createActor } from "../act/act.ts";
import { createBanStore, noBans } from "../blacklist/store.ts";
import { createLease, type Lease, newToken, noLease } from "../lease/lease.ts";
import { type LoopState, startState } from "../loop-state.ts";
import { createObserver } from "../observe/observe.ts";
import { nextCreateSlot, pollSlotOf } from "../observe/poll-schedule.ts";
import { createPublisher } from "../publish/publish.ts";
import { awaitWithdrawn } from "../publish/withdraw.ts";
import { runLoop } from "../reconcile.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { createMetrics } from "../report/metrics.ts";
import { liveness, readiness, statusDocument } from "../report/status.ts";
import type { ProvisionerSettings } from "../settings.ts";
import { adoptPublished } from "../state/apply-observation.ts";
import { emptyState, type State } from "../state/schema.ts";
import { createStateFile } from "../state/state-file.ts";
import { billingSentence } from "../teardown/billing.ts";
import { destroyAll } from "../teardown/destroy-all.ts";
import { destroyUnlessDesired, terminateWarning } from "../teardown/on-terminate.ts";
import { createVastClient } from "../vast/client.ts";
import { createPacing } from "../vast/pacing.ts";
import { createTransport } from "../vast/transport.ts";
import type { Dependencies } from "./dependencies.ts";

// How long a mutation under way is awaited after SIGTERM; Kubernetes grants 30 s by default.
const MUTATION_WAIT_MS = 20_000;

/** Runs until `stop` is aborted. Rejects when it cannot start: a taken status port, an unreadable state file. */
export async function run(settings: ProvisionerSettings, world: Dependencies, stop: AbortSignal): Promise<void> {
  const { clock, random, disk, adapter, logTo } = world;
  const { secrets, desired, podName } = settings;
  const log = createLogger({
    app: "vast-provisioner",
    debug: settings.debug,
    secrets: secrets.all,
    ...(logTo ? { destination: logTo } : {}),
  });
  const doubtful = terminateWarning(settings.onTerminate, world.inKubernetes, world.openCluster);
  for (const warning of [...settings.warnings, ...(doubtful === null ? [] : [doubtful])])
    log.warn({ event: "settings" }, warning);
  log.info(
    {
      event: "start",
      pod: podName,
      label: desired.label,
      image: desired.image,
      template: desired.templateName,
      policy: settings.policy,
    },
    "the provisioner starts",
  );

  const stateFile = createStateFile(settings.statePath, clock.now, disk);
  const loaded = await stateFile.load(desired.label);
  if (loaded.aside)
    log.warn(
      { event: "state_file", aside: loaded.aside.path },
      `${settings.statePath} cannot be used (${loaded.aside.why}): it is set aside and instances are found by their label`,
    );
  const loop = startState(loaded.state ?? emptyState(desired.label), clock.now());
  const publisher = createPublisher(settings.upstreamPath, podName, clock, () => loop.state.generation, disk);
  await startFromUpstreamFile(publisher, settings, loop, clock, log);

  let redis: RedisConnection | null = null;
  const metrics = createRegistry();
  const { maxDollarsPerHour } = settings.limits;
  const counts = createMetrics(metrics, {
    loop: loop,
    now: clock.now,
    maxDollarsPerHour,
    redis: () => redis?.health ?? null,
  });
  const place = pollSlotOf(podName);
  const pacing = createPacing(clock, random);
  const transport = createTransport({
    baseUrl: settings.vastUrl,
    apiKey: secrets.apiKey,
    clock,
    pacing,
    secrets: secrets.all,
    onAuthError: secrets.reload,
    onCall: counts.onCall,
    ...(adapter ? { adapter } : {}),
  });
  const client = createVastClient(transport, {
    clean: (text) => scrub(text, secrets.all()),
    onDuplicateTemplates: (name, [taken, ...others]) =>
      log.warn(
        { event: "template", taken, others },
        `the account has ${others.length + 1} templates named "${name}": the newest, ${taken}, is taken; rename the others, as a change in them changes nothing`,
      ),
  });
  const statusServer = await world.serveStatus(
    settings.statusPort,
    {
      live: () => liveness(loop, settings.drainMs, clock.now()),
      ready: () => readiness(loop),
      status: () => statusDocument(loop, podName, desired.label, settings.policy, clock.now()),
      metrics,
    },
    "PROVISIONER_STATUS_PORT",
  );
  // After the port is ours: an open connection would keep a program alive that cannot start.
  redis = settings.limits.bansEnabled ? await world.connectRedis(settings.redisUrl, log) : null;
  const bans = redis === null ? noBans : counts.countedBans(createBanStore(redis, clock, settings.banTimes));
  const lease = redis === null || settings.policy === "observe" ? noLease : leaseFor(loop, redis, settings, world, log);
  const save = async (state: State) => {
    loop.state = state; // what was done counts even if the disk does not take it
    try {
      await stateFile.save(state);
    } finally {
      await lease.mirror(state); // a pod whose volume is full may be evicted for it: then this copy is all there is
    }
  };
  let allEnded = false;
  const abortMutations = new AbortController();
  const ended = new AbortController();
  const abortMutationsLater = async () => {
    await clock.sleep(MUTATION_WAIT_MS, ended.signal);
    abortMutations.abort(new Error("the program ends"));
  };
  stop.addEventListener("abort", abortMutationsLater, { once: true });
  try {
    await runLoop(
      {
        observer: createObserver({
          client,
          bans,
          probe: world.probe,
          clock,
          random,
          desired,
          slot: place,
          fresh: loaded.state === null,
          firstCreateWaitMs: settings.firstCreateWaitMs,
          listAvailableAt: () => pacing.availableAt("list"),
          blockCreateUntil: (until) => pacing.blockUntil("create", until),
        }),
        act: counts.counted(
          createActor({
            client,
            bans,
            clock,
            log,
            desired,
            query: settings.query,
            imageLogin: () => secrets.registryLogin()?.text ?? null,
            save,
            mayMutate: lease.mayMutate,
            nextCreateSlot: (notBefore) => nextCreateSlot(place, notBefore, random),
          }),
        ),
        onPass: counts.onPass,
        lease,
        publisher,
        askReloader: world.askReloader,
        save,
        clock,
        log,
        desired,
        limits: settings.limits,
        policy: settings.policy,
        drainMs: settings.drainMs,
        firstCreateWaitMs: settings.firstCreateWaitMs,
      },
      loop,
      stop,
      abortMutations.signal,
    );
    allEnded = await destroyUnlessDesired({
      onTerminate: settings.onTerminate,
      policy: settings.policy,
      podName,
      clock,
      log,
      openCluster: world.openCluster,
      createPending: async () => {
        const { intent } = loop.state;
        if (intent === null) return false;
        const rows = await client.listInstances(desired.label).catch(() => []); // unknown: it is looked at again
        return !rows.some((row) => intent.contract === null || row.id === intent.contract);
      },
      withdraw: () => withdrawForGood(publisher, loop, settings, world, log),
      destroy: () =>
        destroyAll({
          client,
          clock,
          log,
          label: desired.label,
          load: async () => loop.state,
          save,
          lease,
          provisionerRuns: async () => false, // it is this one, and its loop has ended
          confirm: async () => true,
          say: (text) => log.info({ event: "terminate" }, text),
        }),
    });
  } finally {
    ended.abort();
    await lease.release();
    redis?.close();
    await statusServer.close();
  }
  const bill = allEnded
    ? `no instance has the label ${desired.label} any more: nothing goes on billing`
    : billingSentence(loop.seen, loop.state, desired.label);
  log.info({ event: "stop" }, bill);
}

/** Nothing is served any more: what nginx still answers has its time to end. */
async function withdrawForGood(
  publisher: ReturnType<typeof createPublisher>,
  loop: LoopState,
  { drainMs }: ProvisionerSettings,
  { clock, askReloader }: Dependencies,
  log: Logger,
): Promise<void> {
  const { file: last, served } = loop;
  if (last === null) return;
  const message = "the pod is not wanted any more: its instance is ended";
  const said = { state: "unavailable", reason: "terminating", message, server: null } as const;
  const { file } = await publisher.publish({ ...said, instance: last.instance });
  loop.file = file;
  if (served === null) return;
  const never = new AbortController().signal;
  await awaitWithdrawn(askReloader, file.generation, served.server, drainMs, clock, log, never);
}

/** The lease of this pod's label. Who only observes has none: it changes nothing, and must not keep others from doing so. */
function leaseFor(
  loop: LoopState,
  redis: RedisConnection,
  { desired }: ProvisionerSettings,
  { clock, random, owner }: Dependencies,
  log: Logger,
): Lease {
  const token = loop.state.leaseToken ?? newToken(random);
  loop.state = { ...loop.state, leaseToken: token };
  return createLease({ redis, clock, log, label: desired.label, token, owner });
}

/** What was published before this start stays published until a pass decides otherwise. */
async function startFromUpstreamFile(
  publisher: ReturnType<typeof createPublisher>,
  settings: ProvisionerSettings,
  loop: LoopState,
  clock: Clock,
  log: Logger,
): Promise<void> {
  const { file, problem } = await publisher.start();
  if (problem !== null)
    log.warn({ event: "upstream_file" }, `${settings.upstreamPath} cannot be used (${problem}): it is written anew`);
  if (file === null) return;
  loop.file = file;
  if (file.server !== null && file.instance !== null) loop.served = { id: file.instance.id, server: file.server };
  loop.state = adoptPublished(loop.state, file, clock.now());
}
