// Starts a real Prometheus in a sandbox, on loopback. It scrapes once a second.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningPrometheus {
  /** The series of a query: their newest values, or all of the last two minutes. */
  query(expr: string, kind: "instant" | "range"): Promise<readonly PrometheusSeries[]>;
}

export interface PrometheusSeries {
  metric: Readonly<Record<string, string>>;
  values: readonly number[];
}

interface Answer {
  error?: string;
  data?: { result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[] };
}

const RANGE_SECONDS = 120;

/** `targets`: the ports to scrape. All have the labels of one pod. */
export async function startPrometheus(
  sandbox: Sandbox,
  targets: readonly number[],
  labels: Readonly<Record<string, string>>,
): Promise<RunningPrometheus> {
  const [port, folder] = [await sandbox.port(), await sandbox.subfolder("prometheus")];
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    scrape_configs: [
      { job_name: "pod", static_configs: [{ targets: targets.map((target) => `127.0.0.1:${target}`), labels }] },
    ],
  };
  const file = join(folder, "prometheus.yml");
  await writeFile(file, JSON.stringify(config)); // JSON is YAML
  const args = ["--config.file", file, "--storage.tsdb.path", join(folder, "data"), "--web.listen-address"];
  const server = await sandbox.start({
    name: "prometheus",
    program: "prometheus",
    args: [...args, `127.0.0.1:${port}`],
  });
  const base = `http://127.0.0.1:${port}`;
  await until("prometheus answers", async () => server.exit() !== null || (await isReady(base)), {
    timeoutMs: 60_000,
    context: () => server.lines.join("\n"),
  });
  if (server.exit() !== null) throw new Error(`prometheus exited at startup:\n${server.lines.join("\n")}`);
  return {
    async query(expr, kind) {
      const now = Date.now() / 1000;
      const range = { start: `${now - RANGE_SECONDS}`, end: `${now}`, step: "1" };
      const path = kind === "instant" ? "query" : "query_range";
      const parameters = new URLSearchParams({ query: expr, ...(kind === "instant" ? {} : range) });
      const answer = (await (await fetch(`${base}/api/v1/${path}?${parameters}`)).json()) as Answer;
      if (answer.data === undefined) throw new Error(`${expr}: ${answer.error}`);
      return answer.data.result.map(({ metric, value, values = [] }) => ({
        metric,
        values: (value === undefined ? values : [value]).map(([, number]) => Number(number)),
      }));
    },
  };
}

async function isReady(base: string): Promise<boolean> {
  try {
    return (await fetch(`${base}/-/ready`)).ok;
  } catch {
    return false; // it does not listen yet
  }
}
