// The control routes under /_emulator/, by which a test looks at the state and orders what happens. No key is needed.
import { z } from "zod";
import { deleteTemplate, editTemplate } from "../api/template-calls.ts";
import { spendable } from "../instances/billing.ts";
import { plantInstance } from "../instances/contract.ts";
import { EVENTS } from "../instances/events.ts";
import type { Instance } from "../instances/instance.ts";
import { unhold, watchCredit } from "../instances/lifecycle.ts";
import { type Json, parseJson } from "../json.ts";
import { emptyMarket, take } from "../market/offer.ts";
import { offerRow } from "../market/offer-row.ts";
import { addNamedOffer, partialOfferSchema } from "../market/seed.ts";
import { type ApiRequest, type ApiResponse, json } from "../message.ts";
import { settingsSchema } from "../settings.ts";
import { type Template, templateHash, templateRow } from "../templates/template.ts";
import { seconds, type World } from "../world.ts";
import { type FaultRule, faultSchema } from "./fault-rule.ts";
import { dumpInstance, stateOf } from "./state-dump.ts";

export const CONTROL_PATH = "/_emulator/";

interface Order {
  world: World;
  query: URLSearchParams;
  body: Json;
  /** Parts of the path that the route leaves open. */
  parts: string[];
  /** Lets everything happen that is due. */
  advance: () => void;
}

const notFound = (what: string): ApiResponse => json(404, { error: `there is no ${what}` });

/** Answers a control request. What cannot be read is a 400 that says why. */
export function control(world: World, request: ApiRequest, advance: () => void): ApiResponse {
  const url = new URL(request.url, "http://emulator");
  const body = request.body.trim() === "" ? {} : parseJson(request.body);
  if (body === undefined) return json(400, { error: "the body is not JSON" });
  for (const [method, pattern, handler] of CONTROLS) {
    const match = method === request.method ? pattern.exec(url.pathname) : null;
    if (!match) continue;
    const parts = match.slice(1).map((part) => decodeURIComponent(part ?? ""));
    try {
      return handler({ world, query: url.searchParams, body, parts, advance });
    } catch (error) {
      if (error instanceof z.ZodError) return json(400, { error: z.prettifyError(error) });
      throw error;
    }
  }
  return notFound(`control route ${request.method} ${url.pathname}`);
}

type Control = (order: Order) => ApiResponse;
const at = (path: string) => new RegExp(`^/_emulator/${path}/?$`);

const CONTROLS: readonly (readonly [string, RegExp, Control])[] = [
  ["GET", at("state"), ({ world }) => json(200, stateOf(world))],
  ["GET", at("requests"), ({ world, query }) => json(200, requestsSince(world, Number(query.get("since") ?? 0)))],
  ["POST", at("instances"), ({ world, body }) => plant(world, body)],
  ["GET", at("instances/([^/]+)"), ({ world, parts }) => showOne(world, parts[0] ?? "")],
  ["POST", at("instances/([^/]+)/([^/]+)"), happen],
  ["PATCH", at("templates/([^/]+)"), changeTemplate],
  ["DELETE", at("templates/([^/]+)"), removeTemplate],
  ["POST", at("hosts/(\\d+)"), ruleHost],
  ["POST", at("settings"), changeSettings],
  ["GET", at("offers"), ({ world }) => json(200, offersOf(world))],
  ["PUT", at("offers"), replaceOffers],
  ["DELETE", at("offers/(\\d+)"), rentOut],
  ["POST", at("faults"), addFault],
  ["DELETE", at("faults(?:/(\\d+))?"), removeFaults],
  ["POST", at("account"), changeAccount],
  ["POST", at("clock"), moveClock],
];

function requestsSince(world: World, since: number): Json {
  return world.requests.filter((request) => request.n > since).map((request) => ({ ...request }));
}

function plant(world: World, body: Json): ApiResponse {
  const instance = plantInstance(world, z.record(z.string(), z.json()).parse(body));
  return json(200, { id: instance.id });
}

/** By id, or `any`: the newest live one. */
function chosen(world: World, which: string): Instance | null {
  if (which !== "any") return world.instances.get(Number(which)) ?? null;
  return [...world.live.values()].at(-1) ?? null;
}

function showOne(world: World, which: string): ApiResponse {
  const instance = chosen(world, which);
  return instance ? json(200, dumpInstance(world, instance)) : notFound(`instance ${which}`);
}

function happen({ world, body, parts, advance }: Order): ApiResponse {
  const [which = "", name = ""] = parts;
  const instance = chosen(world, which);
  const event = EVENTS.get(name);
  if (!instance) return notFound(`instance ${which}`);
  if (!event) return notFound(`event ${name}; there are ${[...EVENTS.keys()].join(", ")}`);
  event(world, instance, z.record(z.string(), z.unknown()).parse(body));
  advance();
  return json(200, { id: instance.id });
}

function ownTemplate(world: World, nameOrId: string): Template | undefined {
  return world.templates.find(
    (one) => one.creatorId === world.account.id && (one.content.name === nameOrId || String(one.id) === nameOrId),
  );
}

function changeTemplate({ world, body, parts }: Order): ApiResponse {
  const template = ownTemplate(world, parts[0] ?? "");
  if (!template) return notFound(`own template ${parts[0]}`);
  editTemplate(world, template, z.record(z.string(), z.json()).parse(body));
  return json(200, { hash_id: templateHash(template), template: templateRow(template) });
}

function removeTemplate({ world, parts }: Order): ApiResponse {
  const template = ownTemplate(world, parts[0] ?? "");
  if (!template) return notFound(`own template ${parts[0]}`);
  deleteTemplate(world, template);
  return json(200, { id: template.id });
}

const hostSchema = z.strictObject({
  neverBoots: z.boolean().optional(),
  bootSeconds: z.number().min(0).nullable().optional(),
});

function ruleHost({ world, body, parts }: Order): ApiResponse {
  const id = Number(parts[0]);
  const given = hostSchema.parse(body);
  const before = world.hosts.get(id) ?? { neverBoots: false, bootSeconds: null };
  const rule = {
    neverBoots: given.neverBoots ?? before.neverBoots,
    bootSeconds: given.bootSeconds === undefined ? before.bootSeconds : given.bootSeconds,
  };
  world.hosts.set(id, rule);
  if (before.neverBoots && !rule.neverBoots) {
    for (const instance of world.live.values()) if (instance.machine.hostId === id) unhold(world, instance);
  }
  return json(200, { id, ...rule });
}

function changeSettings({ world, body }: Order): ApiResponse {
  const given = settingsSchema.partial().parse(body);
  world.settings = {
    ...world.settings,
    ...(Object.fromEntries(Object.entries(given)) as Partial<typeof world.settings>),
  };
  return json(200, world.settings as unknown as Json); // plain data
}

function offersOf(world: World): Json {
  const basis = { storageGb: 0, bid: false, address: world.settings.advertise, now: seconds(world) };
  return [...world.market.offers.values()].map((offer) => offerRow(offer, basis));
}

/** The whole market is replaced; instances keep the machines they have. */
function replaceOffers({ world, body }: Order): ApiResponse {
  const offers = z.array(partialOfferSchema).parse(body);
  const fresh = emptyMarket(world.market.nextOfferId);
  fresh.withdrawn = new Map([...world.market.withdrawn, ...world.market.offers]);
  world.market = fresh;
  for (const offer of offers) addNamedOffer(fresh, offer, world.random, seconds(world));
  return json(200, offersOf(world));
}

/** Another customer rents the offer: the next create that names it is refused. */
function rentOut({ world, parts }: Order): ApiResponse {
  const offer = world.market.offers.get(Number(parts[0]));
  if (!offer) return notFound(`offer ${parts[0]}`);
  take(world.market, offer.machine, offer.gpus, "stranger", world.random, seconds(world));
  return json(200, { id: offer.id });
}

function addFault({ world, body }: Order): ApiResponse {
  const rule: FaultRule = { ...faultSchema.parse(body), id: world.nextFaultId++, hits: 0, skipped: 0 };
  world.faults.push(rule);
  return json(200, { id: rule.id });
}

function removeFaults({ world, parts }: Order): ApiResponse {
  const id = parts[0] ?? "";
  const before = world.faults.length;
  world.faults = id === "" ? [] : world.faults.filter((fault) => String(fault.id) !== id);
  return json(200, { removed: before - world.faults.length });
}

const accountSchema = z.strictObject({
  /** $ that can be spent from now on. */
  credit: z.number().optional(),
  key: z.string().min(1).optional(),
  keyRevoked: z.boolean().optional(),
  scopes: z.array(z.string()).nullable().optional(),
  twoFactor: z.boolean().optional(),
  spendLimited: z.boolean().optional(),
  missingBilling: z.boolean().optional(),
});

function changeAccount({ world, body, advance }: Order): ApiResponse {
  const { credit, ...given } = accountSchema.parse(body);
  Object.assign(world.account, given);
  if (credit !== undefined) world.account.credit += credit - spendable(world);
  watchCredit(world);
  advance();
  const { key: _, ...shown } = world.account;
  return json(200, { ...shown, spendable: spendable(world) });
}

function moveClock({ world, body, advance }: Order): ApiResponse {
  const { advanceSeconds } = z.strictObject({ advanceSeconds: z.number().min(0) }).parse(body);
  world.offsetMs += advanceSeconds * 1000;
  advance();
  return json(200, { now: new Date(world.time).toISOString() });
}
