// Rents an offer: checks the request, merges the template, takes the GPUs, starts the instance. Not idempotent, like the real API.

import { spendable } from "../instances/billing.ts";
import { newContract } from "../instances/contract.ts";
import { boot } from "../instances/lifecycle.ts";
import { numberOrNull, textOrNull } from "../json.ts";
import { type Offer, take } from "../market/offer.ts";
import { gpuPerHour } from "../market/offer-row.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { Template } from "../templates/template.ts";
import { seconds, type World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { specFor } from "./container-spec.ts";

export const SMALLEST_DISK_GB = 8;
const DEFAULT_DISK_GB = 8;
const LONGEST_LABEL = 256;
const BID_MIN = 0.001;
const BID_MAX = 128;
/** How long another customer who was faster keeps the GPUs: rentals usually last hours. */
const STRANGER_STAYS_MS = 6 * 3_600_000;

export function createInstance(world: World, call: Call): ApiResponse {
  const ask = call.id;
  const body = fields(call);
  const invalid = (msg: string, error = "invalid_args") => refusal(400, error, msg, { ask_id: ask });
  const { account, market } = world;
  if (account.spendLimited) return invalid("New accounts are limited in how fast they may spend.", "spend_rate_limit");
  if (spendable(world) <= 0) return invalid("You lack credit, see the billing page.", world.settings.noCreditSlug);

  const label = textOrNull(body.label);
  if (label !== null && label.length > LONGEST_LABEL) return invalid("error 400/3471: Invalid args: len(label) > 256");
  const price = numberOrNull(body.price);
  if (body.price !== undefined && body.price !== null && (price === null || price < BID_MIN || price > BID_MAX)) {
    return invalid("error 400/3469: Invalid args: price must be between 0.001 and 128", "invalid_price");
  }
  if (body.vm === true && world.sshKeys.length === 0)
    return invalid("A VM needs an ssh key in the account.", "no_ssh_key_for_vm");
  const made = specFor(world, body);
  if (!made.ok) return invalid(made.problem);
  const { spec, template } = made.value;
  const disk = numberOrNull(body.disk) ?? numberOrNull(template?.content.recommended_disk_space) ?? DEFAULT_DISK_GB;
  if (disk < SMALLEST_DISK_GB) return invalid("error 400/3468: Invalid args: disk must be at least 8");

  const known = market.offers.get(ask) ?? market.withdrawn.get(ask);
  const targetStopped = body.target_state === "stopped";
  const cancelUnavailable =
    typeof body.cancel_unavail === "boolean" ? body.cancel_unavail : price === null && !targetStopped;
  if (!known) return taken(world, ask, cancelUnavailable);
  if (price !== null) outbidByStranger(world, known, price);
  const outbid = price !== null && price < gpuPerHour(known, true);
  if (outbid && world.settings.lowBid === "no_such_ask") return taken(world, ask, cancelUnavailable);
  if (!outbid && !targetStopped && market.offers.has(ask)) loseToStranger(world, known);
  const free = market.offers.has(ask) && disk <= known.machine.diskGb; // GPUs that are listed again have another offer id
  if (!free && cancelUnavailable) return taken(world, ask, cancelUnavailable);

  const instance = newContract(world, {
    askId: ask,
    machine: known.machine,
    cards: known.gpus,
    spec,
    label,
    disk,
    imageLogin: textOrNull(body.image_login) ?? loginOf(template),
    gpuPerHour: price ?? gpuPerHour(known, false),
    isBid: price !== null,
  });
  if (template) {
    template.countCreated += 1;
    template.recentCreateDate = seconds(world);
  }
  if (call.effect?.kind === "no-row") instance.visibleAt = Number.POSITIVE_INFINITY;
  if (call.effect?.kind === "late-row") instance.visibleAt = world.time + call.effect.seconds * 1000;
  const answer = { success: true, new_contract: instance.id, instance_api_key: instance.apiKey };
  if (targetStopped || outbid || !free) {
    Object.assign(instance, { curState: "stopped", nextState: "stopped" });
    if (targetStopped) instance.intendedStatus = "stopped";
    else instance.startQueued = true;
    const isTold = outbid && world.settings.lowBid === "stopped-contract";
    return json(200, isTold ? { ...answer, success: false, msg: "bid is below the current minimum" } : answer);
  }
  take(market, known.machine, known.gpus, instance.id, world.random, seconds(world));
  boot(world, instance);
  return json(200, answer);
}

/** Another customer may have been faster, with the probability in the settings. */
function loseToStranger(world: World, offer: Offer): void {
  const { offerGoneProbability } = world.settings;
  if (offerGoneProbability === 0 || !world.faultRandom.chance(offerGoneProbability)) return;
  const { machine, gpus } = offer;
  if (!take(world.market, machine, gpus, "stranger", world.random, seconds(world))) return;
  world.agenda.add(world.time + STRANGER_STAYS_MS, () => {
    for (const card of gpus) if (machine.holders[card] === "stranger") machine.holders[card] = null;
    take(world.market, machine, [], null, world.random, seconds(world)); // lists what is free now
  });
}

/** Another customer may have bid more since the search, with the probability in the settings. */
function outbidByStranger(world: World, { machine, gpus }: Offer, price: number): void {
  const { outbidAtCreateProbability } = world.settings;
  if (outbidAtCreateProbability === 0 || !world.faultRandom.chance(outbidAtCreateProbability)) return;
  machine.minBid = Math.max(machine.minBid, (price / gpus.length) * 1.1);
}

/** The errors for an offer that is gone; all have been observed or are documented. */
function taken(world: World, ask: number, cancelUnavailable: boolean): ApiResponse {
  const inMessage = `error 404/3603: no_such_ask Instance type by id ${ask} is not available.`;
  const status = world.settings.takenOfferStatus;
  if (status === 410 && cancelUnavailable) {
    const msg = `error 410/3907: no_such_ask Instance type ${ask} is no longer available.`;
    return refusal(410, "no_such_ask", msg, { ask_id: ask });
  }
  if (status === "no-ask") return refusal(404, "no_such_ask", `No ask by id ${ask} is available.`, { ask_id: ask });
  return refusal(status === 404 ? 404 : 400, "invalid_args", inMessage, { ask_id: ask });
}

function loginOf(template: Template | null): string | null {
  if (!template?.dockerLogin) return null;
  const { user, password } = template.dockerLogin;
  return `-u ${user} -p ${password} ${String(template.content.docker_login_repo ?? "")}`;
}
