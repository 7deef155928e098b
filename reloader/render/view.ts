// Builds the values of the template, each quoted so that nginx reads it as one word. Pure.
import { isIP } from "node:net";
import { basename, dirname } from "node:path";
import { isHost, type Server } from "../../common/upstream-file.ts";
import { keepsIdleClients } from "../nginx/version.ts";
import { comment, duration, endpoint, quoted, RenderError, size, UnsafeValueError, whole } from "./quote.ts";

/** The settings of the proxy. */
export interface ProxySettings {
  listenPort: number;
  /** Port on loopback where nginx answers the config's hash. */
  statusPort: number;
  /** In nginx' syntax: 10M. */
  maxBodySize: string;
  /** Absolute path, or `off`. */
  accessLog: string;
  buffering: "on" | "off";
  /** Whether the `Forwarded` and `X-Forwarded-*` headers of clients are kept. */
  trustForwarded: boolean;
  keepaliveMs: number;
  timeoutSeconds: number;
  /** Whether this machine has IPv6: without it nginx refuses a config with `listen [::]`. */
  ipv6: boolean;
  /** The file with the body of the 503 answer. */
  statePath: string;
  /** `Host` header for the instance; null: the header of the client. */
  upstreamHost: string | null;
  tls: {
    /** PEM file with which certificates are verified; null: they are not verified. */
    authorities: string | null;
    /** Server name in the TLS handshake; null: the server's host. */
    name: string | null;
  };
}

/** The secret header: its name, and the file from which nginx reads its value. */
export interface Auth {
  name: string;
  path: string;
}

/** What the config depends on besides the server and the settings. */
export interface RenderInputs {
  auth: Auth | null;
  /** Version of the running nginx; null while it is not known. */
  nginxVersion: string | null;
  /** The user's template; null: the built-in one. */
  template: string | null;
}
export const NO_RENDER_INPUTS: RenderInputs = { auth: null, nginxVersion: null, template: null };

/** A server whose name was resolved: nginx gets the address and never uses DNS itself. */
export interface Target {
  server: Server;
  /** IP address of `server.host`. */
  address: string;
  /** False: `/-/ready` answers 503 although the server is served. */
  ready?: boolean;
}

// Idle connections to the instance that each worker keeps; each is a file descriptor. With more requests at a time than
// this, the rest open new connections. The benchmark has 64 clients, which may all be on one worker; this is twice that.
const KEEPALIVE_CONNECTIONS = 128;
// An instance needs minutes to start, so a client gains nothing from retrying more often.
const RETRY_AFTER_SECONDS = 10;
// Ten years, the limit of the settings' table. nginx 1.22 accepts it.
const MAX_SECONDS = 315_360_000;
// How long a client's idle connection stays open after a reload. The next request on it may be answered with the previous
// config, so this must be well below the time for which a withdrawn instance still runs.
const KEEP_IDLE_CLIENTS_SECONDS = 2;

export type TemplateView = ReturnType<typeof viewOf>;

/** Throws a `RenderError` when a value could become a directive. */
export function viewOf(target: Target | null, settings: ProxySettings, { auth, nginxVersion }: RenderInputs) {
  return {
    server: comment("server", target === null ? null : { ...plain(target.server), ...readiness(target) }),
    listenPort: whole("NGINX_LISTEN_PORT", settings.listenPort, 1, 65535),
    statusPort: whole("NGINX_STATUS_PORT", settings.statusPort, 1, 65535),
    ipv6: settings.ipv6,
    accessLog: settings.accessLog === "off" ? null : { path: quoted("NGINX_ACCESS_LOG", settings.accessLog) },
    maxBodySize: size("NGINX_MAX_BODY_SIZE", settings.maxBodySize),
    buffering: settings.buffering === "on" ? "on" : "off",
    trustForwarded: settings.trustForwarded,
    timeoutSeconds: whole("NGINX_TIMEOUT_SECONDS", settings.timeoutSeconds, 1, MAX_SECONDS),
    retryAfterSeconds: whole("Retry-After", RETRY_AFTER_SECONDS, 1, MAX_SECONDS),
    stateFolder: quoted("NGINX_CONFIG_PATH", dirname(settings.statePath)),
    stateFile: quoted("NGINX_CONFIG_PATH", `/${basename(settings.statePath)}`),
    keepIdleClientsSeconds: keepsIdleClients(nginxVersion) ? String(KEEP_IDLE_CLIENTS_SECONDS) : null,
    proxied: target === null ? null : proxied(target, settings, auth),
  };
}

/** In the config's header only where it says something: the config of an earlier version then stays the same. */
const readiness = ({ ready }: Target) => (ready === false ? { ready } : {});

function proxied({ server, address, ready }: Target, settings: ProxySettings, auth: Auth | null) {
  const { upstreamHost } = settings;
  return {
    endpoint: endpoint("server.host", address, server.port),
    notReady: ready === false,
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
  // nginx compares names only: a certificate for an IP address never matches (X509_check_host).
  if (authorities !== null && name === null && isIP(host) !== 0) {
    throw new RenderError(
      `the instance's certificate cannot be verified, because its host ${host} is an address: set NGINX_UPSTREAM_TLS_NAME to a name in the certificate, or NGINX_UPSTREAM_TLS_VERIFY to off`,
    );
  }
  return {
    // nginx does not send an IP address as SNI, as RFC 6066 requires.
    name: name === null ? quoted("server.host", host) : quoted("NGINX_UPSTREAM_TLS_NAME", name),
    verify: authorities === null ? null : { authorities: quoted("NGINX_UPSTREAM_TLS_CA", authorities) },
  };
}

/** The server with its fields in a fixed order. The host is checked again here, at the last place before the config. */
function plain({ scheme, host, port }: Server): Server {
  if (!isHost(host)) throw new UnsafeValueError("server.host", host, "it is neither an IP address nor a DNS name");
  return { scheme, host, port };
}
