// The API's routes: which handler, which scope of a key, which rate limit.
import { gpuNames, showUser } from "./account-calls.ts";
import {
  addresses,
  apiKey,
  apiKeys,
  auditLog,
  emptyList,
  invoices,
  none,
  oldInvoices,
  secondFactor,
} from "./account-records.ts";
import {
  addSshKey,
  changeSshKey,
  listSshKeys,
  listVariables,
  removeSshKey,
  removeVariable,
  setVariable,
} from "./account-settings.ts";
import type { Handler } from "./call.ts";
import { runCommand } from "./command.ts";
import { createInstance } from "./create.ts";
import { listFilters, listInstances, listInstancesV0 } from "./instance-list.ts";
import {
  changeBid,
  destroyInstance,
  destroyInstances,
  manageInstance,
  manageInstances,
  rebootInstance,
  recycleInstance,
  showInstance,
} from "./instance-writes.ts";
import { requestLogs } from "./log-calls.ts";
import { acceptPriceIncrease, listCharges, priceIncreases, rejectPriceIncrease } from "./money-calls.ts";
import { searchAsks, searchByGet, searchByPost } from "./offer-search.ts";
import { RATE_RULES, type RateRule } from "./rate-limits.ts";
import {
  createTemplate,
  deleteTemplateCall,
  editTemplateCall,
  ownTemplates,
  searchTemplates,
} from "./template-calls.ts";
import { updateTemplate } from "./update-template.ts";

export type Scope =
  | "misc"
  | "user_read"
  | "user_write"
  | "instance_read"
  | "instance_write"
  | "billing_read"
  | "machine_read";

export interface Route {
  method: string;
  pattern: RegExp;
  scope: Scope;
  handler: Handler;
  rate: RateRule | null;
  /** Works without a key. */
  anonymous: boolean;
  /** An instance's own key may call it. */
  instanceKey: boolean;
  /** What an id that is no number gets. */
  badId: BadId;
}

interface BadId {
  status: number;
  error: string;
  msg: string;
}

interface Options {
  rate?: RateRule;
  anonymous?: true;
  instanceKey?: true;
  badId?: BadId;
}

const BAD_INSTANCE: BadId = { status: 400, error: "invalid_args", msg: "invalid instance_id" };
const BAD_ID: BadId = { status: 400, error: "invalid_id", msg: "Invalid instance id." };
const BAD_ASK: BadId = {
  status: 400,
  error: "invalid_args",
  msg: "error 400/3467: Invalid args: 'id' is required and must be a valid offer ID",
};

/** `{id}` stands for a part of the path; the trailing slash may be left out. */
function route(method: string, path: string, scope: Scope, handler: Handler, options: Options = {}): Route {
  const source = path.replace("{id}", "([^/]+)").replace(/\/$/, "/?");
  return {
    method,
    pattern: new RegExp(`^${source}$`),
    scope,
    handler,
    rate: options.rate ?? null,
    anonymous: options.anonymous ?? false,
    instanceKey: options.instanceKey ?? false,
    badId: options.badId ?? BAD_INSTANCE,
  };
}

const own = { instanceKey: true } as const;
const R = RATE_RULES;

export const ROUTES: readonly Route[] = [
  route("GET", "/api/v1/instances/", "instance_read", listInstances, { rate: R.list }),
  route("GET", "/api/v0/instances/", "instance_read", listInstancesV0),
  route("PUT", "/api/v0/instances/", "instance_write", manageInstances, { rate: R.manage }),
  route("DELETE", "/api/v0/instances/", "instance_write", destroyInstances, { rate: R.destroy }),
  route("GET", "/api/v0/instances/pending-price-increases/", "instance_read", priceIncreases, { rate: R.prices }),
  route("PUT", "/api/v0/instances/accept-price-increase/", "instance_write", acceptPriceIncrease),
  route("PUT", "/api/v0/instances/reject-price-increase/", "instance_write", rejectPriceIncrease),
  route("GET", "/api/v0/instances/filters/", "instance_read", listFilters),
  route("GET", "/api/v0/instances/{id}/", "instance_read", showInstance, { rate: R.show, ...own }),
  route("PUT", "/api/v0/instances/{id}/", "instance_write", manageInstance, { rate: R.manage, ...own }),
  route("DELETE", "/api/v0/instances/{id}/", "instance_write", destroyInstance, { rate: R.destroy, ...own }),
  route("PUT", "/api/v0/instances/reboot/{id}/", "instance_write", rebootInstance, { rate: R.reboot }),
  route("PUT", "/api/v0/instances/recycle/{id}/", "instance_write", recycleInstance, {
    rate: R.recycle,
    badId: BAD_ID,
  }),
  route("PUT", "/api/v0/instances/update_template/{id}/", "instance_write", updateTemplate, { rate: R.update }),
  route("PUT", "/api/v0/instances/bid_price/{id}/", "instance_write", changeBid, { rate: R.bid }),
  route("PUT", "/api/v0/instances/request_logs/{id}/", "instance_read", requestLogs, {
    badId: { ...BAD_ID, status: 404 },
  }),
  route("PUT", "/api/v0/instances/command/{id}/", "instance_write", runCommand, { rate: R.command }),
  route("PUT", "/api/v0/asks/{id}/", "instance_write", createInstance, { rate: R.create, badId: BAD_ASK }),
  route("POST", "/api/v0/bundles/", "misc", searchByPost, { rate: R.search, anonymous: true }),
  route("GET", "/api/v0/bundles/", "misc", searchByGet, { rate: R.search, anonymous: true }),
  route("PUT", "/api/v0/search/asks/", "misc", searchAsks, { rate: R.search }),
  route("GET", "/api/v0/template/", "user_read", searchTemplates, { rate: R.templates }),
  route("POST", "/api/v0/template/", "user_write", createTemplate),
  route("PUT", "/api/v0/template/", "user_write", editTemplateCall),
  route("DELETE", "/api/v0/template/", "user_write", deleteTemplateCall),
  route("GET", "/api/v0/users/me/created-templates/", "user_read", ownTemplates),
  route("GET", "/api/v0/users/current/", "user_read", showUser),
  route("GET", "/api/v0/charges/", "billing_read", listCharges, { rate: R.charges }),
  route("GET", "/api/v0/gpu_names/unique/", "misc", gpuNames, { anonymous: true }),
  route("GET", "/api/v0/users/me/invoices/", "billing_read", oldInvoices),
  route("GET", "/api/v1/invoices/", "billing_read", invoices),
  route("GET", "/api/v0/users/me/ipaddrs/", "user_read", addresses),
  route("GET", "/api/v0/auth/apikeys/", "user_read", apiKeys),
  route("GET", "/api/v0/auth/apikeys/{id}/", "user_read", apiKey),
  route("GET", "/api/v0/audit_logs/", "misc", auditLog),
  route("GET", "/api/v0/tfa/status/", "user_read", secondFactor),
  route("GET", "/api/v0/ssh/", "user_read", listSshKeys),
  route("POST", "/api/v0/ssh/", "user_write", addSshKey),
  route("PUT", "/api/v0/ssh/{id}/", "user_write", changeSshKey),
  route("DELETE", "/api/v0/ssh/{id}/", "user_write", removeSshKey),
  route("GET", "/api/v0/secrets/", "user_read", listVariables),
  route("POST", "/api/v0/secrets/", "user_write", setVariable),
  route("PUT", "/api/v0/secrets/", "user_write", setVariable),
  route("DELETE", "/api/v0/secrets/", "user_write", removeVariable),
  route("GET", "/api/v0/subaccounts/", "user_read", none("users")),
  route("GET", "/api/v0/machines/", "machine_read", none("machines")),
  route("GET", "/api/v0/volumes/", "instance_read", none("volumes")),
  route("GET", "/api/v0/endptjobs/", "misc", none("results")),
  route("GET", "/api/v0/autojobs/", "misc", none("results")),
  route("GET", "/api/v0/commands/schedule_job/", "instance_read", emptyList),
  route("GET", "/api/v0/users/cloud_integrations/", "user_read", emptyList),
];
