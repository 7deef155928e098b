// What each reason means for a person: what is waited for, and what happens then. Pure data.
import type { DestroyReason, Reason } from "./reasons.ts";

export interface ReasonText {
  /** What is waited for; `{instance}` stands for the pod's instance. */
  waitsFor: string;
  /** What happens when it comes. */
  afterwards: string;
}

const TO_BE_GONE: ReasonText = {
  waitsFor: "{instance} to be destroyed and gone from the instance list",
  afterwards: "another instance is created",
};
const TO_COME_BACK = "it is published again as soon as its probe passes";
const ACCOUNT = "the pod goes on where it was";

export const REASON_TEXTS: Readonly<Record<Reason | DestroyReason, ReasonText>> = {
  instance_ready: {
    waitsFor: "a change of the image, the template or {instance}, or the end of its contract",
    afterwards: "it is replaced when image or template differ, before its contract ends, and when it no longer answers",
  },
  instance_starting: { waitsFor: "{instance} to become ready", afterwards: "it is published, and nginx routes to it" },
  instance_lost: { waitsFor: "{instance} to come back", afterwards: TO_COME_BACK },
  instance_unreachable: { waitsFor: "{instance} to answer again", afterwards: TO_COME_BACK },
  instance_unhealthy: { waitsFor: "the HTTP probe of {instance} to pass again", afterwards: TO_COME_BACK },
  unreachable_from_here: {
    waitsFor: "{instance} to answer again, or a person to destroy it",
    afterwards: `${TO_COME_BACK}; if it is destroyed, another one is created`,
  },
  waiting_for_turn: {
    waitsFor: "its turn among the pods with this API key",
    afterwards: "what it wants is carried out",
  },
  no_instance: { waitsFor: "an instance to be created", afterwards: "it is waited for until it is ready" },
  confirming_none: {
    waitsFor: "a second empty instance list, which confirms that there is no instance",
    afterwards: "an instance is created",
  },
  create_unresolved: {
    waitsFor: "the instance of the last create to be listed",
    afterwards: "it is waited for until it is ready",
  },
  create_interrupted: {
    waitsFor: "the instance of the interrupted create to be listed",
    afterwards: "it is waited for until it is ready",
  },
  create_refused: { waitsFor: "the end of the wait after a refused create", afterwards: "a create is tried again" },
  create_rate_limited: { waitsFor: "the API to allow the next create", afterwards: "a create is tried again" },
  create_failed: TO_BE_GONE,
  create_never_appeared: TO_BE_GONE,
  create_budget: {
    waitsFor: "one of the last creates to be an hour old, because VAST_MAX_CREATES_PER_HOUR is reached",
    afterwards: "the next create is possible",
  },
  no_offer: {
    waitsFor: "an offer that VAST_SEARCH_QUERY and VAST_MAX_DPH allow",
    afterwards: "an instance is created",
  },
  offers_lost: { waitsFor: "an offer that nobody else takes first", afterwards: "an instance is created" },
  image_changed: TO_BE_GONE,
  template_changed: TO_BE_GONE,
  contract_ending: TO_BE_GONE,
  not_converging: {
    waitsFor: "the image or template setting to be corrected",
    afterwards: "the instance is replaced once more",
  },
  replacement_budget: {
    waitsFor: "one of the last two replacements to be an hour old",
    afterwards: "{instance} is replaced",
  },
  destroy_refused: {
    waitsFor: "the next attempt to destroy {instance}, which the API refused",
    afterwards: "it is replaced if the API allows its destroy",
  },
  updating: {
    waitsFor: "the instance list to show the new image and template of {instance}, and its probe to pass",
    afterwards: "it is published, and nginx routes to it",
  },
  surging: {
    waitsFor: "the new instance to answer its probe",
    afterwards: "nginx routes to it, and the outdated one is drained and destroyed",
  },
  raising_bid: {
    waitsFor: "the contract of {instance} to run again with the higher bid",
    afterwards: "it is published when its probe passes; else it is replaced",
  },
  update_refused: {
    waitsFor: "the next attempt to update {instance} in place, which the API did not accept",
    afterwards: "it is updated if the API allows that",
  },
  update_failed: {
    waitsFor: "another image or template, or the next attempt to update {instance}, which failed before",
    afterwards: "it is updated once more",
  },
  duplicate: {
    waitsFor: "the duplicates to be destroyed and gone from the instance list",
    afterwards: "the pod goes on with {instance}",
  },
  host_banned: TO_BE_GONE,
  host_failed: TO_BE_GONE,
  too_many_restarts: TO_BE_GONE,
  start_timeout: TO_BE_GONE,
  restart_timeout: TO_BE_GONE,
  instance_exited: TO_BE_GONE,
  instance_frozen: TO_BE_GONE,
  instance_unknown: TO_BE_GONE,
  instance_offline: TO_BE_GONE,
  instance_stopped: TO_BE_GONE,
  instance_outbid: TO_BE_GONE,
  unreachable: TO_BE_GONE,
  image_unavailable: {
    waitsFor: "an image that can be used, or the end of the wait before the next create",
    afterwards: "another instance is created",
  },
  disk_too_small: {
    waitsFor: "a larger disk in the template, or the end of the wait before the next create",
    afterwards: "another instance is created",
  },
  app_not_listening: {
    waitsFor: "an app that listens at the published port, or the end of the wait before the next create",
    afterwards: "another instance is created",
  },
  destroying: TO_BE_GONE,
  still_listed: TO_BE_GONE,
  operator: TO_BE_GONE,
  terminating: { waitsFor: "{instance} to be gone from the instance list", afterwards: "the provisioner stops" },
  list_unknown: { waitsFor: "an instance list from the API", afterwards: ACCOUNT },
  template_unknown: { waitsFor: "the API to answer what the template contains", afterwards: ACCOUNT },
  template_not_found: { waitsFor: "a template named as VAST_TEMPLATE_NAME says", afterwards: ACCOUNT },
  bans_unknown: { waitsFor: "Redis to answer which hosts are banned", afterwards: "an instance is created" },
  account_auth: { waitsFor: "an API key that Vast.ai accepts", afterwards: ACCOUNT },
  account_two_factor: { waitsFor: "an API key without a second factor", afterwards: ACCOUNT },
  account_no_credit: { waitsFor: "credit", afterwards: ACCOUNT },
  account_spend_limit: { waitsFor: "a higher spend limit of the account", afterwards: ACCOUNT },
  other_owner: {
    waitsFor: "the other provisioner to stop using this label",
    afterwards: "this provisioner takes the label over",
  },
  owner_unknown: { waitsFor: "an answer about who holds the lease of the label", afterwards: ACCOUNT },
  internal_error: { waitsFor: "the next pass", afterwards: "it is tried again" },
};
