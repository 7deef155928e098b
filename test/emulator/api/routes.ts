// The API's routes: which handler, which scope of a key, which rate limit.
import { gpuNames, showUser } from "./account-calls.ts";
import type { Handler } from "./call.ts";
import { createInstance } from "./create.ts";
import { listInstances, listInstancesV0 } from "./instance-list.ts";
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

export type Scope = "misc" | "user_read" | "user_write" | "instance_read" | "instance_write";

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
}

interface Options {
  rate?: RateRule;
  anonymous?: true;
  instanceKey?: true;
}

/** `{id}` stands for a number; the trailing slash may be left out. */
function route(method: string, path: string, scope: Scope, handler: Handler, options: Options = {}): Route {
  const source = path.replace("{id}", "(-?\\d+)").replace(/\/$/, "/?");
  return {
    method,
    pattern: new RegExp(`^${source}$`),
    scope,
    handler,
    rate: options.rate ?? null,
    anonymous: options.anonymous ?? false,
    instanceKey: options.instanceKey ?? false,
  };
}

const own = { instanceKey: true } as const;
const R = RATE_RULES;

export const ROUTES: readonly Route[] = [
  route("GET", "/api/v1/instances/", "instance_read", listInstances, { rate: R.list }),
  route("GET", "/api/v0/instances/", "instance_read", listInstancesV0),
  route("PUT", "/api/v0/instances/", "instance_write", manageInstances, { rate: R.manage }),
  route("DELETE", "/api/v0/instances/", "instance_write", destroyInstances, { rate: R.destroy }),
  route("GET", "/api/v0/instances/{id}/", "instance_read", showInstance, { rate: R.show, ...own }),
  route("PUT", "/api/v0/instances/{id}/", "instance_write", manageInstance, { rate: R.manage, ...own }),
  route("DELETE", "/api/v0/instances/{id}/", "instance_write", destroyInstance, { rate: R.destroy, ...own }),
  route("PUT", "/api/v0/instances/reboot/{id}/", "instance_write", rebootInstance, { rate: R.reboot }),
  route("PUT", "/api/v0/instances/recycle/{id}/", "instance_write", recycleInstance, { rate: R.recycle }),
  route("PUT", "/api/v0/instances/update_template/{id}/", "instance_write", updateTemplate),
  route("PUT", "/api/v0/instances/bid_price/{id}/", "instance_write", changeBid, { rate: R.bid }),
  route("PUT", "/api/v0/instances/request_logs/{id}/", "instance_read", requestLogs),
  route("PUT", "/api/v0/asks/{id}/", "instance_write", createInstance, { rate: R.create }),
  route("POST", "/api/v0/bundles/", "misc", searchByPost, { rate: R.search, anonymous: true }),
  route("GET", "/api/v0/bundles/", "misc", searchByGet, { rate: R.search, anonymous: true }),
  route("PUT", "/api/v0/search/asks/", "misc", searchAsks, { rate: R.search }),
  route("GET", "/api/v0/template/", "user_read", searchTemplates, { rate: R.templates }),
  route("POST", "/api/v0/template/", "user_write", createTemplate),
  route("PUT", "/api/v0/template/", "user_write", editTemplateCall),
  route("DELETE", "/api/v0/template/", "user_write", deleteTemplateCall),
  route("GET", "/api/v0/users/me/created-templates/", "user_read", ownTemplates),
  route("GET", "/api/v0/users/current/", "user_read", showUser),
  route("GET", "/api/v0/gpu_names/unique/", "misc", gpuNames, { anonymous: true }),
];
