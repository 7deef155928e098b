// The settings of both programs as the documents show them. The only place here that knows the tables in code. Pure.
import { VARIABLES, type Variable, type VariableName } from "../../common/variables.ts";

export interface SettingRow {
  name: string;
  group: string;
  isSecret: boolean;
  /** Empty: there is none. */
  shownDefault: string;
  meaning: string;
  /** An older name that is still read. */
  formerly: string | undefined;
}

const GROUPS: readonly (readonly [group: string, names: readonly VariableName[]])[] = [
  [
    "Required settings (provisioner)",
    ["POD_NAME", "VAST_API_KEY", "VAST_TEMPLATE_NAME", "VAST_TEMPLATE_IMAGE", "DOCKER_LOGIN", "VAST_SEARCH_QUERY"],
  ],
  ["Search and price (provisioner)", ["VAST_SEARCH_ORDER", "VAST_MAX_DPH"]],
  ["Instance (provisioner)", ["VAST_LABEL", "VAST_UPSTREAM_PORT", "VAST_UPSTREAM_SCHEME", "VAST_HEALTH_PATH"]],
  [
    "Safety (provisioner)",
    [
      "VAST_POLICY",
      "VAST_ON_TERMINATE",
      "VAST_MAX_CREATES_PER_HOUR",
      "VAST_DRAIN_SECONDS",
      "VAST_FIRST_CREATE_WAIT_SECONDS",
      "VAST_UNREACHABLE_TIMEOUT_SECONDS",
      "VAST_UNHEALTHY_TIMEOUT_SECONDS",
      "VAST_UNKNOWN_MAX_SECONDS",
    ],
  ],
  [
    "Bans and leases in Redis (provisioner)",
    [
      "BLACKLIST_ENABLED",
      "BLACKLIST_REDIS_URL",
      "BLACKLIST_BAN_AFTER_SECONDS",
      "BLACKLIST_BAN_TTL_SECONDS",
      "BLACKLIST_RESTART_TTL_SECONDS",
      "BLACKLIST_RESTART_THRESHOLD",
      "BLACKLIST_SCOPE",
    ],
  ],
  [
    "nginx (reloader)",
    [
      "NGINX_CONFIG_PATH",
      "NGINX_LISTEN_PORT",
      "NGINX_MAX_BODY_SIZE",
      "NGINX_PROXY_BUFFERING",
      "NGINX_TIMEOUT_SECONDS",
      "NGINX_UPSTREAM_KEEPALIVE_SECONDS",
      "NGINX_UPSTREAM_HOST",
      "NGINX_ACCESS_LOG",
      "NGINX_ERROR_LOG",
      "NGINX_PID_FILE",
      "NGINX_STATUS_PORT",
      "NGINX_TEMPLATE_PATH",
    ],
  ],
  [
    "TLS and authentication",
    ["UPSTREAM_AUTH_HEADER", "NGINX_UPSTREAM_TLS_VERIFY", "NGINX_UPSTREAM_TLS_CA", "NGINX_UPSTREAM_TLS_NAME"],
  ],
  [
    "Files, ports and logs",
    ["UPSTREAM_PATH", "STATE_PATH", "PROVISIONER_STATUS_PORT", "RELOADER_STATUS_PORT", "VAST_URL", "DEBUG"],
  ],
];

/** Every setting, group after group. */
export function settingRows(): SettingRow[] {
  return GROUPS.flatMap(([group, names]) =>
    names.map((name) => {
      const variable: Variable = VARIABLES[name];
      return {
        name,
        group,
        isSecret: variable.secret === true,
        shownDefault: "default" in variable ? (variable.default ?? "") : "",
        meaning: variable.meaning,
        formerly: variable.formerly,
      };
    }),
  );
}

/** Every name that may be set, those of secret files and older names included. */
export function settingNames(): Set<string> {
  return new Set(
    settingRows().flatMap(({ name, isSecret, formerly }) => [
      name,
      ...(isSecret ? [`${name}_FILE`] : []),
      ...(formerly === undefined ? [] : [formerly]),
    ]),
  );
}
