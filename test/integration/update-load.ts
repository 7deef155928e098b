// Changes the image of a pod's instance, by real processes in real time, while clients send requests through nginx: what they lose, for how
// long nothing serves, and what is paid for instances that serve nobody.
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import type { Child } from "../sandbox/child.ts";
import { type NginxOptions, startNginx } from "../sandbox/nginx.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

interface UpdatePlan {
  /** VAST_UPDATE_STRATEGY. */
  strategy: string;
  nginx?: NginxOptions;
  /** How long the load lasts at least: it goes on until the update is over. */
  seconds: number;
  /** Settings of the emulator from the change on, instead of 4 s for a boot; `bootSeconds` null: as long as downloads and machines take. */
  emulator?: Readonly<Record<string, unknown>>;
}

export interface UpdateReport {
  /** From the start of the provisioner that wants the new image until only an instance with it is left, and is served. */
  tookMs: number;
  /** In which requests got no 200. */
  unservedMs: number;
  /** $ for instances, as long as nginx did not route to them. */
  idleDollars: number;
  /** wrk, with a connection for each request. */
  connectionEach: WrkTally;
  /** wrk, with keep-alive. It never sends a request again, and counts also idle connections that nginx closes as read errors. */
  keepAlive: WrkTally;
  /** A client with keep-alive that sends a request again which got no answer on a used connection, as browsers do. */
  sendsAgain: RetryTally;
}

interface WrkTally {
  requests: number;
  /** Answers other than 2xx and 3xx. */
  refused: number;
  errors: { connect: number; read: number; write: number; timeout: number };
}

interface RetryTally {
  answered: number;
  /** Used connections that nginx had closed when a request came. */
  closed: number;
  /** What became of requests that got no 200 at last. */
  lost: string[];
}

const NEW_IMAGE = "example/app:3";
const CONNECTIONS = 8;
// Between two requests of a connection: a machine with two cores runs seven other processes meanwhile.
const PAUSE_MS = 10;
const LOOK_MS = 50;
// The whole state of the emulator is long.
const MONEY_MS = 500;
const MOST_MS = 15 * 60_000;

export async function updateUnderLoad(plan: UpdatePlan): Promise<UpdateReport> {
  const env = { VAST_UPDATE_STRATEGY: plan.strategy, VAST_DRAIN_SECONDS: "10" };
  const pod = await openPod({ emulatorApart: true, timeScale: 1, env });
  try {
    await pod.reload();
    await startNginx(pod.sandbox, "nginx", plan.nginx);
    const first = await pod.provision();
    await pod.routed(MOST_MS);
    await pod.emulator.send("POST", "settings", plan.emulator ?? {});
    return await change(pod, first, plan.seconds);
  } finally {
    await pod.close();
  }
}

async function change(pod: Pod, first: Child, seconds: number): Promise<UpdateReport> {
  const began = performance.now();
  const script = join(pod.sandbox.folder, "pause.lua");
  await writeFile(script, `function delay() return ${PAUSE_MS} end\n`);
  const loads = [await startWrk(pod, script, ["-H", "Connection: close"]), await startWrk(pod, script, [])] as const;
  const patient = startPatientClient(pod.proxyUrl);
  const watch = watchService(pod);
  first.signal("SIGTERM");
  await first.exited;
  const from = performance.now();
  await pod.provision({ VAST_TEMPLATE_IMAGE: NEW_IMAGE });
  const done = async () => {
    const { server, instance } = (await pod.upstream()) ?? { server: null, instance: null };
    const live = await pod.emulator.live(pod.label);
    return server !== null && instance?.image === NEW_IMAGE && live.length === 1 && live[0]?.id === instance.id;
  };
  await until("only an instance with the new image is left", done, { timeoutMs: MOST_MS, everyMs: LOOK_MS });
  await until("nginx routes to it", async () => (await fetch(pod.proxyUrl)).status === 200);
  const tookMs = performance.now() - from;
  const watched = await watch.stop();
  await until("the load has lasted long enough", () => performance.now() - began >= seconds * 1000, {
    timeoutMs: seconds * 1000,
  });
  const sendsAgain = await patient.stop();
  const [connectionEach, keepAlive] = await Promise.all(loads.map(endWrk));
  if (connectionEach === undefined || keepAlive === undefined) throw new Error("wrk has not reported");
  return { tookMs, ...watched, connectionEach, keepAlive, sendsAgain };
}

async function startWrk({ sandbox, proxyUrl }: Pod, script: string, args: readonly string[]): Promise<Child> {
  const always = ["-t", "1", "-c", String(CONNECTIONS), "-d", `${MOST_MS / 1000}s`, "--timeout", "30s", "-s", script];
  return sandbox.start({ name: "wrk", program: "wrk", args: [...always, ...args, `${proxyUrl}/`] });
}

/** wrk reports when it is interrupted. */
async function endWrk(wrk: Child): Promise<WrkTally> {
  wrk.signal("SIGINT");
  await wrk.exited;
  return parseWrk(wrk.lines.join("\n"));
}

/** Throws with its whole text where wrk has not reported. */
function parseWrk(text: string): WrkTally {
  const requests = /(\d+) requests in/.exec(text)?.[1];
  if (requests === undefined) throw new Error(`wrk failed:\n${text}`);
  const count = (what: string) => Number(new RegExp(`Socket errors:.* ${what} (\\d+)`).exec(text)?.[1] ?? 0);
  return {
    requests: Number(requests),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
    errors: { connect: count("connect"), read: count("read"), write: count("write"), timeout: count("timeout") },
  };
}

/** Looks all the time whether requests are answered, and what is paid for instances to which nginx does not route. */
function watchService(pod: Pod): { stop(): Promise<Pick<UpdateReport, "unservedMs" | "idleDollars">> } {
  let [running, unservedMs, idleDollars] = [true, 0, 0];
  const service = (async () => {
    let last = performance.now();
    while (running) {
      const served = await fetch(pod.proxyUrl, { headers: { connection: "close" } }).then(
        async (response) => (await response.text()) !== "" && response.status === 200,
        () => false,
      );
      const now = performance.now();
      if (!served) unservedMs += now - last;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  const money = (async () => {
    let before = await costs(pod);
    while (running) {
      const file = await pod.upstream();
      const routedTo = file === null || file.server === null ? null : (file.instance?.id ?? null);
      const after = await costs(pod);
      for (const [id, dollars] of after) if (id !== routedTo) idleDollars += dollars - (before.get(id) ?? 0);
      before = after;
      await new Promise((resolve) => setTimeout(resolve, MONEY_MS));
    }
  })();
  return {
    async stop() {
      running = false;
      await Promise.all([service, money]);
      return { unservedMs, idleDollars };
    },
  };
}

/** $ until now of every contract that the pod ever had. */
async function costs(pod: Pod): Promise<Map<number, number>> {
  const { instances } = await pod.emulator.state();
  return new Map(
    instances
      .filter(({ label }) => label === pod.label)
      .map(({ id, cost: { gpu, disk, traffic } }) => [id, gpu + disk + traffic] as const),
  );
}

function startPatientClient(url: string): { stop(): Promise<RetryTally> } {
  const tally: RetryTally = { answered: 0, closed: 0, lost: [] };
  const agents = Array.from({ length: CONNECTIONS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  let running = true;
  const lanes = agents.map(async (agent) => {
    while (running) {
      let answer = await ask(url, agent);
      for (; answer.closed; answer = await ask(url, agent)) tally.closed += 1;
      if (answer.what === "200") tally.answered += 1;
      else tally.lost.push(answer.what);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    agent.destroy();
  });
  return {
    async stop() {
      running = false;
      await Promise.all(lanes);
      return tally;
    },
  };
}

/** `closed`: the connection was used before and ended without a byte of an answer. */
function ask(url: string, agent: Agent): Promise<{ what: string; closed: boolean }> {
  return new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      response.resume();
      response.on("error", (error) => resolve({ what: error.message, closed: false }));
      response.on("end", () => resolve({ what: String(response.statusCode), closed: false }));
    });
    request.on("error", (error) => resolve({ what: error.message, closed: request.reusedSocket }));
  });
}
