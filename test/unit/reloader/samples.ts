// Sample values for several tests of the reloader. Pure.
import type { Server, UpstreamFile } from "../../../common/upstream-file.ts";
import { type Config, renderConfig } from "../../../reloader/render/render.ts";
import type { ProxySettings } from "../../../reloader/render/view.ts";
import type { PassReport } from "../../../reloader/report/pass-report.ts";

export const PROXY: ProxySettings = {
  listenPort: 3000,
  statusPort: 8082,
  maxBodySize: "10M",
  accessLog: "/var/log/nginx/pod.log",
  buffering: "on",
  trustForwarded: false,
  keepaliveMs: 4_000,
  timeoutSeconds: 600,
  ipv6: true,
  statePath: "/conf/default.conf.state.json",
  upstreamHost: null,
  tls: { authorities: null, name: null },
};

export const server = (port = 41234, host = "203.0.113.9"): Server => ({ scheme: "http", host, port });

/** The config for a server, null for none. */
export const configFor = (to: Server | null, settings: ProxySettings = PROXY): Config =>
  renderConfig(to === null ? null : { server: to, address: to.host }, settings);

export const upstreamFile = (change: Partial<UpstreamFile> = {}): UpstreamFile => ({
  schema: 1,
  generation: 1,
  pod: "vast-pod-0",
  state: "ready",
  reason: "instance_ready",
  message: "instance 1 is serving",
  server: server(),
  instance: null,
  updatedAt: "2026-11-23T15:00:00.000Z",
  ...change,
});

/** A pass that reloaded nginx and found no problem. */
export const PASS: PassReport = {
  desired: { generation: 2, server: server(), hash: "h", state: "ready", reason: "instance_ready" },
  applied: { generation: 2, server: server(), hash: "h" },
  problem: null,
  warnings: [],
  reload: { at: 500, acceptedMs: 10, settledMs: 110 },
  state: "applied",
  refused: false,
  refusing: false,
  nginxUp: true,
  upstreamWrittenAt: 400,
};
