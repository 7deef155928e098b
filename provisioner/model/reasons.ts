// The reasons: the same words in logs, `/status`, the upstream file, metrics and test names. Pure.

/** Why an instance is destroyed. */
export type DestroyReason =
  | "duplicate"
  | "image_changed"
  | "template_changed"
  | "contract_ending"
  | "host_banned"
  | "too_many_restarts"
  | "host_failed"
  | "image_unavailable"
  | "disk_too_small"
  | "instance_exited"
  | "instance_frozen"
  | "instance_unknown"
  | "instance_offline"
  | "instance_stopped"
  | "instance_outbid"
  | "start_timeout"
  | "restart_timeout"
  | "app_not_listening"
  | "unreachable"
  | "create_failed"
  | "create_never_appeared"
  | "still_listed"
  | "operator";

/** Why a pass decided as it did. */
export type Reason =
  | Exclude<DestroyReason, "operator">
  | "instance_ready"
  | "list_unknown"
  | "other_owner"
  | "owner_unknown"
  | "account_auth"
  | "account_two_factor"
  | "account_no_credit"
  | "account_spend_limit"
  | "destroying"
  | "template_not_found"
  | "template_unknown"
  | "not_converging"
  | "destroy_refused"
  | "updating"
  | "update_refused"
  | "update_failed"
  | "surging"
  | "raising_bid"
  | "replacement_budget"
  | "instance_lost"
  | "instance_starting"
  | "instance_unreachable"
  | "instance_unhealthy"
  | "unreachable_from_here"
  | "create_unresolved"
  | "confirming_none"
  | "create_budget"
  | "no_offer"
  | "offers_lost"
  | "create_refused"
  | "create_rate_limited"
  | "create_interrupted"
  | "bans_unknown"
  | "no_instance"
  | "waiting_for_turn"
  | "terminating"
  | "internal_error";

/** Reasons for which the host is banned together with the destroy. Too many restarts ban at once, serving or not. */
export const BANNING_REASONS: ReadonlySet<DestroyReason> = new Set(["start_timeout", "host_failed"]);

/** Reasons to destroy a contract that may never have been listed: a list without it proves nothing. */
export const UNLISTED_REASONS: ReadonlySet<string> = new Set<DestroyReason>(["create_failed", "create_never_appeared"]);

/** Reasons that say that the machine could not start an instance: it will not start the next one either. */
export const UNFIT_REASONS: ReadonlySet<DestroyReason> = new Set([
  "start_timeout",
  "restart_timeout",
  "host_failed",
  "too_many_restarts",
]);

/** Reasons for which the machine is avoided for a while, with or without a ban store. */
export const AVOIDING_REASONS: ReadonlySet<DestroyReason> = new Set([
  "start_timeout",
  "restart_timeout",
  "host_failed",
  "too_many_restarts",
  "app_not_listening",
  "unreachable",
  "instance_exited",
  "instance_frozen",
  "instance_unknown",
  "instance_offline",
  "instance_stopped",
  "instance_outbid",
]);
