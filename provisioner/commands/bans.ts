// `vast-provisioner bans list|add|remove`: wires settings and Redis for the command. Touches Redis and the terminal.
import { type Clock, systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { createLogger } from "../../common/logging.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { addBan, type BanListCommands, listBans, removeBan } from "../blacklist/ban-list.ts";
import type { Ban, BanKind } from "../model/observation.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { explainTrouble, troubleOf } from "../redis/trouble.ts";
import { bansScreen } from "../screens/bans-screen.ts";
import { type BansSettings, readBansSettings } from "./bans-settings.ts";

/** What the command line asks for. */
export type BansRequest =
  | { action: "list" }
  | { action: "remove"; kind: BanKind; ids: readonly number[] }
  | { action: "add"; kind: BanKind; ids: readonly number[]; reason: string; ttlSeconds: number };

export async function bansCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const settings = readBansSettings(source);
  const request = readBansRequest(call.options, settings);
  if (!settings.enabled)
    call.terminal.err(
      "Note: BLACKLIST_ENABLED is not true here. Pods with this setting neither heed bans nor add any.\n",
    );
  const clock = systemClock;
  // What the log of a provisioner would say about Redis is in the error of the command.
  const log = createLogger({
    app: "vast-provisioner",
    debug: false,
    secrets: () => [],
    destination: { write: () => undefined },
  });
  const redis = await openRedisForCommand(settings.redis, log, clock);
  try {
    return await carryOutBans(call, request, redis, clock);
  } catch (error) {
    const { message, remedy } = explainTrouble(troubleOf(error), settings.redis.variable);
    throw new Error(`${message}: ${remedy}`);
  } finally {
    redis.close();
  }
}

export async function carryOutBans(
  { terminal, output }: Pick<CommandCall, "terminal" | "output">,
  request: BansRequest,
  redis: BanListCommands,
  clock: Clock,
): Promise<ExitCode> {
  const missing: number[] = [];
  if (request.action === "add") {
    const { kind, ids, reason, ttlSeconds } = request;
    for (const id of ids) await addBan(redis, { kind, id, reason }, ttlSeconds);
    terminal.err(
      `${named(kind, ids)} banned. Pods heed it within 30 s: they rent nothing there, and replace an instance there that was never ready. An instance that serves is kept.\n`,
    );
  }
  if (request.action === "remove") {
    const { kind, ids } = request;
    for (const id of ids) if (!(await removeBan(redis, { kind, id }))) missing.push(id);
    const removed = ids.filter((id) => !missing.includes(id));
    if (removed.length > 0) terminal.err(`${named(kind, removed)} no longer banned. Pods see it within 30 s.\n`);
    if (missing.length > 0) terminal.err(`${named(kind, missing)} not banned: nothing was removed.\n`);
  }
  const bans = await listBans(redis, clock);
  const iso = (until: number | null) => (until === null ? null : new Date(until).toISOString());
  if (output === "json")
    terminal.out(`${JSON.stringify({ schema: 1, bans: bans.map((ban) => ({ ...ban, until: iso(ban.until) })) })}\n`);
  else if (output === "name") terminal.out(bans.map((ban) => `${nameOfBan(ban)}\n`).join(""));
  else terminal.out(bansScreen(bans, clock.now(), output === "wide" ? null : terminal.width()));
  return missing.length > 0 ? EXIT.failed : EXIT.done;
}

const nameOfBan = ({ kind, id }: Ban) => `${kind}/${id}`;

function named(kind: BanKind, ids: readonly number[]): string {
  return ids.length === 1 ? `The ${kind} ${ids[0]} is` : `The ${kind}s ${ids.join(", ")} are`;
}

const BY_HAND = "by_hand";
const MOST_REASON_CHARACTERS = 100;

/** Throws a `SettingsError` with all problems. */
export function readBansRequest(
  { action, ids: given, machine, host, reason, ttl }: CommandCall["options"],
  { scope, ttlSeconds }: Pick<BansSettings, "scope" | "ttlSeconds">,
): BansRequest {
  const problems: string[] = [];
  const ids = [given ?? []].flat().map(Number);
  if (action === "list") {
    for (const [name, value] of Object.entries({ ids: ids[0], reason, ttl, machine, host }))
      if (value !== undefined)
        problems.push(`bans list takes no ${name === "ids" ? "ids" : `--${name}`}: leave it out.`);
    if (problems.length > 0) throw new SettingsError(problems);
    return { action };
  }
  if (ids.length === 0)
    problems.push(`bans ${action} needs an id: \`bans list\` and \`plan\` show those of hosts and machines.`);
  if (!ids.every((id) => Number.isSafeInteger(id) && id >= 0))
    problems.push("An id of a host or machine is a whole number.");
  if (machine === true && host === true) problems.push("--machine and --host are both given: keep one of them.");
  const text = typeof reason === "string" ? reason : BY_HAND;
  if (text === "" || text.length > MOST_REASON_CHARACTERS || /\p{Cc}/u.test(text))
    problems.push(`--reason must be 1-${MOST_REASON_CHARACTERS} printable characters.`);
  const seconds = ttl === undefined ? ttlSeconds : secondsOf(ttl);
  if (seconds === null)
    problems.push("--ttl must be a whole number of seconds, or one with m, h or d: 3600, 90m, 12h, 7d.");
  if (action === "remove" && (reason !== undefined || ttl !== undefined))
    problems.push("bans remove takes no --reason and no --ttl: leave them out.");
  if (problems.length > 0 || seconds === null) throw new SettingsError(problems);
  const kind = machine === true ? "machine" : host === true ? "host" : scope;
  return action === "add" ? { action, kind, ids, reason: text, ttlSeconds: seconds } : { action: "remove", kind, ids };
}

const SECONDS = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 } as const;

function secondsOf(text: unknown): number | null {
  const [, count, unit] = /^([1-9]\d{0,7})([smhd]?)$/.exec(String(text)) ?? [];
  if (count === undefined) return null;
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
