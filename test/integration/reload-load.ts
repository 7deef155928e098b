// Clients that send requests without a pause while the proxy switches between two instances. Counts lost requests, and which
// instance answered after a change was reported as settled. Touches only the given pod.
import { Agent, request } from "node:http";
import { until } from "../sandbox/until.ts";
import type { ReloaderPod } from "./reloader-pod.ts";

export interface LoadPlan {
  reloads: number;
  /** How many requests to check after each reload. */
  requestsEach: number;
  /** Clients that open a connection for each request: none of their requests may be lost. */
  clients: number;
  /** Clients with keep-alive: nginx before 1.27.4 closes idle connections at a reload, possibly as a request arrives. */
  keepAliveClients: number;
}

export interface LoadReport {
  reloads: number;
  /** Requests answered after a change was settled and before the next one was published. */
  judged: number;
  /** Those of them that were answered by another instance than the settled one. */
  stale: string[];
  connectionEach: Tally;
  keepAlive: Tally;
}

export interface Tally {
  answered: number;
  /** Errors of the lost requests. */
  lost: string[];
}

/** Runs the load on a pod with only nginx and the reloader. `from` is the first generation that it publishes. */
export async function loadThroughReloads(pod: ReloaderPod, plan: LoadPlan, from: number): Promise<LoadReport> {
  const instances = [await pod.instance("one"), await pod.instance("two")] as const;
  const report: LoadReport = {
    reloads: 0,
    judged: 0,
    stale: [],
    connectionEach: { answered: 0, lost: [] },
    keepAlive: { answered: 0, lost: [] },
  };
  /** The instance that is settled and not yet withdrawn. A new object for each change. */
  let settled: { name: string } | null = null;
  let running = true;
  const client = async (agent: Agent | false, tally: Tally) => {
    while (running) {
      const before = settled;
      try {
        const body = await ask(pod.proxyPort, agent);
        tally.answered += 1;
        if (before === null || before !== settled) continue;
        report.judged += 1;
        if (body !== before.name) report.stale.push(`${body} for ${before.name}`);
      } catch (error) {
        tally.lost.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const agents: Agent[] = [];
  const publish = async (generation: number) => {
    const name = generation % 2 === 0 ? "one" : "two";
    settled = null;
    await pod.publish({ generation, server: instances[generation % 2 === 0 ? 0 : 1].server });
    await pod.applied(generation, 10);
    settled = { name };
  };
  await publish(from);
  const before = await pod.reloadsOfNginx();
  const clients = Array.from({ length: plan.clients }, () => client(false, report.connectionEach));
  for (let i = 0; i < plan.keepAliveClients; i += 1) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    clients.push(client(agent, report.keepAlive));
  }
  try {
    for (let i = 1; i <= plan.reloads; i += 1) {
      await publish(from + i);
      const enough = plan.requestsEach * i;
      await until("requests were answered", () => report.judged >= enough, { everyMs: 5 });
    }
  } finally {
    running = false;
    await Promise.all(clients);
    for (const agent of agents) agent.destroy();
  }
  report.reloads = (await pod.reloadsOfNginx()) - before;
  return report;
}

/** One GET. Rejects unless it gets a complete answer with status 200. */
function ask(port: number, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
