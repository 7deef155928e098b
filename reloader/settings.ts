// The reloader's settings, typed, out of the shared table. Pure but for what `SettingsSource` reads.
import { readSettings, SettingsError, type SettingsSource } from "../common/settings.ts";
import type { ProxySettings } from "./render.ts";

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
  proxy: ProxySettings;
}

/** Every variable that the reloader reads. */
export const RELOADER_VARIABLES = [
  "DEBUG",
  "UPSTREAM_PATH",
  "RELOADER_STATUS_PORT",
  "NGINX_CONFIG_PATH",
  "NGINX_LISTEN_PORT",
  "NGINX_STATUS_PORT",
  "NGINX_MAX_BODY_SIZE",
  "NGINX_PID_FILE",
  "NGINX_ERROR_LOG",
  "NGINX_ACCESS_LOG",
  "NGINX_PROXY_BUFFERING",
  "NGINX_UPSTREAM_KEEPALIVE_SECONDS",
  "NGINX_TIMEOUT_SECONDS",
] as const;

/** `ipv6` is a fact of the machine that the config depends on. Throws a `SettingsError` with every problem. */
export function reloaderSettings(
  source: SettingsSource,
  ipv6: boolean,
): { settings: ReloaderSettings; warnings: string[] } {
  const { values, warnings } = readSettings(RELOADER_VARIABLES, source);
  const problems = clashes(values);
  if (problems.length > 0) throw new SettingsError(problems);
  const configPath = values.NGINX_CONFIG_PATH;
  const settings: ReloaderSettings = {
    debug: values.DEBUG,
    upstreamPath: values.UPSTREAM_PATH,
    statusPort: values.RELOADER_STATUS_PORT,
    configPath,
    goodPath: `${configPath}.good`,
    pidFile: values.NGINX_PID_FILE,
    errorLog: values.NGINX_ERROR_LOG,
    proxy: {
      listenPort: values.NGINX_LISTEN_PORT,
      statusPort: values.NGINX_STATUS_PORT,
      maxBodySize: values.NGINX_MAX_BODY_SIZE,
      accessLog: values.NGINX_ACCESS_LOG,
      buffering: values.NGINX_PROXY_BUFFERING,
      keepaliveSeconds: values.NGINX_UPSTREAM_KEEPALIVE_SECONDS,
      timeoutSeconds: values.NGINX_TIMEOUT_SECONDS,
      ipv6,
      statePath: `${configPath}.state.json`,
    },
  };
  return { settings, warnings };
}

interface Chosen {
  NGINX_LISTEN_PORT: number;
  NGINX_STATUS_PORT: number;
  RELOADER_STATUS_PORT: number;
  NGINX_CONFIG_PATH: string;
  UPSTREAM_PATH: string;
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
  return problems;
}
