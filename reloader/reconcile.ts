// One pass: read inputs, plan, write the state page, apply, fold the outcome into the memory, report. Level-triggered: each
// pass starts from the observed state. Touches only what it is given.
import type { Clock } from "../common/clock.ts";
import type { Disk } from "../common/disk.ts";
import type { Applier } from "./apply/apply.ts";
import type { ConfigFiles } from "./apply/config-files.ts";
import { writeStatePage } from "./apply/state-page.ts";
import type { InputsRead } from "./inputs/read-inputs.ts";
import { type AddressRules, refusedAddress } from "./inputs/refused-address.ts";
import type { Resolver } from "./inputs/resolve.ts";
import { decideUpstream, type UpstreamRead, upstreamOfGood } from "./inputs/upstream.ts";
import { descriptorOf } from "./nginx/access-log.ts";
import { foldOutcome } from "./plan/fold-outcome.ts";
import type { ReloadInput } from "./plan/input.ts";
import { EMPTY_MEMORY, type ReloadMemory } from "./plan/memory.ts";
import { nextPassMs } from "./plan/next-pass.ts";
import { planReload } from "./plan/plan-reload.ts";
import type { Config } from "./render/render.ts";
import type { ProxySettings } from "./render/view.ts";
import { passReport } from "./report/pass-report.ts";
import type { Report } from "./report/report.ts";

export interface ReconcileParts {
  proxy: ProxySettings;
  clock: Clock;
  files: ConfigFiles;
  disk: Pick<Disk, "write" | "removeStale">;
  applier: Pick<Applier, "ensure">;
  resolver: Resolver;
  addressRules: AddressRules;
  report: Report;
  readUpstream(): Promise<UpstreamRead>;
  /** What else the config depends on. */
  readInputs(): Promise<InputsRead>;
  /** Removes what an earlier config needed and this proven one does not. Answers why it could not, else null. */
  removeStale(config: Config): Promise<string | null>;
  /** What a file descriptor of nginx' master points to, null when that cannot be known. */
  descriptorTarget(fd: number): Promise<string | null>;
}

export class Reconciler {
  readonly #parts: ReconcileParts;
  #memory: ReloadMemory = EMPTY_MEMORY;
  /** Whether the files of an earlier run were read. */
  #recovered = false;

  constructor(parts: ReconcileParts) {
    this.#parts = parts;
  }

  /**
   * Takes over the files of an earlier run. Call it once before the first pass; answers why they cannot be used, else
   * null. Passes retry until it works, since the volume may be mounted later.
   */
  async recover(): Promise<string | null> {
    const { files, disk, proxy } = this.#parts;
    const read = await this.#parts.readUpstream();
    const recovered = await files.recover(read.kind === "file" ? read.file : null);
    this.#recovered = recovered.ok || files.good !== null;
    // A generation of 0: this run has read no upstream file yet, which would be newer.
    if (files.found !== null && !this.#memory.upstream?.generation) {
      this.#memory = { ...this.#memory, upstream: upstreamOfGood(files.found.server, files.found.ready) };
    }
    if (!recovered.ok) return recovered.why;
    await disk.removeStale(proxy.statePath);
    return null;
  }

  /** One pass. Answers after how many ms the next one is due if nothing changes before. */
  async pass(signal: AbortSignal): Promise<number> {
    const { applier, clock, disk, files, proxy, report } = this.#parts;
    if (!this.#recovered && files.good === null) await this.recover();
    const input = await this.#readInput();
    const plan = planReload(input, this.#memory, clock.monotonic());
    const keepError = plan.desired.withdraws ? await files.withdraw() : null;
    const isHeld = plan.desired.withdraws && plan.config === null;
    const heldError = isHeld ? await files.unpublish(plan.desired.unavailableConfig) : null;
    const pageError = plan.page === null ? null : await writeStatePage(proxy.statePath, plan.page, disk);
    const outcome = plan.config === null ? null : await applier.ensure(plan.config, signal);
    if (outcome?.kind === "stopped") return 0; // the loop ends, or the next pass withdraws the server
    const before = this.#memory;
    this.#memory = foldOutcome(before, input, plan, outcome, clock.monotonic());
    const proven = outcome?.kind === "settled" ? plan.config : null;
    const cleanupError = proven === null ? null : await this.#parts.removeStale(proven);
    report.finish(
      passReport(input, plan, outcome, this.#memory, [pageError, keepError, heldError, cleanupError]),
      clock.now(),
      clock.monotonic(),
    );
    return nextPassMs(input, plan, outcome, before);
  }

  async #readInput(): Promise<ReloadInput> {
    const { proxy, files, resolver, addressRules } = this.#parts;
    const read = await this.#parts.readUpstream();
    const upstream = decideUpstream(read, this.#memory.upstream);
    // Kept at once: when the rest of the pass throws, the decision must not be lost with it.
    this.#memory = { ...this.#memory, upstream: upstream.desired };
    const inputs = await this.#parts.readInputs();
    const fd = descriptorOf(proxy.accessLog);
    const logTarget = (fd === null ? null : await this.#parts.descriptorTarget(fd)) ?? this.#memory.logTarget;
    this.#memory = { ...this.#memory, logTarget };
    const { server } = upstream.desired;
    const resolution = server === null ? null : await resolver.resolve(server.host);
    const refusal = server && resolution?.known ? refusedAddress(server, resolution.address, addressRules) : null;
    return {
      proxy,
      upstream,
      upstreamWrittenAt: read.kind === "file" ? read.writtenAt : null,
      resolution,
      refusal,
      inputs,
      logTarget,
      good: files.good,
    };
  }
}
