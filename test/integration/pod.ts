// A pod under test: the emulator and the programs that a test starts, as real processes in a sandbox.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfExists } from "../../common/atomic-file.ts";
import { parseUpstreamFile, type UpstreamFile } from "../../common/upstream-file.ts";
import { gateKeys } from "../../provisioner/fleet/gate-keys.ts";
import { type FleetKeys, fleetKeys } from "../../provisioner/fleet/keys.ts";
import { type StatusDocument, statusDocumentSchema } from "../../provisioner/report/status-document.ts";
import { DEFAULT_FLAGS, type EmulatorFlags } from "../emulator/servers/serve.ts";
import type { Child } from "../sandbox/child.ts";
import { nginxPaths, startNginx } from "../sandbox/nginx.ts";
import { readFolder } from "../sandbox/read-folder.ts";
import { type RunningRedis, startRedis } from "../sandbox/redis.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import type { EmulatorControl } from "./emulator-control.ts";
import { type PodEmulator, startPodEmulator } from "./pod-emulator.ts";

export const API_KEY = "emulator-key";
export const REGISTRY_PASSWORD = "registry-password-7Yq";

export interface PodOptions {
  /** Starts a Redis and enables bans. */
  redis?: boolean;
  /** Where the API and the instances listen; on loopback unless named. */
  addresses?: { api: string; instances: string };
  /** Starts nginx and the reloader as well. */
  proxy?: boolean;
  /** Speed of the clocks of emulator and provisioner; 1 for tests that need real seconds. */
  timeScale?: number;
  /** Flags of the emulator that differ from the usual ones. */
  emulator?: Partial<EmulatorFlags>;
  /** Starts the emulator as a process of its own, where what is measured must not wait for the caller. */
  emulatorApart?: boolean;
  bootSeconds?: number;
  /** Additional variables of the provisioner; an empty one is removed. */
  env?: Readonly<Record<string, string>>;
}

export interface Pod {
  readonly sandbox: Sandbox;
  readonly emulator: EmulatorControl;
  readonly redis: RunningRedis | null;
  readonly proxyUrl: string;
  readonly upstreamPath: string;
  readonly statePath: string;
  readonly label: string;
  /** The names in Redis of the emulator's account. */
  readonly keys: FleetKeys;
  /** The name of the gate at which the pods wait for their turn to create. A Redis Cluster may have it on another node. */
  readonly createGate: string;
  /** The provisioner's environment, without the variables that are empty in `more`. */
  env(more?: Readonly<Record<string, string>>): Record<string, string>;
  /** Starts a provisioner (again). `command` is `run` unless named; `within`: a program that starts it. */
  provision(
    more?: Readonly<Record<string, string>>,
    command?: readonly string[],
    within?: readonly string[],
  ): Promise<Child>;
  /** Starts a provisioner that cannot write where no other user can. */
  provisionAsOrdinaryUser(): Promise<Child>;
  /** The value of a metric of the provisioner, or null. */
  metric(name: string): Promise<string | null>;
  reload(more?: Readonly<Record<string, string>>): Promise<Child>;
  upstream(): Promise<UpstreamFile | null>;
  /** Waits until the upstream file meets the condition, and returns it. */
  until(what: string, condition: (file: UpstreamFile) => unknown, timeoutMs?: number): Promise<UpstreamFile>;
  ready(timeoutMs?: number): Promise<UpstreamFile>;
  /**
   * As `ready`, and until the reloader has verified nginx' config: for some time after the first answer of the instance, a worker with the
   * config of before may still answer.
   */
  routed(timeoutMs?: number): Promise<UpstreamFile>;
  state(): Promise<Record<string, unknown>>;
  /** Fails when the document has not the form that is documented. */
  status(): Promise<StatusDocument>;
  close(): Promise<void>;
  /** Everything that any program printed and all files in the sandbox, to search in. */
  everything(): Promise<string>;
}

// The emulator's account.
const ACCOUNT_ID = 104_717;
const POD_NAME = "vast-pod-0";
const LOOPBACK = "127.0.0.1";
// Fast enough that the 30 s between two lists pass in a few seconds, slow enough that deadlines of a second and more hold
// on a busy machine.
const TIME_SCALE = 8;
// Enough for every ban. Ten times as many, as by default, take half of the CPU time of an emulator that runs for some seconds.
const MACHINES = 300;
/** For tests of a command that asks Redis, the cluster or the provisioner: it has a second or a few for an answer, and not an eighth. */
export const COMMAND_SCALE = 2;

export async function openPod(options: PodOptions = {}): Promise<Pod> {
  const sandbox = await openSandbox();
  let emulator: PodEmulator | undefined;
  const close = async () => {
    try {
      await sandbox.close();
    } finally {
      await emulator?.close();
    }
  };
  try {
    const scale = options.timeScale ?? TIME_SCALE;
    const addresses = options.addresses ?? { api: LOOPBACK, instances: LOOPBACK };
    const flags: EmulatorFlags = {
      ...DEFAULT_FLAGS,
      port: await sandbox.port(),
      host: addresses.api,
      advertise: addresses.instances,
      timeScale: scale,
      bootSeconds: options.bootSeconds ?? 4,
      machines: MACHINES,
      ...options.emulator,
    };
    emulator = await startPodEmulator(sandbox, flags, options.emulatorApart ?? false);
    return { ...(await fill(sandbox, emulator.control, options)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fill(sandbox: Sandbox, emulator: EmulatorControl, options: PodOptions): Promise<Omit<Pod, "close">> {
  const scale = options.timeScale ?? TIME_SCALE;
  const children: Child[] = [];
  const clockStart = Date.now();
  const redis = options.redis ? await startRedis(sandbox) : null;
  const shared = await sandbox.subfolder("shared");
  const own = await sandbox.subfolder("own");
  const upstreamPath = join(shared, "upstream.json");
  const statePath = join(own, "provisioner.json");
  const [proxyPort, provisionerPort, reloaderPort, nginxStatusPort] = [
    await sandbox.port(),
    await sandbox.port(),
    await sandbox.port(),
    await sandbox.port(),
  ];
  const files = nginxPaths(sandbox.folder);
  const preload = scale === 1 ? [] : ["--require", "./test/integration/fast-clock.cjs"];

  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const all: Record<string, string> = {
      POD_NAME,
      VAST_URL: emulator.url,
      VAST_API_KEY: API_KEY,
      VAST_TEMPLATE_NAME: "demo",
      VAST_TEMPLATE_IMAGE: "example/app:2",
      DOCKER_LOGIN: `-u registry-user -p ${REGISTRY_PASSWORD} registry.example`,
      VAST_SEARCH_QUERY: JSON.stringify({ rentable: { eq: true }, order: [["dph_total", "asc"]] }),
      VAST_FIRST_CREATE_WAIT_SECONDS: "0",
      VAST_DRAIN_SECONDS: "0",
      UPSTREAM_PATH: upstreamPath,
      STATE_PATH: statePath,
      PROVISIONER_STATUS_PORT: String(provisionerPort),
      RELOADER_STATUS_PORT: String(reloaderPort),
      UPSTREAM_ALLOW_LOCAL: "true",
      ...(redis === null ? {} : { BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: redis.url }),
      ...(scale === 1 ? {} : { VAST_POD_TEST_CLOCK: String(scale), VAST_POD_TEST_CLOCK_START: String(clockStart) }),
      ...options.env,
      ...more,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  };
  const start = async (
    name: string,
    args: readonly string[],
    environment: Record<string, string>,
    within: readonly string[] = [],
  ) => {
    const [program = "", ...rest] = [...within, process.execPath, ...args];
    const child = await sandbox.start({ name, program, args: rest, env: environment });
    children.push(child);
    return child;
  };
  const context = () => children.map((child) => `--- ${child.name}\n${child.lines.slice(-15).join("\n")}`).join("\n");
  const upstream = async () => {
    const text = await readIfExists(upstreamPath);
    if (text === null) return null;
    const parsed = parseUpstreamFile(text);
    if (!parsed.ok) throw new Error(`the upstream file: ${parsed.problem}`);
    return parsed.file;
  };
  const pod: Omit<Pod, "close"> = {
    sandbox,
    emulator,
    redis,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    upstreamPath,
    statePath,
    label: `k8s_pod=${POD_NAME}`,
    keys: fleetKeys(ACCOUNT_ID),
    createGate: gateKeys("create", API_KEY, env().FLEET_EGRESS ?? "all").gate,
    env,
    provision: (more, command = ["run"], within = []) =>
      start("provisioner", [...preload, "dist/provisioner.mjs", ...command], env(more), within),
    provisionAsOrdinaryUser: async () => {
      const node = [process.execPath, ...preload, "dist/provisioner.mjs", "run"];
      // Root without this capability is bound by the modes of files, like any other user.
      const args = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override", ...node] : node;
      const child = await sandbox.start({ name: "provisioner", program: "env", args, env: env() });
      children.push(child);
      return child;
    },
    metric: async (name) => {
      const text = await (await fetch(`http://127.0.0.1:${provisionerPort}/metrics`)).text();
      return new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1] ?? null;
    },
    reload: (more = {}) =>
      start("reloader", ["dist/reloader.mjs"], {
        UPSTREAM_PATH: upstreamPath,
        NGINX_CONFIG_PATH: join(files.confFolder, "default.conf"),
        NGINX_PID_FILE: files.pidFile,
        NGINX_ERROR_LOG: files.errorLog,
        NGINX_LISTEN_PORT: String(proxyPort),
        NGINX_STATUS_PORT: String(nginxStatusPort),
        RELOADER_STATUS_PORT: String(reloaderPort),
        UPSTREAM_ALLOW_LOCAL: "true",
        ...more,
      }),
    upstream,
    until: (what, condition, timeoutMs = 20_000) =>
      until(
        what,
        async () => {
          const file = await upstream();
          return file !== null && condition(file) ? file : null;
        },
        { timeoutMs, context, everyMs: 100 },
      ),
    ready: (timeoutMs) => pod.until("the pod is ready", (file) => file.server !== null, timeoutMs),
    routed: async (timeoutMs = 60_000) => {
      const file = await pod.ready(timeoutMs);
      const isApplied = async () => {
        const { proxy } = await pod.status();
        return proxy?.state === "applied" && (proxy.appliedGeneration ?? 0) >= file.generation;
      };
      await until("the reloader has verified that nginx routes to it", isApplied, { timeoutMs, context, everyMs: 100 });
      return file;
    },
    state: async () => JSON.parse(await readFile(statePath, "utf8")) as Record<string, unknown>,
    status: async () =>
      statusDocumentSchema.parse(await (await fetch(`http://127.0.0.1:${provisionerPort}/status`)).json()),
    everything: async () => {
      const printed = children.flatMap((child) => child.lines);
      return [...printed, ...(await readFolder(sandbox.folder)).values()].join("\n");
    },
  };
  if (options.proxy) {
    await pod.reload();
    await startNginx(sandbox);
  }
  return pod;
}

/** The JSON log lines of a program. */
export function logOf(child: Child): Record<string, unknown>[] {
  return child.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Record<string, unknown>);
}
