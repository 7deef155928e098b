// Every setting that the reloader reads: name, default, meaning and parser. The source of `--help` and of the README. Pure.
import { isIP } from "node:net";
import * as z from "zod";
import { isHost } from "../common/upstream-file.ts";
import { fractionOfSeconds, hostHeader, path, port, seconds } from "../common/variable-parsers.ts";
import { byDefault, EXPECTED, optional, SHARED_VARIABLES, type VariableTable } from "../common/variables.ts";

/** The system's trusted authorities in the official nginx images, those on Debian and those on Alpine. */
export const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

export const RELOADER_VARIABLES = {
  NGINX_CONFIG_PATH: byDefault(path, "/etc/nginx/http.d/default.conf", {
    group: "nginx",
    meaning: "nginx config to write (official images: /etc/nginx/conf.d/default.conf)",
    expects: EXPECTED.path,
  }),
  NGINX_MAX_BODY_SIZE: byDefault(z.string().regex(/^\d{1,9}[kKmMgG]?$/), "10M", {
    group: "nginx",
    meaning: "largest request body; `0` for no limit",
    expects: "a size as nginx writes it: digits and k, m or g, like 10M; 0 for no limit",
  }),
  NGINX_TIMEOUT_SECONDS: byDefault(seconds, "600", {
    group: "nginx",
    meaning: "how long nginx waits for the instance between two reads or writes",
    expects: EXPECTED.seconds,
  }),
  NGINX_UPSTREAM_KEEPALIVE_SECONDS: byDefault(fractionOfSeconds, "4", {
    group: "nginx",
    meaning: "idle time of connections to the instance; keep it below the instance's own (uvicorn: 5)",
    expects: "a number of seconds, 0.001 or more, with at most three decimals, like 4 or 0.4",
  }),
  NGINX_UPSTREAM_HOST: optional(
    hostHeader,
    {
      group: "nginx",
      meaning: "`Host` header of requests to the instance",
      expects: "a DNS name or an IP address (IPv6 in brackets), with a port or without, like app.example:8443",
    },
    "the client's",
  ),
  NGINX_TRUST_FORWARDED: byDefault(z.enum(["on", "off"]), "off", {
    group: "nginx",
    meaning: "`on`: keep the client's `Forwarded` and `X-Forwarded-*` headers, behind an ingress that sets them",
    expects: "on or off",
  }),
  NGINX_PROXY_BUFFERING: byDefault(z.enum(["on", "off"]), "on", {
    group: "nginx",
    meaning: "nginx `proxy_buffering`: `on` or `off`",
    expects: "on or off",
  }),
  NGINX_ACCESS_LOG: byDefault(z.union([z.literal("off"), path]), "/dev/stdout", {
    group: "nginx",
    meaning: "nginx access log; `off` for none",
    expects: `${EXPECTED.path}, or off`,
  }),
  NGINX_ERROR_LOG: optional(path, {
    group: "nginx",
    meaning: "nginx error log; the reloader reads in it why nginx refused a config",
    expects: EXPECTED.path,
  }),
  NGINX_PID_FILE: optional(path, {
    group: "nginx",
    meaning: "nginx pid file; unset: the nginx master process is found in `/proc`",
    expects: EXPECTED.path,
  }),
  NGINX_STATUS_PORT: byDefault(port, "8082", {
    group: "nginx",
    meaning: "loopback port on which nginx reports the hash of its config",
    expects: EXPECTED.port,
  }),
  NGINX_TEMPLATE_PATH: optional(
    path,
    {
      group: "nginx",
      meaning: "your own mustache template of the config; `vast-reloader template` prints the built-in one",
      expects: EXPECTED.path,
    },
    "the built-in one",
  ),
  NGINX_UPSTREAM_TLS_VERIFY: byDefault(z.enum(["on", "off"]), "off", {
    group: "tls",
    meaning: "verify the certificate of an https instance: `on` or `off`",
    expects: "on or off",
  }),
  NGINX_UPSTREAM_TLS_CA: optional(
    path,
    {
      group: "tls",
      meaning: "PEM file of the trusted authorities, a path in the nginx container",
      expects: EXPECTED.path,
    },
    SYSTEM_AUTHORITIES,
  ),
  NGINX_UPSTREAM_TLS_NAME: optional(
    z.string().refine((value) => isHost(value) && isIP(value) === 0),
    {
      group: "tls",
      meaning: "server name in the TLS handshake and in the certificate",
      expects: "a DNS name like app.example",
    },
    "the server's host, if that is a name",
  ),
  ...SHARED_VARIABLES,
} as const satisfies VariableTable;
