// `vast-provisioner destroy`: wires settings, account, state file and lease for the command. Touches all of these, the
// terminal and a provisioner's status port.
import { type Clock, systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { codeOf, isFileSystemError, messageOf } from "../../common/errors.ts";
import { getJson } from "../../common/http.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger } from "../../common/logging.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { type AccountLeaseParts, createAccountLease } from "../lease/account-lease.ts";
import { type Lease, newToken, noLease } from "../lease/lease.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { readDestroySettings } from "../settings.ts";
import type { State } from "../state/schema.ts";
import { createStateFile, type StateFile } from "../state/state-file.ts";
import { destroyAll, type ProvisionerRuns } from "../teardown/destroy-all.ts";
import { ownEndCalls } from "../teardown/end-calls.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { connectAccount } from "./connect.ts";
import { processName } from "./dependencies.ts";
import { printFor, printOutcome } from "./print-outcome.ts";
import { removeReports } from "./remove-reports.ts";

// A status server on the same machine answers within milliseconds, and nobody needs to wait where none listens.
const STATUS_DEADLINE_MS = 5000;
// A created instance may be listed two minutes late, and a destroyed one be listed two minutes longer; the rest is for failed calls.
const WITHIN_SECONDS = 300;
// Codes of a state file that this user or machine cannot have.
const NO_STATE_FILE = ["EACCES", "EPERM", "EROFS", "ENOENT"];

export async function destroyCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const settings = readDestroySettings(source);
  const { apiKey, label, podName, redis: address, statePath, statusPort, vastUrl } = settings;
  const limitMs = 1000 * readWithinSeconds(call.options["within-seconds"]);
  const clock = systemClock;
  let until = clock.monotonic() + limitMs;
  const log = createLogger({
    app: "vast-provisioner",
    debug: settings.debug,
    quiet: true,
    secrets: () => settings.secrets,
    destination: await logDestination(settings.logFormat, 2),
  });
  const { client } = connectAccount({ baseUrl: vastUrl, apiKey: () => apiKey, clock, random: Math.random });
  const stateFile = createStateFile(statePath, clock.now);
  const redis = address === null ? null : await openRedisForCommand(address, log, clock);
  const print = printFor(call);
  const outcome = await destroyAll({
    client,
    calls: ownEndCalls(client, label),
    clock,
    log,
    label,
    load: () => loadIfPossible(stateFile, label, print),
    save: async (state) => void (await ifAccessible(stateFile.save(state))),
    lease: leaseOfCommand({ client, redis, label, clock, log }),
    provisionerRuns: () => provisionerRuns(statusPort, podName, clock),
    timeLeftMs: () => until - clock.monotonic(),
    adoptsAll: false,
    async confirm(question) {
      const yes = call.options.yes === true || (await confirmOnTerminal(question, "destroy"));
      until = clock.monotonic() + limitMs; // thinking about the answer costs no time
      return yes;
    },
    print,
  })
    .then(async (done) => {
      if (done.done && redis !== null) await removeReports(redis, { client, labels: [label], print });
      return done;
    })
    .finally(() => redis?.close());
  if (outcome.problem !== null) print(outcome.problem);
  printOutcome(call, outcome, outcome.gone);
  return outcome.done ? EXIT.done : EXIT.failed;
}

function readWithinSeconds(text: unknown): number {
  if (text === undefined) return WITHIN_SECONDS;
  if (typeof text === "string" && /^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new SettingsError(["--within-seconds must be a whole number of seconds, 1 to 99999."]);
}

type LeaseOfCommandParts = Omit<AccountLeaseParts, "redis" | "token" | "owner" | "startedAt"> & {
  redis: RedisConnection | null;
};

function leaseOfCommand({ redis, ...parts }: LeaseOfCommandParts): Lease {
  if (redis === null) return noLease;
  const owner = `vast-provisioner destroy on ${processName(parts.clock)}`;
  return createAccountLease({ ...parts, redis, token: newToken(Math.random), owner, startedAt: null });
}

/** Null when there is no state file that can be read; a volume that fails must not keep an instance billed. */
async function loadIfPossible(file: StateFile, label: string, print: (text: string) => void): Promise<State | null> {
  try {
    return (await ifAccessible(file.load(label)))?.state ?? null;
  } catch (error) {
    if (!isFileSystemError(error)) throw error;
    print(`The state file cannot be read (${messageOf(error)}): only instances that are listed can be destroyed.`);
    return null;
  }
}

/** Null when the state file is not accessible: an operator's machine has no volume of the provisioner. */
export async function ifAccessible<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (NO_STATE_FILE.includes(codeOf(error) ?? "")) return null;
    throw error;
  }
}

/** Whether the status server on `port` of this machine is the one of the pod's provisioner. */
export async function provisionerRuns(port: number, pod: string, clock: Clock): Promise<ProvisionerRuns> {
  try {
    const { data } = await getJson(`http://127.0.0.1:${port}/status`, clock, STATUS_DEADLINE_MS);
    return typeof data === "object" && data !== null && "pod" in data && data.pod === pod ? "yes" : "no";
  } catch (error) {
    return codeOf(error) === "ECONNREFUSED" ? "no" : "unknown";
  }
}
