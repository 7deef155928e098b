// Control commands for everything but single instances: templates, hosts, market, faults, account, settings, clock.
import { z } from "zod";
import { deleteTemplate, editTemplate } from "../api/template-calls.ts";
import { spendable } from "../instances/billing.ts";
import { unhold, watchCredit } from "../instances/lifecycle.ts";
import type { JsonObject } from "../json.ts";
import { emptyMarket, take } from "../market/offer.ts";
import { offerRow } from "../market/offer-row.ts";
import { addNamedOffer, partialOfferSchema } from "../market/seed.ts";
import { type ApiResponse, json } from "../message.ts";
import { settingsSchema } from "../settings.ts";
import { type Template, templateHash, templateRow } from "../templates/template.ts";
import { seconds, type World } from "../world.ts";
import { type ControlCommand, notFound } from "./control-command.ts";
import { type FaultRule, faultSchema } from "./fault-rule.ts";

function ownTemplate(world: World, nameOrId: string): Template | undefined {
  return world.templates.find(
    (one) => one.creatorId === world.account.id && (one.content.name === nameOrId || String(one.id) === nameOrId),
  );
}

export function changeTemplate({ world, body, parts }: ControlCommand): ApiResponse {
  const template = ownTemplate(world, parts[0] ?? "");
  if (!template) return notFound(`own template ${parts[0]}`);
  editTemplate(world, template, z.record(z.string(), z.json()).parse(body));
  return json(200, { hash_id: templateHash(template), template: templateRow(template) });
}

export function removeTemplate({ world, parts }: ControlCommand): ApiResponse {
  const template = ownTemplate(world, parts[0] ?? "");
  if (!template) return notFound(`own template ${parts[0]}`);
  deleteTemplate(world, template);
  return json(200, { id: template.id });
}

const hostSchema = z.strictObject({
  neverBoots: z.boolean().optional(),
  bootSeconds: z.number().min(0).nullable().optional(),
});

export function setHostRule({ world, body, parts }: ControlCommand): ApiResponse {
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

export function changeSettings({ world, body }: ControlCommand): ApiResponse {
  const given = z.record(z.string(), z.json()).parse(body);
  world.settings = settingsSchema.parse({ ...world.settings, ...given });
  return json(200, world.settings);
}

export function showOffers({ world }: ControlCommand): ApiResponse {
  return json(200, offersOf(world));
}

function offersOf(world: World): JsonObject[] {
  const basis = { storageGb: 0, bid: false, prepaid: false, address: world.settings.advertise, now: seconds(world) };
  return [...world.market.offers.values()].map((offer) => offerRow(offer, basis));
}

/** Replaces the whole market; instances keep their machines. */
export function replaceOffers({ world, body }: ControlCommand): ApiResponse {
  const offers = z.array(partialOfferSchema).parse(body);
  const fresh = emptyMarket(world.market.nextOfferId);
  fresh.withdrawn = new Map([...world.market.withdrawn, ...world.market.offers]);
  world.market = fresh;
  for (const offer of offers) addNamedOffer(fresh, offer, world.random, seconds(world));
  return json(200, offersOf(world));
}

/** Another customer rents the offer: the next create that names it is refused. */
export function rentOut({ world, parts }: ControlCommand): ApiResponse {
  const offer = world.market.offers.get(Number(parts[0]));
  if (!offer) return notFound(`offer ${parts[0]}`);
  take(world.market, offer.machine, offer.gpus, "stranger", world.random, seconds(world));
  return json(200, { id: offer.id });
}

export function addFault({ world, body }: ControlCommand): ApiResponse {
  const rule: FaultRule = { ...faultSchema.parse(body), id: world.nextFaultId++, hits: 0, skipped: 0 };
  world.faults.push(rule);
  return json(200, { id: rule.id });
}

export function removeFaults({ world, parts }: ControlCommand): ApiResponse {
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
  sessionExpired: z.boolean().optional(),
  scopes: z.array(z.string()).nullable().optional(),
  twoFactor: z.boolean().optional(),
  spendLimited: z.boolean().optional(),
  missingBilling: z.boolean().optional(),
});

export function changeAccount({ world, body, advance }: ControlCommand): ApiResponse {
  const { credit, ...given } = accountSchema.parse(body);
  Object.assign(world.account, given);
  if (credit !== undefined) world.account.credit += credit - spendable(world);
  watchCredit(world);
  advance();
  const { key: _, ...shown } = world.account;
  return json(200, { ...shown, spendable: spendable(world) });
}

export function moveClock({ world, body, advance }: ControlCommand): ApiResponse {
  const { advanceSeconds } = z.strictObject({ advanceSeconds: z.number().min(0) }).parse(body);
  world.offsetMs += advanceSeconds * 1000;
  advance();
  return json(200, { now: new Date(world.time).toISOString() });
}
