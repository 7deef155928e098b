// What the template gets to see: every value spelled so that nginx reads it as one word. Pure.
import { isIP } from "node:net";
import { basename, dirname } from "node:path";
import { isHost, type Server } from "../../common/upstream-file.ts";
import { keepsIdleClients } from "../nginx/version.ts";
import { comment, duration, endpoint, quoted, RenderError, size, UnsafeValueError, whole } from "./quote.ts";

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
  keepaliveMs: number;
  timeoutSeconds: number;
  /** Whether this machine has IPv6: `listen [::]` refuses the whole config where it is switched off. */
  ipv6: boolean;
  /** The file with the body of the 503 answer. */
  statePath: string;
  /** `Host` header for the instance; null: the client's. */
  upstreamHost: string | null;
  tls: {
    /** PEM file against which certificates are verified; null: they are not. */
    authorities: string | null;
    /** Name in the handshake; null: the server's host. */
    name: string | null;
  };
}

/** The header that proves who calls: its name, and the file that tells nginx its value. */
export interface Auth {
  name: string;
  path: string;
}

/** What no setting says, as it is found while running. */
export interface RenderInputs {
  auth: Auth | null;
  /** Of the nginx that runs; null while that is not known. */
  nginxVersion: string | null;
  /** The user's own template; null: the built-in one. */
  template: string | null;
}
export const NO_RENDER_INPUTS: RenderInputs = { auth: null, nginxVersion: null, template: null };

/** A server whose name was resolved: nginx gets the address and never asks DNS itself. */
export interface Target {
  server: Server;
  /** IP address of `server.host`. */
  address: string;
}

// Idle connections that each worker keeps. With fewer than requests at once the rest connect anew each time: the goal is
// measured with 64 clients, which may all be on one worker, and twice that leaves room. Each is a file descriptor.
const KEEPALIVE_CONNECTIONS = 128;
// An instance needs minutes to start: asking more often than every ten seconds gains a client nothing.
const RETRY_AFTER_SECONDS = 10;
// Ten years, the bound of the settings' table. nginx 1.22 takes it.
const MAX_SECONDS = 315_360_000;
// How long a client's idle connection outlives a reload. Its next request may then still be answered by the config
// before, so this stays well below the time that a withdrawn instance is left running.
const KEEP_IDLE_CLIENTS_SECONDS = 2;

export type TemplateView = ReturnType<typeof viewOf>;

/** Throws a `CannotRender` rather than let a value through that could become a directive. */
export function viewOf(target: Target | null, settings: ProxySettings, { auth, nginxVersion }: RenderInputs) {
  return {
    server: comment("server", target === null ? null : plain(target.server)),
    listenPort: whole("NGINX_LISTEN_PORT", settings.listenPort, 1, 65535),
    statusPort: whole("NGINX_STATUS_PORT", settings.statusPort, 1, 65535),
    ipv6: settings.ipv6,
    accessLog: settings.accessLog === "off" ? null : { path: quoted("NGINX_ACCESS_LOG", settings.accessLog) },
    maxBodySize: size("NGINX_MAX_BODY_SIZE", settings.maxBodySize),
    buffering: settings.buffering === "on" ? "on" : "off",
    timeoutSeconds: whole("NGINX_TIMEOUT_SECONDS", settings.timeoutSeconds, 1, MAX_SECONDS),
    retryAfterSeconds: whole("Retry-After", RETRY_AFTER_SECONDS, 1, MAX_SECONDS),
    stateFolder: quoted("NGINX_CONFIG_PATH", dirname(settings.statePath)),
    stateFile: quoted("NGINX_CONFIG_PATH", `/${basename(settings.statePath)}`),
    keepIdleClientsSeconds: keepsIdleClients(nginxVersion) ? String(KEEP_IDLE_CLIENTS_SECONDS) : null,
    proxied: target === null ? null : proxied(target, settings, auth),
  };
}

function proxied({ server, address }: Target, settings: ProxySettings, auth: Auth | null) {
  const { upstreamHost } = settings;
  return {
    endpoint: endpoint("server.host", address, server.port),
    scheme: server.scheme === "https" ? "https" : "http",
    tls: server.scheme === "https" ? tls(server.host, settings.tls) : null,
    host: upstreamHost === null ? "$vast_pod_host" : quoted("NGINX_UPSTREAM_HOST", upstreamHost),
    auth:
      auth === null
        ? null
        : { header: quoted("UPSTREAM_AUTH_HEADER", auth.name), file: quoted("UPSTREAM_AUTH_HEADER", auth.path) },
    keepaliveConnections: whole("keepalive", KEEPALIVE_CONNECTIONS, 1, 65535),
    keepalive: duration("NGINX_UPSTREAM_KEEPALIVE_SECONDS", settings.keepaliveMs, MAX_SECONDS),
  };
}

function tls(host: string, { authorities, name }: ProxySettings["tls"]) {
  // nginx compares names alone: a certificate on a bare address never fits (X509_check_host).
  if (authorities !== null && name === null && isIP(host) !== 0) {
    throw new RenderError(
      `the instance's certificate cannot be verified, as its host ${host} is an address: set NGINX_UPSTREAM_TLS_NAME to a name in the certificate, or NGINX_UPSTREAM_TLS_VERIFY to off`,
    );
  }
  return {
    // nginx leaves an IP address out of SNI by itself, as RFC 6066 wants it.
    name: name === null ? quoted("server.host", host) : quoted("NGINX_UPSTREAM_TLS_NAME", name),
    verify: authorities === null ? null : { authorities: quoted("NGINX_UPSTREAM_TLS_CA", authorities) },
  };
}

/** The server with its fields in one order, checked once more: this is the last line before the config. */
function plain({ scheme, host, port }: Server): Server {
  if (!isHost(host)) throw new UnsafeValueError("server.host", host, "it is neither an IP address nor a DNS name");
  return { scheme, host, port };
}
