// The provisioner's settings, typed and in the code's units. Touches the files with secrets.

import type { LogFormat } from "../common/log-destination.ts";
import { readSettings, SettingsError, type SettingsSource } from "../common/settings.ts";
import { readSmallFileSync } from "../common/small-file.ts";
import type { RegistryLogin } from "../common/variable-parsers.ts";
import type { Values } from "../common/variables.ts";
import { settingsThatNeedRedis } from "./fleet/needs-redis.ts";
import type { MaxUnavailable } from "./fleet/unavailable.ts";
import {
  type Desired,
  type Limits,
  type OnTerminate,
  type Policy,
  type PriceIncreasePolicy,
  revisionOf,
} from "./model/desired.ts";
import { labelOf } from "./model/label.ts";
import { type RedisAddress, type RedisAddresses, redisAddresses } from "./redis/address.ts";
import type { RedisTarget } from "./redis/url.ts";
import { readBidding } from "./search/bid-settings.ts";
import { type SearchQuery, withDuration, withOrder } from "./search/query.ts";
import { judgeSearch } from "./search/unknown-fields.ts";
import { createSecrets, passwordsOf, type Secrets } from "./secrets.ts";
import type { WantedTemplate } from "./template/file.ts";
import { PROVISIONER_VARIABLES } from "./variables.ts";

/** What decides, and what is read for a decision. */
export interface PlanSettings {
  podName: string;
  desired: Desired;
  limits: Limits;
  policy: Policy;
  vastUrl: string;
  query: SearchQuery;
  redis: RedisAddresses;
  banTimes: { banTtlSeconds: number; restartTtlSeconds: number; banAfterSeconds: number };
  healthPath: string | undefined;
  healthExpect: string | undefined;
  drainMs: number;
  firstCreateWaitMs: number;
  /** Whether an address of this machine may be an instance's. */
  allowLocal: boolean;
  upstreamPath: string;
  statePath: string;
  /** The template file, if one is named. */
  templatePath: string | undefined;
  logFormat: LogFormat | undefined;
  debug: boolean;
  secrets: Secrets;
  warnings: readonly string[];
}

export interface ProvisionerSettings extends PlanSettings {
  onTerminate: OnTerminate;
  priceIncrease: PriceIncreasePolicy;
  /** The content of the template file; null until it was read, or without one. */
  template: WantedTemplate | null;
  /** How long an ordered destroy may take from SIGTERM on. */
  terminateMs: number;
  /** The group of pods that call the API from one address. */
  egress: string;
  maxUnavailable: MaxUnavailable;
  /** The most pods that are updated at once; null: no such limit. */
  maxUpdating: number | null;
  kubernetesEvents: boolean;
  statusPort: number;
  reloaderStatusPort: number;
  /** Where nginx listens. */
  proxyPort: number;
}

/** The settings of `run`. Throws a `SettingsError` with all problems. */
export function readProvisionerSettings(source: SettingsSource): ProvisionerSettings {
  const { values: v, warnings } = readSettings(PROVISIONER_VARIABLES, source);
  const problems: string[] = [];
  if (v.VAST_PRICE_INCREASE === "accept-under-max" && v.VAST_MAX_DPH === undefined)
    problems.push(INCREASE_WITHOUT_CEILING);
  if (v.FLEET_REDIS_URL === undefined && !v.BLACKLIST_ENABLED) {
    const withoutRedis = settingsThatNeedRedis(v);
    problems.push(...withoutRedis.problems);
    warnings.push(...withoutRedis.warnings);
  }
  return {
    ...planSettings(v, v.DOCKER_LOGIN, { warnings, problems }, source),
    onTerminate: v.VAST_ON_TERMINATE,
    priceIncrease: v.VAST_PRICE_INCREASE,
    template: null,
    terminateMs: v.VAST_TERMINATE_SECONDS * 1000,
    egress: v.FLEET_EGRESS,
    maxUnavailable: v.FLEET_MAX_UNAVAILABLE,
    maxUpdating: v.VAST_MAX_UPDATING ?? null,
    kubernetesEvents: v.KUBERNETES_EVENTS,
    statusPort: v.PROVISIONER_STATUS_PORT,
    reloaderStatusPort: v.RELOADER_STATUS_PORT,
    proxyPort: v.NGINX_LISTEN_PORT,
  };
}

/** The settings of `plan`, which creates nothing and so needs no login. Throws a `SettingsError` with all problems. */
export function readPlanSettings(source: SettingsSource): PlanSettings {
  const { values, warnings } = readSettings(PROVISIONER_VARIABLES, source, PLAN_SETTINGS);
  return planSettings(values, null, { warnings, problems: [] }, source);
}

/** What has no part in a decision: the login of a create, turns among pods, ports, reports, and what happens at a stop. */
const NOT_FOR_PLAN = [
  "VAST_PRICE_INCREASE",
  "DOCKER_LOGIN",
  "FLEET_EGRESS",
  "FLEET_MAX_UNAVAILABLE",
  "VAST_MAX_UPDATING",
  "KUBERNETES_EVENTS",
  "VAST_ON_TERMINATE",
  "VAST_TERMINATE_SECONDS",
  "PROVISIONER_STATUS_PORT",
  "RELOADER_STATUS_PORT",
  "NGINX_LISTEN_PORT",
  "STAY_UP",
] as const satisfies readonly (keyof Variables)[];
type PlanSettingName = Exclude<keyof Variables, (typeof NOT_FOR_PLAN)[number]>;
const isForPlan = (name: string): name is PlanSettingName => !NOT_FOR_PLAN.some((one) => one === name);
export const PLAN_SETTINGS: readonly PlanSettingName[] = Object.keys(PROVISIONER_VARIABLES).filter(isForPlan);

function planSettings(
  v: Pick<Variables, PlanSettingName>,
  login: RegistryLogin | null,
  found: { warnings: readonly string[]; problems: readonly string[] },
  source: SettingsSource,
): PlanSettings {
  const redis = redisOf(v, v);
  const { VAST_SEARCH_QUERY, VAST_SEARCH_ORDER } = v;
  const search = judgeSearch({ VAST_SEARCH_QUERY, VAST_SEARCH_ORDER }, v.VAST_SEARCH_ALLOW_UNKNOWN);
  const { bidding, problems: ofBids } = readBidding(v, VAST_SEARCH_QUERY);
  const problems = [...found.problems, ...search.problems, ...ofBids];
  const warnings = [...found.warnings, ...search.warnings];
  if (bidding === null && (source.flags.VAST_BID || source.env.VAST_BID)) warnings.push(BID_ON_DEMAND);
  if (v.VAST_HEALTH_EXPECT !== undefined && v.VAST_HEALTH_PATH === undefined) problems.push(EXPECT_WITHOUT_PATH);
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    podName: v.POD_NAME,
    desired: {
      label: labelOf(v),
      image: v.VAST_TEMPLATE_IMAGE,
      templateName: v.VAST_TEMPLATE_NAME,
      revision: revisionOf(v.VAST_TEMPLATE_NAME, v.VAST_TEMPLATE_IMAGE),
      upstreamPort: v.VAST_UPSTREAM_PORT,
      upstreamScheme: v.VAST_UPSTREAM_SCHEME,
    },
    limits: {
      bansEnabled: v.BLACKLIST_ENABLED,
      banScope: v.BLACKLIST_SCOPE,
      banAfterMs: v.BLACKLIST_BAN_AFTER_SECONDS * 1000,
      restartThreshold: v.BLACKLIST_RESTART_THRESHOLD,
      unknownMaxMs: v.VAST_UNKNOWN_MAX_SECONDS * 1000,
      httpProbe: v.VAST_HEALTH_PATH !== undefined,
      unreachableMs: v.VAST_UNREACHABLE_TIMEOUT_SECONDS * 1000,
      unhealthyMs: v.VAST_UNHEALTHY_TIMEOUT_SECONDS * 1000,
      maxDollarsPerHour: v.VAST_MAX_DPH,
      maxCreatesPerHour: v.VAST_MAX_CREATES_PER_HOUR,
      bidding,
      updateStrategy: v.VAST_UPDATE_STRATEGY,
      updatePrecheck: v.VAST_UPDATE_PRECHECK,
      surgeReady: v.VAST_SURGE_READY,
      endMarginMs: v.VAST_END_MARGIN_SECONDS * 1000,
    },
    policy: v.VAST_POLICY,
    vastUrl: v.VAST_URL,
    query: withDuration(
      withOrder(VAST_SEARCH_QUERY, VAST_SEARCH_ORDER),
      v.VAST_MIN_DURATION_SECONDS,
      v.VAST_END_MARGIN_SECONDS,
    ),
    redis,
    banTimes: {
      banTtlSeconds: v.BLACKLIST_BAN_TTL_SECONDS,
      restartTtlSeconds: v.BLACKLIST_RESTART_TTL_SECONDS,
      banAfterSeconds: v.BLACKLIST_BAN_AFTER_SECONDS,
    },
    healthPath: v.VAST_HEALTH_PATH,
    healthExpect: v.VAST_HEALTH_EXPECT,
    drainMs: v.VAST_DRAIN_SECONDS * 1000,
    firstCreateWaitMs: v.VAST_FIRST_CREATE_WAIT_SECONDS * 1000,
    allowLocal: v.UPSTREAM_ALLOW_LOCAL,
    upstreamPath: v.UPSTREAM_PATH,
    statePath: v.STATE_PATH,
    templatePath: v.VAST_TEMPLATE_FILE,
    logFormat: v.LOG_FORMAT,
    debug: v.DEBUG,
    secrets: createSecrets(source, { ...v, DOCKER_LOGIN: login }, redis),
    warnings,
  };
}

const INCREASE_WITHOUT_CEILING =
  "VAST_PRICE_INCREASE is accept-under-max and VAST_MAX_DPH is missing: set the highest price that may be accepted, or never.";
const BID_ON_DEMAND =
  "VAST_BID is set and VAST_INSTANCE_TYPE is ondemand: nothing is bid. Set VAST_INSTANCE_TYPE=interruptible, or leave VAST_BID out.";
const EXPECT_WITHOUT_PATH =
  "VAST_HEALTH_EXPECT is set without VAST_HEALTH_PATH: set the path whose answer holds that text, or leave both out.";

export interface DestroySettings {
  podName: string;
  label: string;
  vastUrl: string;
  statePath: string;
  statusPort: number;
  logFormat: LogFormat | undefined;
  debug: boolean;
  apiKey: string;
  /** The Redis with the label's lease; null without Redis. */
  redis: RedisAddress | null;
  /** Texts that must never be printed. */
  secrets: readonly string[];
}

/** The settings of `destroy`, which needs no image, template or login. Throws a `SettingsError` with all problems. */
export function readDestroySettings(source: SettingsSource): DestroySettings {
  const { values: v } = readSettings(PROVISIONER_VARIABLES, source, ALWAYS_READ_BY_DESTROY);
  const redis = readFleetRedis(source);
  return {
    podName: v.POD_NAME,
    label: labelOf(v),
    vastUrl: v.VAST_URL,
    statePath: v.STATE_PATH,
    statusPort: v.PROVISIONER_STATUS_PORT,
    logFormat: v.LOG_FORMAT,
    debug: v.DEBUG,
    apiKey: v.VAST_API_KEY,
    redis,
    secrets: [v.VAST_API_KEY, ...passwordsOf(redis)],
  };
}

/** The Redis that the pods of the account share; null without one. Throws a `SettingsError` with all problems. */
export function readFleetRedis(source: SettingsSource): RedisAddress | null {
  const { values } = readSettings(PROVISIONER_VARIABLES, source, FLEET_REDIS);
  const needsBans = values.BLACKLIST_ENABLED && values.FLEET_REDIS_URL === undefined;
  return redisOf(values, needsBans ? readSettings(PROVISIONER_VARIABLES, source, BANS_REDIS).values : null).fleet;
}

export const FLEET_REDIS = ["FLEET_REDIS_URL", "FLEET_REDIS_PASSWORD", "BLACKLIST_ENABLED"] as const;
const ALWAYS_READ_BY_DESTROY = [
  "POD_NAME",
  "VAST_API_KEY",
  "VAST_URL",
  "VAST_LABEL",
  "STATE_PATH",
  "PROVISIONER_STATUS_PORT",
  "LOG_FORMAT",
  "DEBUG",
  ...FLEET_REDIS,
] as const;
/** What `reap` cannot do without; its Redis only has reports that it removes. */
export const ALWAYS_READ_BY_REAP = ["VAST_API_KEY", "VAST_URL", "VAST_LABEL", "LOG_FORMAT", "DEBUG"] as const;
export const BANS_REDIS = ["BLACKLIST_REDIS_URL", "BLACKLIST_REDIS_PASSWORD"] as const;
export const STATUS_SETTINGS = [
  "VAST_API_KEY",
  "VAST_URL",
  "VAST_LABEL",
  "PROVISIONER_STATUS_PORT",
  ...FLEET_REDIS,
  ...BANS_REDIS,
] as const;
/** All settings that `destroy` may read, and all of `reap`. */
export const DESTROY_SETTINGS = [...ALWAYS_READ_BY_DESTROY, ...BANS_REDIS] as const;
export const REAP_SETTINGS = [...ALWAYS_READ_BY_REAP, ...FLEET_REDIS, ...BANS_REDIS] as const;
type Variables = Values<typeof PROVISIONER_VARIABLES>;

/** `bans` is not read while bans are disabled. Throws a `SettingsError` when the passwords do not fit. */
export function redisOf(
  fleet: Pick<Variables, (typeof FLEET_REDIS)[number]>,
  bans: Pick<Variables, (typeof BANS_REDIS)[number]> | null,
): RedisAddresses {
  const { FLEET_REDIS_URL: fleetUrl, FLEET_REDIS_PASSWORD: fleetPassword } = fleet;
  if (fleetUrl === undefined && fleetPassword !== undefined)
    throw new SettingsError([
      "FLEET_REDIS_PASSWORD is set without FLEET_REDIS_URL: set the URL too, or use BLACKLIST_REDIS_PASSWORD for the Redis of the bans.",
    ]);
  return redisAddresses(
    fleetUrl === undefined ? null : withPassword("FLEET_REDIS", fleetUrl, fleetPassword),
    bans === null || !fleet.BLACKLIST_ENABLED
      ? null
      : withPassword("BLACKLIST_REDIS", bans.BLACKLIST_REDIS_URL, bans.BLACKLIST_REDIS_PASSWORD),
  );
}

/** The URL's target with the password. Throws a `SettingsError` when there are two passwords. */
export function withPassword(prefix: string, target: RedisTarget, password: string | undefined): RedisTarget {
  if (password === undefined) return target;
  if (target.password !== null)
    throw new SettingsError([`${prefix}_PASSWORD is set and ${prefix}_URL has a password too: keep one of them.`]);
  return { ...target, password };
}

export function readSecretFile(path: string): string {
  return readSmallFileSync(path);
}
