// A pod of the reloader in which everything is faked: nginx, the disk, DNS and the clock.
import pino from "pino";
import { Applier } from "../../../reloader/apply/apply.ts";
import { ConfigFiles } from "../../../reloader/apply/config-files.ts";
import type { InputsRead } from "../../../reloader/inputs/read-inputs.ts";
import { createResolver } from "../../../reloader/inputs/resolve.ts";
import type { UpstreamRead } from "../../../reloader/inputs/upstream.ts";
import { Reconciler } from "../../../reloader/reconcile.ts";
import { NO_RENDER_INPUTS } from "../../../reloader/render/view.ts";
import { Report } from "../../../reloader/report/report.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";
import { CONFIG, FakeDisk, FakeNginx, GOOD } from "./fake-nginx.ts";
import { PROXY, upstreamFile } from "./samples.ts";

/** A pod in which nginx runs and no instance was ever provisioned. `restart` starts a new reloader on the same disk. */
export function startPod(settings = PROXY) {
  const clock = fakeClock();
  const disk = new FakeDisk(clock.now);
  const nginx = new FakeNginx(clock, disk);
  const addresses = new Map<string, string[]>();
  const lines: { level: string; msg: string; [key: string]: unknown }[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const seen: { upstream: UpstreamRead; descriptor: string | null; inputs: InputsRead; cleanupError: string | null } = {
    upstream: { kind: "missing" },
    descriptor: null,
    inputs: { render: NO_RENDER_INPUTS, usable: true, problem: null },
    cleanupError: null,
  };
  let reconciler: Reconciler | null = null;
  const pod = {
    clock,
    disk,
    nginx,
    addresses,
    lines,
    ...seen,
    report: new Report(logger, clock.now(), clock.monotonic()),
    publish: (file: Parameters<typeof upstreamFile>[0]) => {
      pod.upstream = { kind: "file", file: upstreamFile(file), writtenAt: clock.now() };
    },
    /** How far the system's clock was set. The monotonic clock knows nothing of it. */
    clockAheadMs: 0,
    restart: async (): Promise<Reconciler> => {
      const clock = { ...pod.clock, now: () => pod.clock.now() + pod.clockAheadMs };
      const isWithdrawn = async () => pod.upstream.kind === "file" && pod.upstream.file.server === null;
      const files = new ConfigFiles({ configPath: CONFIG, goodPath: GOOD }, disk);
      pod.report = new Report(logger, clock.now(), clock.monotonic());
      reconciler = new Reconciler({
        proxy: settings,
        clock,
        files,
        disk,
        applier: new Applier({ clock, nginx, files, log: nginx, isWithdrawn }),
        resolver: createResolver(
          async (name) => {
            const found = addresses.get(name);
            if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
            return found;
          },
          clock,
          { allowLocal: false },
        ),
        addressRules: { allowLocal: false, ownPorts: [3000, 8082, 8081], ownAddresses: () => ["192.0.2.1"] },
        report: pod.report,
        readUpstream: async () => pod.upstream,
        descriptorTarget: async () => pod.descriptor,
        readInputs: async () => pod.inputs,
        removeStale: async () => pod.cleanupError,
      });
      await reconciler.recover();
      return reconciler;
    },
    startPass: async () => (reconciler ?? (await pod.restart())).pass(new AbortController().signal),
    pass: () => clock.drive(pod.startPass()),
    status: () => pod.report.status({ pid: null, problem: null }),
  };
  nginx.start();
  return pod;
}
