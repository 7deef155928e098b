// One look at the world and what follows from it: read, decide, resolve, render, apply. Level-triggered: each pass begins
// with what is, not with what was last done. Touches only what it is given.
import type { Clock } from "../common/clock.ts";
import type { Applied } from "../common/reloader-status.ts";
import type { Applier, Outcome } from "./apply/apply.ts";
import type { ConfigFiles, Disk } from "./apply/config-files.ts";
import { writeStatePage } from "./apply/state-page.ts";
import type { Inputs } from "./inputs/read-inputs.ts";
import type { Resolver } from "./inputs/resolve.ts";
import { type DesiredUpstream, decideUpstream, type UpstreamRead, upstreamOfGood } from "./inputs/upstream.ts";
import { accessLogFor, descriptorOf, refusesLog } from "./nginx/access-log.ts";
import { type DesiredConfig, desiredConfig, unserved } from "./plan/desired-config.ts";
import { configForNextStart } from "./plan/next-start.ts";
import { mustWait, type Refused, refusedAgain } from "./plan/retry.ts";
import type { Config } from "./render/render.ts";
import type { ProxySettings } from "./render/view.ts";
import { appliedState, isNginxUp } from "./report/applied-state.ts";
import type { Report } from "./report/report.ts";

export interface ReconcileParts {
  proxy: ProxySettings;
  clock: Clock;
  files: ConfigFiles;
  disk: Disk;
  applier: Pick<Applier, "ensure">;
  resolver: Resolver;
  report: Report;
  readUpstream(): Promise<UpstreamRead>;
  /** What else the config depends on. */
  readInputs(): Promise<Inputs>;
  /** Removes what a former config needed and this proven one does not. Answers what hinders it. */
  removeStale(config: Config): Promise<string | null>;
  /** What stands behind a file descriptor of nginx' master, null when it cannot be known. */
  behindDescriptor(fd: number): Promise<string | null>;
}

// The backstop for events that never came, and how soon a hand in the config or a restarted nginx is noticed. A look
// costs two small reads and a request on loopback.
const POLL_MS = 3_000;
// nginx starts within a second of its container: its first requests should not meet "no nginx" on the status page.
const POLL_WAITING_MS = 1_000;
// Old workers leave 100 ms after a reload; where one is stuck the rest of its time is looked at this often.
const POLL_SETTLING_MS = 250;

// How the config file comes to hold something else than what is wanted.
const STAND_IN = "for its next start a safer config lies there, in turn with the wanted one";

export class Reconciler {
  readonly #parts: ReconcileParts;
  #before: DesiredUpstream | null = null;
  /** Whether it is known what an earlier run has left. */
  #recovered = false;
  /** Null while there is an nginx. `since`: epoch ms; `standIn`: another config than the wanted one has lain there. */
  #absence: { since: number; standIn: boolean } | null = null;
  #refused: Refused | null = null;
  /** The same for a config that stood in for the wanted one: else the two would take turns without a pause. */
  #refusedStandIn: Refused | null = null;
  /** What stands behind the access log; what was known stays so while nginx is down and cannot be asked. */
  #behindLog: string | null = null;
  /** Why nginx once refused to open the access log; kept, since asking again would cost a refusal each time. */
  #logRefusal: string | null = null;

  constructor(parts: ReconcileParts) {
    this.#parts = parts;
  }

  /**
   * Takes up what an earlier run has left. Call it once before the first pass; answers what is wrong with it. Passes
   * try again until it is known, as the volume may come later.
   */
  async recover(): Promise<string | null> {
    const { files, disk, proxy } = this.#parts;
    const recovered = await files.recover();
    this.#recovered = recovered.ok || files.good !== null;
    // A generation of 0: no upstream file was read since, which would know better.
    if (files.good !== null && !this.#before?.generation) this.#before = upstreamOfGood(files.good.server);
    if (!recovered.ok) return recovered.why;
    await disk.removeStale(proxy.statePath);
    return null;
  }

  /** One pass. Answers after how many ms the next one is due if nothing happens before. */
  async pass(signal: AbortSignal): Promise<number> {
    const { applier, clock, disk, files, proxy, report } = this.#parts;
    if (!this.#recovered && files.good === null) await this.recover();
    const read = await this.#parts.readUpstream();
    const { wanted, problem } = decideUpstream(read, this.#before);
    this.#before = wanted;
    const looked = await this.#parts.readInputs();
    const aim = await this.#aim(wanted, looked);
    const config = this.#choose(aim);
    const isWanted = config !== null && config.hash === aim.config?.hash;
    const told = aim.config === null || isWanted || aim.withdraws ? aim.page : unserved(aim.page);
    const pageProblem = config?.server === null ? await writeStatePage(proxy.statePath, told, disk) : null;
    const outcome = config === null ? null : await applier.ensure(config, signal);
    if (outcome?.kind === "stopped") return POLL_MS;
    // It has started with a safer config than the wanted one, which can be tried now.
    const isBack = this.#absence !== null && outcome?.kind === "settled" && !isWanted;
    if (outcome !== null) this.#absence = this.#absenceAfter(outcome, aim.config === null || isWanted);
    if (config !== null && outcome !== null) this.#remember(outcome, config, isWanted);
    const untidy = config !== null && outcome?.kind === "settled" ? await this.#parts.removeStale(config) : null;
    const { generation, server, page } = wanted;
    // What is served counts, not by which config: "nothing" may come from the built-in template.
    const serves = isWanted || (aim.withdraws && config?.server === null);
    // A refusal is told by what is remembered of it, also in the passes that do not try again.
    const trouble = outcome === null || outcome.kind === "refused" ? null : outcome.why;
    const standIn = this.#absence?.standIn === true ? STAND_IN : null;
    const refusal = this.#refusal(aim);
    const isNews = outcome?.kind === "settled" && report.applied?.hash !== config?.hash;
    const hasConfig = problem === null && aim.config !== null;
    report.finish(
      {
        wanted: { generation, server, hash: aim.config?.hash ?? null, state: page.state, reason: page.reason },
        applied: outcome?.kind === "settled" && config !== null ? this.#proven(config, serves, generation) : null,
        problem: joined([problem, aim.problem, refusal, trouble, standIn, pageProblem, untidy]),
        warnings: aim.warnings,
        reload: outcome !== null && "reload" in outcome ? outcome.reload : null,
        state: appliedState({ outcome, refusing: refusal !== null, hasConfig, serves }),
        refused: outcome?.kind === "refused",
        refusing: refusal !== null,
        nginxUp: isNginxUp(outcome),
        upstreamWrittenAt: read.kind === "file" ? read.writtenAt : null,
      },
      clock.now(),
    );
    // nginx tells its version through a config of ours, and the next one depends on it.
    const canTell = isNews && looked.render.nginxVersion === null;
    if (isBack || canTell) return 0;
    if (outcome?.kind === "settling") return POLL_SETTLING_MS;
    return outcome?.kind === "nginx_down" || outcome?.kind === "nginx_unresponsive" ? POLL_WAITING_MS : POLL_MS;
  }

  async #aim(wanted: DesiredUpstream, looked: Inputs): Promise<DesiredConfig> {
    const { proxy, resolver, behindDescriptor } = this.#parts;
    const fd = descriptorOf(proxy.accessLog);
    if (fd !== null) this.#behindLog = (await behindDescriptor(fd)) ?? this.#behindLog;
    const log = accessLogFor(proxy.accessLog, this.#behindLog, this.#logRefusal);
    const aim = await desiredConfig(wanted, { ...proxy, accessLog: log.path }, looked, resolver);
    return log.warning === null ? aim : { ...aim, warnings: [log.warning, ...aim.warnings] };
  }

  /** The config to apply now: the wanted one, else the last good one, else none's. Null: there is none that may be tried. */
  #choose(aim: DesiredConfig): Config | null {
    const { clock, files } = this.#parts;
    const { good } = files;
    const now = clock.now();
    const config = aim.config ?? (aim.withdraws ? aim.unavailableConfig : (good ?? aim.unavailableConfig));
    const waits = ({ hash }: Config) => mustWait(this.#refused, hash, now) || mustWait(this.#refusedStandIn, hash, now);
    if (!waits(config)) {
      const absence = this.#absence;
      if (absence === null) return config;
      return configForNextStart({
        config,
        good,
        unavailableConfig: aim.unavailableConfig,
        absentSince: absence.since,
        now,
      });
    }
    // A user's own template with a fault in it must not keep a server that is to be withdrawn. Where the fault is
    // cannot be told by nginx' words: of a file that it cannot open or a port that it cannot have it names no place.
    const standIn = good === null || (aim.withdraws && !waits(aim.unavailableConfig)) ? aim.unavailableConfig : good;
    return standIn.hash === config.hash || waits(standIn) ? null : standIn;
  }

  #absenceAfter(outcome: Outcome, asWanted: boolean) {
    if (outcome.kind !== "nginx_down") return null;
    const { since, standIn } = this.#absence ?? { since: this.#parts.clock.now(), standIn: false };
    return { since, standIn: standIn || !asWanted };
  }

  #remember(outcome: Outcome, config: Config, isWanted: boolean): void {
    if (outcome.kind === "settled" && isWanted) this.#refused = null;
    if (outcome.kind !== "refused") return;
    const why = withRemedy(outcome.why, this.#parts.proxy);
    const now = this.#parts.clock.now();
    if (isWanted) this.#refused = refusedAgain(this.#refused, config.hash, why, now);
    else this.#refusedStandIn = refusedAgain(this.#refusedStandIn, config.hash, why, now);
    if (refusesLog(this.#parts.proxy.accessLog, outcome.why)) this.#logRefusal = outcome.why;
  }

  #refusal(aim: DesiredConfig): string | null {
    const refused = this.#refused;
    if (refused === null || refused.hash !== aim.config?.hash) return null;
    const { why, times, retryAt } = refused;
    return `${why} (try ${times}, the next one at ${new Date(retryAt).toISOString()}; nginx keeps its last good config)`;
  }

  #proven(config: Config, serves: boolean, generation: number): Applied {
    const before = this.#parts.report.applied;
    const known = before?.hash === config.hash ? before.generation : 0;
    return { generation: serves ? generation : known, server: config.server, hash: config.hash };
  }
}

/** nginx names the file that it cannot load, but not the setting. */
function withRemedy(why: string, { tls }: ProxySettings): string {
  if (tls.authorities === null || !why.includes(`"${tls.authorities}"`)) return why;
  return `${why}: set NGINX_UPSTREAM_TLS_CA to a PEM file of authorities in nginx' own container`;
}

function joined(problems: readonly (string | null)[]): string | null {
  const all = problems.filter((problem) => problem !== null);
  return all.length === 0 ? null : all.join("; ");
}
