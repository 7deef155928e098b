// What each reason means, and what a person can do. The documents and `/status` show it. Pure data.
import type { DestroyReason, Reason } from "./reasons.ts";

export interface ReasonHelp {
  meaning: string;
  /** Null: nothing has to be done. */
  remedy: string | null;
  /** The pod can be `blocked` for it: a person has to act, or time has to pass. */
  blocks?: true;
}

const nothing = (meaning: string): ReasonHelp => ({ meaning, remedy: null });
const help = (meaning: string, remedy: string): ReasonHelp => ({ meaning, remedy });
const blocking = (meaning: string, remedy: string): ReasonHelp => ({ meaning, remedy, blocks: true });

const HOST =
  "Nothing at once: another host is tried. If it happens on many hosts, narrow VAST_SEARCH_QUERY, as by reliability2";
const LOST = "Nothing at once: it is replaced. If it happens often, demand a higher reliability2 in VAST_SEARCH_QUERY";

export const REASON_HELP: Readonly<Record<Reason | DestroyReason, ReasonHelp>> = {
  instance_ready: nothing("the instance serves"),
  instance_starting: nothing("the instance is not ready yet, within BLACKLIST_BAN_AFTER_SECONDS"),
  instance_lost: help(
    "the instance is exited, offline, stopped or similar; it has some time to come back",
    "Nothing before its time is over. If the account is out of credit, add credit",
  ),
  instance_unreachable: help(
    "it was ready and does not answer; it has VAST_UNREACHABLE_TIMEOUT_SECONDS to come back",
    "Look at the instance's log, and whether an egress rule of the cluster has changed",
  ),
  instance_unhealthy: help(
    "it accepts connections but fails its HTTP probe; it has VAST_UNHEALTHY_TIMEOUT_SECONDS to come back",
    "Look at the app's log and at VAST_HEALTH_PATH",
  ),
  unreachable_from_here: blocking(
    "two instances in a row, on two hosts, do not answer: our own network or app is the likely cause, so the last one is kept",
    "Check the egress rules and the app. If the instance is really dead, run vast-provisioner destroy",
  ),
  waiting_for_turn: nothing(
    "other pods with the same API key create, replace or destroy theirs first; an outdated instance serves until then",
  ),
  no_instance: nothing("there is no instance: one is created"),
  confirming_none: nothing("the list is empty: a second one has to confirm it before an instance is created"),
  create_unresolved: nothing("a create has an unknown outcome, or its instance is not listed yet: it is looked for"),
  create_interrupted: nothing("a create was interrupted: its instance is looked for"),
  create_refused: blocking(
    "the API refused the create",
    "Read the API's words in `message`: they name the setting or the right that is missing",
  ),
  create_rate_limited: blocking(
    "the API allows the next create later",
    "Nothing, unless it lasts: then fewer programs should use this API key",
  ),
  create_failed: nothing("the API returned an instance with a failure: it is destroyed, and another offer is tried"),
  create_never_appeared: nothing("a created instance was not listed within 120 s: it is destroyed by its id"),
  create_budget: blocking(
    "VAST_MAX_CREATES_PER_HOUR is reached",
    "Read in the history why the last instances failed, and correct that before the limit is raised",
  ),
  no_offer: blocking(
    "no offer fits VAST_SEARCH_QUERY, VAST_MAX_DPH and the bans",
    "Widen the query or raise the price: `vast-provisioner plan` counts why the offers fell out",
  ),
  offers_lost: nothing("others took the offers first: the search is repeated"),
  image_changed: nothing("the instance has another image than VAST_TEMPLATE_IMAGE: it is replaced"),
  template_changed: nothing("the template was changed since the instance was created: it is replaced"),
  contract_ending: nothing(
    "the contract of the instance ends within VAST_END_MARGIN_SECONDS: it is replaced while another one can be created",
  ),
  not_converging: blocking(
    "the replacement differs from the settings as well: it is kept",
    "Write VAST_TEMPLATE_IMAGE as the API reports it. If another provisioner uses this label, give each its own VAST_LABEL",
  ),
  replacement_budget: blocking(
    "two instances were replaced for a difference within an hour: this one is kept for now",
    "Find out what changes the image or the template so often",
  ),
  destroy_refused: blocking(
    "the API refuses to destroy the instance that differs: it serves on",
    "Give VAST_API_KEY the right instance_write",
  ),
  updating: nothing(
    "the container of the instance is replaced on its machine (VAST_UPDATE_STRATEGY=in-place): it is served again when the list shows the change and its probe passes",
  ),
  surging: nothing(
    "another instance is being created while the outdated one serves (VAST_UPDATE_STRATEGY=surge): for another image or template, for the end of its contract, or back to a bid",
  ),
  raising_bid: nothing(
    "the interruptible instance was outbid, or started stopped: its bid is raised under VAST_MAX_DPH, and it has 60 s to run again",
  ),
  update_refused: blocking(
    "the API does not accept the update in place of the instance that differs: it serves on",
    "Give VAST_API_KEY the right instance_write, or read the API's words in `message`",
  ),
  update_failed: blocking(
    "the instance could not be changed to what is wanted: it keeps its old image, or goes back to it",
    "Correct VAST_TEMPLATE_IMAGE, DOCKER_LOGIN or the template: another value is tried at once",
  ),
  duplicate: nothing("there are several instances with this label: the best is kept, the others are destroyed"),
  host_banned: nothing("the host of an instance that was never ready is banned: it is replaced"),
  host_failed: help("the host cannot start containers: it is banned, and the instance is replaced", HOST),
  too_many_restarts: help(
    "the instance restarted more often than BLACKLIST_RESTART_THRESHOLD: its host is banned, and it is replaced",
    "If it happens on every host, the app crashes: read the instance's log",
  ),
  start_timeout: help("the instance did not start within BLACKLIST_BAN_AFTER_SECONDS: its host is banned", HOST),
  restart_timeout: help("the instance was ready and did not start again in time: it is replaced", HOST),
  instance_exited: help("its container exited and did not come back within its grace: it is replaced", LOST),
  instance_frozen: help("it was paused and did not come back within its grace: it is replaced", LOST),
  instance_unknown: help("its host sent no status for ten minutes: it is replaced", LOST),
  instance_offline: help("its host was offline for ten minutes: it is replaced", LOST),
  instance_stopped: help("its contract was stopped: it is replaced", LOST),
  instance_outbid: help(
    "somebody bid more than VAST_MAX_DPH allows, or than a much cheaper instance costs, or took the GPUs on demand: it is replaced",
    "Nothing at once. If it happens often, raise VAST_BID and VAST_MAX_DPH, or set VAST_INSTANCE_TYPE=ondemand",
  ),
  unreachable: help("it was ready and did not answer for too long: it is replaced", LOST),
  image_unavailable: blocking(
    "the image cannot be pulled or started",
    "Check VAST_TEMPLATE_IMAGE, DOCKER_LOGIN, and that the image is built for linux/amd64 and this CUDA version",
  ),
  disk_too_small: blocking("the disk of the instance is full before the app runs", "Raise the template's disk space"),
  app_not_listening: blocking(
    "the instance runs and nothing answers at its port; a second one in a row was no better",
    "Let the app listen on 0.0.0.0 at the published port; check VAST_UPSTREAM_PORT, VAST_HEALTH_PATH and egress rules",
  ),
  destroying: nothing("an instance is being destroyed"),
  still_listed: help(
    "an instance is still listed a minute after its destroy: the destroy is sent again",
    "If it lasts, destroy it in the console of Vast.ai: it may still be billed",
  ),
  operator: nothing("a person destroyed it with vast-provisioner destroy"),
  terminating: nothing("the provisioner is stopping and destroys the instance"),
  list_unknown: help(
    "the API does not answer with a complete instance list: nothing is changed",
    "If it lasts, check VAST_URL, the status of Vast.ai and the pod's egress rules",
  ),
  template_unknown: blocking(
    "the API does not answer what the template contains: nothing is changed",
    "If it lasts, check the rights of VAST_API_KEY and VAST_URL",
  ),
  template_not_found: blocking(
    "the account has no template of its own with the name VAST_TEMPLATE_NAME",
    "Create the template in the account of the API key, or correct the name",
  ),
  bans_unknown: help("Redis does not answer which hosts are banned: a create waits for 30 s", "Check Redis"),
  account_auth: blocking("the API refuses the key", "Set a VAST_API_KEY with the rights for instances and templates"),
  account_two_factor: blocking("the API wants a second factor", "Use an API key that was made for programs"),
  account_no_credit: blocking("the account has no credit: Vast.ai stops its instances", "Add credit"),
  account_spend_limit: blocking("the account has reached its spend limit", "Raise the limit, or wait"),
  other_owner: blocking(
    "another provisioner holds the label's lease, or replaces its instance",
    "Give each pod with the same POD_NAME its own VAST_LABEL. If the other one is gone, its lease ends within a minute",
  ),
  owner_unknown: help(
    "Redis does not say who holds the label's lease, or the API does not name the account",
    "If it lasts, check Redis, and give the key the right user_read",
  ),
  internal_error: blocking("a defect of the program: nothing is changed", "Report it, with the log"),
};

/** The reasons for which a pod can be blocked. */
export const BLOCKING_REASONS: readonly string[] = Object.entries(REASON_HELP).flatMap(([reason, { blocks }]) =>
  blocks ? [reason] : [],
);
