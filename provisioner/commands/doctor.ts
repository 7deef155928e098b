// `vast-provisioner doctor`: wires the settings that can be read into the checks, and prints what they find. Touches all that the
// checks touch, and the terminal.
import { systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { createLogger, scrub } from "../../common/logging.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { readSmallFileSync } from "../../common/small-file.ts";
import type { Values } from "../../common/variables.ts";
import { createBanStore } from "../blacklist/store.ts";
import { checkAccount } from "../doctor/check-account.ts";
import { checkApiHost } from "../doctor/check-api-host.ts";
import { checkCluster } from "../doctor/check-cluster.ts";
import { checkFolder } from "../doctor/check-files.ts";
import { checkRedis } from "../doctor/check-redis.ts";
import { checkReloader } from "../doctor/check-reloader.ts";
import { countVerdicts, type Finding, skip } from "../doctor/findings.ts";
import { checkSettings, checkTemplateFile } from "../doctor/read-settings.ts";
import { createRecorder, type Recorder } from "../doctor/recorder.ts";
import { type Check, runChecks } from "../doctor/run-checks.ts";
import { doctorNames, doctorText } from "../doctor/screen.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { labelOf } from "../model/label.ts";
import type { RedisAddresses } from "../redis/address.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { databaseOf, passwordsIn } from "../redis/url.ts";
import { readProvisionerSettings, redisOf } from "../settings.ts";
import type { WantedTemplate } from "../template/file.ts";
import type { PROVISIONER_VARIABLES } from "../variables.ts";
import { asVastError } from "../vast/errors.ts";
import { requireTerminal } from "./confirm.ts";
import { connectAccount } from "./connect.ts";

/** Without the settings that cannot be used. */
type Usable = Partial<Values<typeof PROVISIONER_VARIABLES>>;

// What a trial depends on: without Redis, the cluster and nginx an instance can be rented all the same.
const NEEDED_TO_RENT: ReadonlySet<string> = new Set([
  "settings",
  "api",
  "account",
  "key",
  "rights",
  "template",
  "query",
  "state",
]);
// Grows when a field of the JSON changes its meaning or goes away.
const DOCTOR_SCHEMA = 1;
/** What a trial may cost, unless the operator says otherwise. */
const MAX_DOLLARS = 0.5;
const SHORT_MS = 15_000;
// Two searches are 6 s apart, and each read has its own deadline.
const ACCOUNT_MS = 90_000;
const REDIS_MS = 40_000;

export async function doctorCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const { terminal, output, options } = call;
  const maxDollars = readMaxDollars(options["max-dollars"]);
  const rents = options.rent === true;
  if (rents && options.yes !== true) requireTerminal("doctor --rent");
  const { values, findings: ofSettings } = checkSettings(source);
  const { wanted, findings: ofFile } = await checkTemplateFile(values.VAST_TEMPLATE_FILE, source);
  const secrets = [...secretsIn(values), ...(wanted?.secrets ?? [])];
  const clean = (finding: Finding): Finding => ({
    ...finding,
    message: scrub(finding.message, secrets),
    remedy: finding.remedy === null ? null : scrub(finding.remedy, secrets),
  });
  const opened = open(values);
  const checks = checksFor(values, wanted, source, opened);
  const checked = [...ofSettings, ...ofFile, ...(await runChecks(checks, systemClock))].map(clean);
  const forScript = output === "json" || output === "name";
  // Whoever is asked about a trial has to see the checks before.
  if (!forScript) terminal.out(doctorText(checked, terminal.paint));
  const rented = rents ? (await rentAfter(checked, call, source, opened, maxDollars)).map(clean) : [];
  const findings = [...checked, ...rented];
  const failed = countVerdicts(findings, "fail");
  const warnings = countVerdicts(findings, "warn");
  if (output === "json") terminal.out(`${JSON.stringify({ schema: DOCTOR_SCHEMA, failed, warnings, findings })}\n`);
  else if (output === "name") terminal.out(doctorNames(findings));
  else if (rents) terminal.out(doctorText(rented, terminal.paint));
  return failed > 0 ? EXIT.failed : EXIT.done;
}

function readMaxDollars(text: unknown): number {
  if (text === undefined) return MAX_DOLLARS;
  if (typeof text === "string" && /^\d{1,3}(\.\d{1,2})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new SettingsError(["--max-dollars must be an amount in dollars, like 0.50."]);
}

type Opened = ReturnType<typeof open>;

/** What several checks use. */
function open(values: Usable) {
  const label =
    values.POD_NAME === undefined ? null : labelOf({ VAST_LABEL: values.VAST_LABEL, POD_NAME: values.POD_NAME });
  const account = openAccount(values);
  const accountId = account === null ? Promise.resolve(null) : readAccountId(account);
  return { label, account, redis: connectedRedis(values, accountId, label) };
}

/** The trial is not made while a check that it depends on fails. */
async function rentAfter(
  checked: readonly Finding[],
  call: CommandCall,
  source: SettingsSource,
  { account, redis }: Opened,
  maxDollars: number,
): Promise<Finding[]> {
  const failed = checked.filter(({ check, verdict }) => verdict === "fail" && NEEDED_TO_RENT.has(check));
  if (failed.length > 0 || account === null) {
    const names = [...new Set(failed.map(({ check }) => check))].join(", ");
    return [skip("rent", `nothing was rented: correct first what failed (${names})`)];
  }
  const { rentCommand } = await import("./rent.ts");
  const { bans } = await redis;
  return rentCommand(call, readProvisionerSettings(source), account.client, {
    maxDollars,
    bans: bans.known ? bans.value : [],
  });
}

function checksFor(
  values: Usable,
  wanted: WantedTemplate | null,
  { env, flags }: SettingsSource,
  { account, label, redis }: Opened,
): Check[] {
  const clock = systemClock;
  const { VAST_URL: baseUrl } = values;
  const queryText = flags.VAST_SEARCH_QUERY ?? env.VAST_SEARCH_QUERY ?? "";
  const one = (name: string, run: (signal: AbortSignal) => Promise<Finding>): Check => ({
    name,
    deadlineMs: SHORT_MS,
    run: async (signal) => [await run(signal)],
  });
  const unreadable = (name: string, variable: string) =>
    one(name, async () => skip(name, `${variable} cannot be read: see settings`));
  return [
    baseUrl === undefined
      ? unreadable("api", "VAST_URL")
      : { name: "api", deadlineMs: SHORT_MS, run: (signal) => checkApiHost(baseUrl, clock, signal) },
    account === null
      ? unreadable("key", "VAST_API_KEY or VAST_URL")
      : {
          name: "account",
          deadlineMs: ACCOUNT_MS,
          run: (signal) =>
            checkAccount(
              {
                ...account,
                clock,
                label,
                template: {
                  name: values.VAST_TEMPLATE_NAME,
                  image: values.VAST_TEMPLATE_IMAGE,
                  upstreamPort: values.VAST_UPSTREAM_PORT,
                  login: values.DOCKER_LOGIN,
                  wanted,
                },
                query: values.VAST_SEARCH_QUERY,
                isJson: queryText.trim().startsWith("{"),
                maxDollarsPerHour: values.VAST_MAX_DPH,
                bid: values.VAST_INSTANCE_TYPE === "interruptible" ? values.VAST_BID : undefined,
                bans: redis.then(({ bans }) => bans),
              },
              signal,
            ),
        },
    { name: "redis", deadlineMs: REDIS_MS, run: async () => (await redis).findings },
    {
      name: "cluster",
      deadlineMs: SHORT_MS,
      run: (signal) =>
        checkCluster(
          {
            onTerminate: values.VAST_ON_TERMINATE,
            events: values.KUBERNETES_EVENTS,
            inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined,
            open: () => openCluster({ env, readFile: readSmallFileSync, clock }),
          },
          signal,
        ),
    },
    ...(
      [
        ["state", "STATE_PATH"],
        ["upstream", "UPSTREAM_PATH"],
      ] as const
    ).map(([name, variable]) => {
      const path = values[variable];
      return path === undefined ? unreadable(name, variable) : one(name, () => checkFolder(name, path, variable));
    }),
    {
      name: "nginx",
      deadlineMs: SHORT_MS,
      run: async (signal) =>
        values.RELOADER_STATUS_PORT === undefined
          ? [skip("nginx", "RELOADER_STATUS_PORT cannot be read: see settings")]
          : checkReloader(values.RELOADER_STATUS_PORT, clock, signal),
    },
  ];
}

/** Null: its settings cannot be used. */
function openAccount({ VAST_API_KEY: apiKey, VAST_URL: baseUrl, DOCKER_LOGIN: login }: Usable) {
  if (apiKey === undefined || baseUrl === undefined) return null;
  let recorder: Recorder | null = null;
  const { client } = connectAccount({
    baseUrl,
    apiKey: () => apiKey,
    clock: systemClock,
    random: Math.random,
    // A host has the registry's login, and its text is printed.
    client: { clean: (text) => scrub(text, login?.password === undefined ? [] : [login.password]) },
    wrap(send) {
      recorder = createRecorder(send);
      return recorder.send;
    },
  });
  return { client, recorder: { bodiesOf: (name: string) => recorder?.bodiesOf(name) ?? [] } };
}

/** Null: the API does not say. */
async function readAccountId({ client }: NonNullable<ReturnType<typeof openAccount>>): Promise<number | null> {
  try {
    return await client.readAccountId();
  } catch (error) {
    asVastError(error); // the check of the key names it
    return null;
  }
}

async function connectedRedis(values: Usable, accountId: Promise<number | null>, label: string | null) {
  const { BLACKLIST_ENABLED, BLACKLIST_REDIS_URL, ...others } = values;
  const nothing = (why: string) => ({ findings: [skip("redis", why)], bans: { known: true, value: [] } as const });
  if (BLACKLIST_ENABLED === undefined || BLACKLIST_REDIS_URL === undefined || !("FLEET_REDIS_URL" in values))
    return nothing("its settings cannot be read: see settings");
  const clock = systemClock;
  // What it would log is part of what the check finds.
  const log = createLogger({ app: "", debug: false, secrets: () => [], destination: { write: () => undefined } });
  const given = {
    BLACKLIST_ENABLED,
    BLACKLIST_REDIS_URL,
    BLACKLIST_REDIS_PASSWORD: others.BLACKLIST_REDIS_PASSWORD,
    FLEET_REDIS_URL: others.FLEET_REDIS_URL,
    FLEET_REDIS_PASSWORD: others.FLEET_REDIS_PASSWORD,
  };
  let addresses: RedisAddresses;
  try {
    addresses = redisOf(given, given);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return nothing("its settings do not fit together: see settings");
  }
  return checkRedis(
    {
      addresses,
      clock,
      accountId,
      label,
      connect: (address) => openRedisForCommand(address, log, clock),
      banStore: (redis, { target }) =>
        createBanStore(
          redis,
          clock,
          { banTtlSeconds: 0, restartTtlSeconds: 0, banAfterSeconds: 0 },
          { fleet: null, database: databaseOf(target) },
        ),
    },
    new AbortController().signal,
  );
}

/** Texts that must never be printed. */
function secretsIn(values: Usable): string[] {
  const { VAST_API_KEY: key, DOCKER_LOGIN: login, UPSTREAM_AUTH_HEADER: auth } = values;
  const targets = [values.FLEET_REDIS_URL, values.BLACKLIST_REDIS_URL].filter((target) => target !== undefined);
  return [
    key,
    login?.password,
    auth?.value,
    values.FLEET_REDIS_PASSWORD,
    values.BLACKLIST_REDIS_PASSWORD,
    ...targets.flatMap(passwordsIn),
  ].filter((secret) => secret !== undefined);
}
