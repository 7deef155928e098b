// The settings of `logs`. Touches the files with secrets.
import { readSettings, type SettingsSource } from "../../common/settings.ts";
import { labelOf } from "../model/label.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";

const NEEDED = ["POD_NAME", "VAST_API_KEY", "VAST_URL", "VAST_LABEL"] as const;
/** The last two only to take their secrets out of the log, where they are set. */
export const LOGS_SETTINGS = [...NEEDED, "DOCKER_LOGIN", "UPSTREAM_AUTH_HEADER"] as const;

interface LogsSettings {
  label: string;
  vastUrl: string;
  apiKey: string;
  /** Texts that must never be printed. */
  secrets: readonly string[];
}

/** Throws a `SettingsError` with all problems. */
export function readLogsSettings(source: SettingsSource): LogsSettings {
  const { values } = readSettings(PROVISIONER_VARIABLES, source, NEEDED);
  const { VAST_API_KEY: apiKey, VAST_URL: vastUrl } = values;
  return { label: labelOf(values), vastUrl, apiKey, secrets: [apiKey, ...otherSecrets(source)] };
}

function otherSecrets(source: SettingsSource): string[] {
  const isSet = (name: string) => Boolean(source.env[name] || source.env[`${name}_FILE`]);
  const login = isSet("DOCKER_LOGIN")
    ? readSettings(PROVISIONER_VARIABLES, source, ["DOCKER_LOGIN"]).values.DOCKER_LOGIN
    : null;
  const header = readSettings(PROVISIONER_VARIABLES, source, ["UPSTREAM_AUTH_HEADER"]).values.UPSTREAM_AUTH_HEADER;
  return [
    ...(login === null ? [] : [login.password]),
    ...(header === undefined ? [] : [header.value, header.value.split(" ").at(-1) ?? ""]),
  ];
}
