// The reloader's settings, typed and in the code's units. Touches only the files that `SettingsSource` reads.
import type { LogFormat } from "../common/log-destination.ts";
import { readSetting, readSettings, SettingsError, type SettingsSource } from "../common/settings.ts";
import type { Header } from "../common/variable-parsers.ts";
import type { ProxySettings } from "./render/view.ts";
import { RELOADER_VARIABLES, SYSTEM_AUTHORITIES } from "./variables.ts";

export interface ReloaderSettings {
  logFormat: LogFormat | undefined;
  debug: boolean;
  /** The upstream file, which the provisioner writes. */
  upstreamPath: string;
  statusPort: number;
  /** The config that nginx includes. The reloader keeps its other files in the same folder. */
  configPath: string;
  /** The last config that nginx was proven to run. Its name does not match `include *.conf`. */
  goodPath: string;
  pidFile: string | undefined;
  errorLog: string | undefined;
  /** The user's own template. */
  templatePath: string | undefined;
  /** Whether the server may have an address of this machine. */
  allowLocal: boolean;
  proxy: ProxySettings;
}

/** `ipv6`: whether the machine has IPv6. Throws a `SettingsError` with all problems. */
export function reloaderSettings(
  source: SettingsSource,
  ipv6: boolean,
): { settings: ReloaderSettings; warnings: string[] } {
  const { values, warnings } = readSettings(RELOADER_VARIABLES, source);
  const problems = conflicts(values);
  if (problems.length > 0) throw new SettingsError(problems);
  const configPath = values.NGINX_CONFIG_PATH;
  const verify = values.NGINX_UPSTREAM_TLS_VERIFY === "on";
  const settings: ReloaderSettings = {
    logFormat: values.LOG_FORMAT,
    debug: values.DEBUG,
    upstreamPath: values.UPSTREAM_PATH,
    statusPort: values.RELOADER_STATUS_PORT,
    configPath,
    goodPath: `${configPath}.good`,
    pidFile: values.NGINX_PID_FILE,
    errorLog: values.NGINX_ERROR_LOG,
    templatePath: values.NGINX_TEMPLATE_PATH,
    allowLocal: values.UPSTREAM_ALLOW_LOCAL,
    proxy: {
      listenPort: values.NGINX_LISTEN_PORT,
      statusPort: values.NGINX_STATUS_PORT,
      maxBodySize: values.NGINX_MAX_BODY_SIZE,
      accessLog: values.NGINX_ACCESS_LOG,
      buffering: values.NGINX_PROXY_BUFFERING,
      trustForwarded: values.NGINX_TRUST_FORWARDED === "on",
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

/** The current secret header: its file may have changed since the start. Throws a `SettingsError`. */
export function readAuthHeader(source: SettingsSource): Header | null {
  return readSetting(RELOADER_VARIABLES, source, "UPSTREAM_AUTH_HEADER") ?? null;
}

/** The settings that may conflict with each other. */
interface ConflictingSettings {
  NGINX_LISTEN_PORT: number;
  NGINX_STATUS_PORT: number;
  RELOADER_STATUS_PORT: number;
  NGINX_CONFIG_PATH: string;
  UPSTREAM_PATH: string;
  NGINX_TEMPLATE_PATH: string | undefined;
  NGINX_UPSTREAM_TLS_VERIFY: "on" | "off";
  NGINX_UPSTREAM_TLS_CA: string | undefined;
}

/** Problems of settings that are valid one by one but not together: the containers of a pod share ports and volumes. */
function conflicts(values: ConflictingSettings): string[] {
  const problems: string[] = [];
  const ports = ["NGINX_LISTEN_PORT", "NGINX_STATUS_PORT", "RELOADER_STATUS_PORT"] as const;
  for (const [i, name] of ports.entries()) {
    for (const other of ports.slice(i + 1)) {
      if (values[name] === values[other]) {
        problems.push(`${name} and ${other} are both ${values[name]}: use two different ports.`);
      }
    }
  }
  if (values.NGINX_CONFIG_PATH === values.UPSTREAM_PATH) {
    problems.push(`NGINX_CONFIG_PATH and UPSTREAM_PATH are both "${values.UPSTREAM_PATH}": use two different files.`);
  }
  if (values.NGINX_CONFIG_PATH === values.NGINX_TEMPLATE_PATH) {
    problems.push(
      `NGINX_CONFIG_PATH and NGINX_TEMPLATE_PATH are both "${values.NGINX_TEMPLATE_PATH}": the config would overwrite the template; use two different files.`,
    );
  }
  if (values.NGINX_UPSTREAM_TLS_CA !== undefined && values.NGINX_UPSTREAM_TLS_VERIFY === "off") {
    problems.push(
      "NGINX_UPSTREAM_TLS_CA is set while NGINX_UPSTREAM_TLS_VERIFY is off: set it to on, or remove NGINX_UPSTREAM_TLS_CA.",
    );
  }
  return problems;
}
