// The reloader's settings, typed, out of the shared table. Pure but for what `SettingsSource` reads.
import { readSettings, SettingsError, type SettingsSource } from "../common/settings.ts";
import type { Header } from "../common/variable-parsers.ts";
import type { ProxySettings } from "./render/view.ts";
import { RELOADER_VARIABLES, SYSTEM_AUTHORITIES } from "./variables.ts";

export interface ReloaderSettings {
  debug: boolean;
  /** What the provisioner writes. */
  upstreamPath: string;
  statusPort: number;
  /** What nginx includes; the files beside it belong to the reloader too. */
  configPath: string;
  /** The last config that nginx was proven to run. Its name ends so that `include *.conf` passes it by. */
  goodPath: string;
  pidFile: string | undefined;
  errorLog: string | undefined;
  /** The user's own template. */
  templatePath: string | undefined;
  proxy: ProxySettings;
}

/** `ipv6` is a fact of the machine that the config depends on. Throws a `SettingsError` with every problem. */
export function reloaderSettings(
  source: SettingsSource,
  ipv6: boolean,
): { settings: ReloaderSettings; warnings: string[] } {
  const { values, warnings } = readSettings(RELOADER_VARIABLES, source);
  const problems = clashes(values);
  if (problems.length > 0) throw new SettingsError(problems);
  const configPath = values.NGINX_CONFIG_PATH;
  const verify = values.NGINX_UPSTREAM_TLS_VERIFY === "on";
  const settings: ReloaderSettings = {
    debug: values.DEBUG,
    upstreamPath: values.UPSTREAM_PATH,
    statusPort: values.RELOADER_STATUS_PORT,
    configPath,
    goodPath: `${configPath}.good`,
    pidFile: values.NGINX_PID_FILE,
    errorLog: values.NGINX_ERROR_LOG,
    templatePath: values.NGINX_TEMPLATE_PATH,
    proxy: {
      listenPort: values.NGINX_LISTEN_PORT,
      statusPort: values.NGINX_STATUS_PORT,
      maxBodySize: values.NGINX_MAX_BODY_SIZE,
      accessLog: values.NGINX_ACCESS_LOG,
      buffering: values.NGINX_PROXY_BUFFERING,
      keepaliveMs: values.NGINX_UPSTREAM_KEEPALIVE_SECONDS,
      timeoutSeconds: values.NGINX_TIMEOUT_SECONDS,
      ipv6,
      statePath: `${configPath}.state.json`,
      upstreamHost: values.NGINX_UPSTREAM_HOST ?? null,
      tls: {
        authorities: verify ? (values.NGINX_UPSTREAM_TLS_CA ?? SYSTEM_AUTHORITIES) : null,
        name: values.NGINX_UPSTREAM_TLS_NAME ?? null,
      },
    },
  };
  return { settings, warnings };
}

/** The secret header as it is now: the file that holds it may have changed. Throws a `SettingsError`. */
export function readAuthHeader(source: SettingsSource): Header | null {
  return readSettings(RELOADER_VARIABLES, source, ["UPSTREAM_AUTH_HEADER"]).values.UPSTREAM_AUTH_HEADER ?? null;
}

interface Chosen {
  NGINX_LISTEN_PORT: number;
  NGINX_STATUS_PORT: number;
  RELOADER_STATUS_PORT: number;
  NGINX_CONFIG_PATH: string;
  UPSTREAM_PATH: string;
  NGINX_TEMPLATE_PATH: string | undefined;
  NGINX_UPSTREAM_TLS_VERIFY: "on" | "off";
  NGINX_UPSTREAM_TLS_CA: string | undefined;
}

/** What is right by itself and wrong together: the containers of a pod share ports and volumes. */
function clashes(values: Chosen): string[] {
  const problems: string[] = [];
  const ports = ["NGINX_LISTEN_PORT", "NGINX_STATUS_PORT", "RELOADER_STATUS_PORT"] as const;
  for (const [i, name] of ports.entries()) {
    for (const other of ports.slice(i + 1)) {
      if (values[name] === values[other]) {
        problems.push(`${name} and ${other} are both ${values[name]}: give each a port of its own.`);
      }
    }
  }
  if (values.NGINX_CONFIG_PATH === values.UPSTREAM_PATH) {
    problems.push(`NGINX_CONFIG_PATH and UPSTREAM_PATH are both "${values.UPSTREAM_PATH}": they are two files.`);
  }
  if (values.NGINX_CONFIG_PATH === values.NGINX_TEMPLATE_PATH) {
    problems.push(
      `NGINX_CONFIG_PATH and NGINX_TEMPLATE_PATH are both "${values.NGINX_TEMPLATE_PATH}": the config would be written over the template, so give it another place.`,
    );
  }
  if (values.NGINX_UPSTREAM_TLS_CA !== undefined && values.NGINX_UPSTREAM_TLS_VERIFY === "off") {
    problems.push(
      "NGINX_UPSTREAM_TLS_CA is set while NGINX_UPSTREAM_TLS_VERIFY is off: switch it on, or leave the file out.",
    );
  }
  return problems;
}
