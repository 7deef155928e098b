// The words with which counters start at 0: all that can be counted. Pure. The types make the compiler refuse a table that misses a word.
import type { CreateOutcome } from "../act/create.ts";
import type { BanKind, ProbeResult } from "../model/observation.ts";
import { BANNING_REASONS, type DestroyReason } from "../model/reasons.ts";
import type { VastErrorKind } from "../vast/errors.ts";
import { INTERVALS_MS } from "../vast/pacing.ts";
import type { CallInfo } from "../vast/transport.ts";

const keysOf = <K extends string>(table: Readonly<Record<K, true>>) => Object.keys(table) as K[];

// Destroys of the command `destroy` are made by a process of its own.
export const COUNTED_DESTROYS = keysOf<Exclude<DestroyReason, "operator">>({
  duplicate: true,
  image_changed: true,
  template_changed: true,
  contract_ending: true,
  host_banned: true,
  too_many_restarts: true,
  host_failed: true,
  image_unavailable: true,
  disk_too_small: true,
  instance_exited: true,
  instance_frozen: true,
  instance_unknown: true,
  instance_offline: true,
  instance_stopped: true,
  instance_outbid: true,
  start_timeout: true,
  restart_timeout: true,
  app_not_listening: true,
  unreachable: true,
  create_failed: true,
  create_never_appeared: true,
  still_listed: true,
});

export const CREATE_OUTCOMES = keysOf<CreateOutcome>({
  created: true,
  create_unresolved: true,
  create_failed: true,
  create_interrupted: true,
  account_auth: true,
  account_two_factor: true,
  account_no_credit: true,
  account_spend_limit: true,
  no_offer: true,
  offers_lost: true,
  create_refused: true,
  create_rate_limited: true,
  image_unavailable: true,
  disk_too_small: true,
  app_not_listening: true,
});

const BAN_KINDS = keysOf<BanKind>({ host: true, machine: true });
const BAN_REASONS: readonly DestroyReason[] = [...BANNING_REASONS, "too_many_restarts"];
export const COUNTED_BANS = BAN_KINDS.flatMap((kind) => BAN_REASONS.map((reason) => ({ kind, reason })));

/** The endpoints of the API that the loop calls. */
export const ENDPOINTS: readonly string[] = Object.keys(INTERVALS_MS);

// A call that was not sent is not counted.
const CALL_OUTCOMES = keysOf<Exclude<CallInfo["outcome"], "not_sent">>({
  ok: true,
  auth: true,
  two_factor: true,
  no_credit: true,
  spend_limit: true,
  offer_gone: true,
  not_found: true,
  rate_limited: true,
  invalid: true,
  unavailable: true,
  malformed: true,
});
// Answers to the wish to rent something.
const CREATE_ONLY: ReadonlySet<"ok" | VastErrorKind> = new Set(["no_credit", "spend_limit", "offer_gone"]);
export const COUNTED_CALLS = ENDPOINTS.flatMap((endpoint) =>
  CALL_OUTCOMES.filter((outcome) => endpoint === "create" || !CREATE_ONLY.has(outcome)).map((outcome) => ({
    endpoint,
    outcome,
  })),
);

/** `no_connection`: nothing accepts connections. `bad_answer`: it is not what the probe expects. */
export const PROBE_OUTCOMES = ["passed", "no_connection", "bad_answer"] as const;

export function probeOutcome({ ok, tcp }: ProbeResult): (typeof PROBE_OUTCOMES)[number] {
  if (ok) return "passed";
  return tcp ? "bad_answer" : "no_connection";
}
