// `vast-provisioner doctor`: wires the settings that can be read into the checks, and prints what they find. Touches all that the
// checks touch, and the terminal.
import { systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { createLogger, scrub } from "../../common/logging.ts";
import type { SettingsSource } from "../../common/settings.ts";
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
import { checkSettings } from "../doctor/read-settings.ts";
import { createRecorder, type Recorder } from "../doctor/recorder.ts";
import { type Check, runChecks } from "../doctor/run-checks.ts";
import { doctorText } from "../doctor/screen.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { labelOf } from "../model/label.ts";
import { openRedis } from "../redis/open.ts";
import { databaseOf, passwordsIn } from "../redis/url.ts";
import { redisOf } from "../settings.ts";
import type { PROVISIONER_VARIABLES } from "../variables.ts";
import { asVastError } from "../vast/errors.ts";
import { connectAccount } from "./connect.ts";

/** Without the settings that cannot be used. */
type Usable = Partial<Values<typeof PROVISIONER_VARIABLES>>;

// Grows when a field of the JSON changes its meaning or goes away.
const DOCTOR_SCHEMA = 1;
const SHORT_MS = 15_000;
// Two searches are 6 s apart, and each read has its own deadline.
const ACCOUNT_MS = 90_000;
const REDIS_MS = 40_000;

export async function doctorCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const { terminal, output } = call;
  const { values, findings: ofSettings } = checkSettings(source);
  const found = [...ofSettings, ...(await runChecks(checksFor(values, source), systemClock))];
  const secrets = secretsIn(values);
  const findings = found.map(
    (finding): Finding => ({
      ...finding,
      message: scrub(finding.message, secrets),
      remedy: finding.remedy === null ? null : scrub(finding.remedy, secrets),
    }),
  );
  const failed = countVerdicts(findings, "fail");
  const warnings = countVerdicts(findings, "warn");
  terminal.out(
    output === "json"
      ? `${JSON.stringify({ schema: DOCTOR_SCHEMA, failed, warnings, findings })}\n`
      : doctorText(findings, terminal.paint),
  );
  return failed > 0 ? EXIT.failed : EXIT.done;
}

function checksFor(values: Usable, { env, flags }: SettingsSource): Check[] {
  const clock = systemClock;
  const { VAST_API_KEY: apiKey, VAST_URL: baseUrl } = values;
  const label =
    values.POD_NAME === undefined ? null : labelOf({ VAST_LABEL: values.VAST_LABEL, POD_NAME: values.POD_NAME });
  const account = apiKey === undefined || baseUrl === undefined ? null : openAccount(baseUrl, apiKey);
  const accountId = account === null ? Promise.resolve(null) : readAccountId(account);
  const redis = connectedRedis(values, accountId, label);
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
                },
                query: values.VAST_SEARCH_QUERY,
                isJson: queryText.trim().startsWith("{"),
                maxDollarsPerHour: values.VAST_MAX_DPH,
                bans: redis.then(({ bans }) => bans),
              },
              signal,
            ),
        },
    { name: "redis", deadlineMs: REDIS_MS, run: async () => (await redis).findings },
    one("cluster", (signal) =>
      checkCluster(
        {
          onTerminate: values.VAST_ON_TERMINATE,
          inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined,
          open: () => openCluster({ env, readFile: readSmallFileSync, clock }),
        },
        signal,
      ),
    ),
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

function openAccount(baseUrl: string, apiKey: string) {
  let recorder: Recorder | null = null;
  const { client } = connectAccount({
    baseUrl,
    apiKey: () => apiKey,
    clock: systemClock,
    random: Math.random,
    wrap(send) {
      recorder = createRecorder(send);
      return recorder.send;
    },
  });
  return { client, recorder: { bodiesOf: (name: string) => recorder?.bodiesOf(name) ?? [] } };
}

/** Null: the API does not say. */
async function readAccountId({ client }: ReturnType<typeof openAccount>): Promise<number | null> {
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
  return checkRedis(
    {
      addresses: redisOf(given, given),
      clock,
      accountId,
      label,
      connect: (address) => openRedis(address, log, clock),
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
