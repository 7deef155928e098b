// Clients that send one request after the other without a pause, and the requests that failed. Touches the network.
import { Agent, get } from "node:http";

export interface Tally {
  sent: number;
  /** Requests without a 200: each error or status with its count. */
  lost: Map<string, number>;
}

export interface Load {
  /** Waits until all running requests have finished. */
  stop(): Promise<Tally>;
}

/** Runs `clients` at a time, with keep-alive or with a new connection for each request. */
export function startLoad(port: number, clients: number, keepAlive: boolean): Load {
  const tally: Tally = { sent: 0, lost: new Map() };
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive, maxSockets: 1 }));
  let running = true;
  const lanes = agents.map(async (agent) => {
    while (running) {
      tally.sent += 1;
      const outcome = await ask(port, agent);
      if (outcome !== "200") tally.lost.set(outcome, (tally.lost.get(outcome) ?? 0) + 1);
    }
    agent.destroy();
  });
  return {
    stop: async () => {
      running = false;
      await Promise.all(lanes);
      return tally;
    },
  };
}

/** How many requests got no answer, or not a 200. */
export const lostOf = ({ lost }: Tally): number => [...lost.values()].reduce((sum, count) => sum + count, 0);

function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const request = get({ host: "127.0.0.1", port, agent }, (response) => {
      response.resume();
      response.on("error", failed);
      response.on("end", () => resolve(String(response.statusCode)));
    });
    request.on("error", failed);
  });
}
