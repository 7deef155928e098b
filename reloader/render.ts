// Turns a server and the settings into the bytes of the nginx config and their hash. Pure: equal input, equal bytes.
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import mustache from "mustache";
import { isHost, type Server, serverSchema } from "../common/upstream-file.ts";
import { DEFAULT_CONF } from "./default-conf.ts";
import { comment, endpoint, quoted, size, UnquotableError, whole } from "./quote.ts";

/** What the settings say about the proxy. */
export interface ProxySettings {
  listenPort: number;
  /** Loopback port of the config's hash. */
  statusPort: number;
  /** As nginx writes it: 10M. */
  maxBodySize: string;
  /** Absolute path, or `off`. */
  accessLog: string;
  buffering: "on" | "off";
  keepaliveSeconds: number;
  timeoutSeconds: number;
  /** Whether this machine has IPv6: `listen [::]` refuses the whole config where it is switched off. */
  ipv6: boolean;
  /** The file with the body of the 503 answer. */
  statePath: string;
}

/** A server whose name was resolved: nginx gets the address and never asks DNS itself. */
export interface Target {
  server: Server;
  /** IP address of `server.host`. */
  address: string;
}

export interface Config {
  text: string;
  /** 64 hex digits over everything else in `text`; nginx' status port answers it. */
  hash: string;
  server: Server | null;
}

// Idle connections that each worker keeps. With fewer than requests at once the rest connect anew each time: the goal is
// measured with 64 clients, which may all be on one worker, and twice that leaves room. Each is a file descriptor.
const KEEPALIVE_CONNECTIONS = 128;
// An instance needs minutes to start: asking more often than every ten seconds gains a client nothing.
const RETRY_AFTER_SECONDS = 10;
// Ten years, the bound of the settings' table. nginx 1.22 takes it.
const MAX_SECONDS = 315_360_000;

/** Renders. Throws an `UnquotableError` rather than let a value through that could become a directive. */
export function renderConfig(target: Target | null, settings: ProxySettings): Config {
  const view = viewOf(target, settings);
  const render = (hash: string) => mustache.render(DEFAULT_CONF, { ...view, hash }, {}, { escape: String });
  const hash = digest(render(""));
  return { text: render(hash), hash, server: target?.server ?? null };
}

/**
 * Reads a config that `renderConfig` wrote, maybe an earlier version of it. Null for any other text and for one that
 * was changed or cut: then its hash is not that of its bytes.
 */
export function readConfig(text: string): Config | null {
  const hash = /return 200 "([0-9a-f]{64})\\n";/.exec(text)?.[1];
  const header = /^# vast-pod (.*)$/m.exec(text)?.[1];
  if (hash === undefined || header === undefined || digest(text.replace(hash, "")) !== hash) return null;
  const server = serverSchema.nullable().safeParse(JSON.parse(header));
  return server.success ? { text, hash, server: server.data } : null;
}

function viewOf(target: Target | null, settings: ProxySettings) {
  return {
    server: comment("server", target === null ? null : plain(target.server)),
    listenPort: whole("NGINX_LISTEN_PORT", settings.listenPort, 1, 65535),
    statusPort: whole("NGINX_STATUS_PORT", settings.statusPort, 1, 65535),
    ipv6: settings.ipv6,
    accessLog: settings.accessLog === "off" ? false : { path: quoted("NGINX_ACCESS_LOG", settings.accessLog) },
    maxBodySize: size("NGINX_MAX_BODY_SIZE", settings.maxBodySize),
    buffering: settings.buffering === "on" ? "on" : "off",
    timeoutSeconds: whole("NGINX_TIMEOUT_SECONDS", settings.timeoutSeconds, 1, MAX_SECONDS),
    retryAfterSeconds: whole("Retry-After", RETRY_AFTER_SECONDS, 1, MAX_SECONDS),
    stateFolder: quoted("NGINX_CONFIG_PATH", dirname(settings.statePath)),
    stateFile: quoted("NGINX_CONFIG_PATH", `/${basename(settings.statePath)}`),
    proxied: target === null ? false : proxied(target, settings),
  };
}

function proxied({ server, address }: Target, settings: ProxySettings) {
  return {
    endpoint: endpoint("server.host", address, server.port),
    scheme: server.scheme === "https" ? "https" : "http",
    // nginx leaves an IP address out of SNI by itself, as RFC 6066 wants it.
    tlsName: server.scheme === "https" ? { name: quoted("server.host", server.host) } : false,
    keepaliveConnections: whole("keepalive", KEEPALIVE_CONNECTIONS, 1, 65535),
    keepaliveSeconds: whole("NGINX_UPSTREAM_KEEPALIVE_SECONDS", settings.keepaliveSeconds, 1, MAX_SECONDS),
  };
}

/** The server with its fields in one order, checked once more: this is the last line before the config. */
function plain({ scheme, host, port }: Server): Server {
  if (!isHost(host)) throw new UnquotableError("server.host", host, "it is neither an IP address nor a DNS name");
  return { scheme, host, port };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
