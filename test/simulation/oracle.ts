// A program that knows what the emulator knows, also whether and when an instance comes back by itself. It runs in the provisioner's
// place and acts through the same client, rate limits, faults and kills; it keeps no lease and confirms nothing. What it still pays for
// nobody cannot be avoided: a bound, not a policy. In its second form it has to read from the API where an instance answers: nobody can
// route to what nobody has told it. Touches the emulator, which it reads, and what it is handed.
import { isFileSystemError } from "../../common/errors.ts";
import type { Server } from "../../common/upstream-file.ts";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { type Bid, worthReplacingBelow } from "../../provisioner/model/bid.ts";
import { chooseEndpoint, type Endpoint } from "../../provisioner/model/endpoint.ts";
import { createPublisher, type Publisher } from "../../provisioner/publish/publish.ts";
import { atBid } from "../../provisioner/search/bids.ts";
import { requirements, searchBody } from "../../provisioner/search/requirements.ts";
import type { ProvisionerSettings } from "../../provisioner/settings.ts";
import { type CreateRequest, createVastClient, type VastClient } from "../../provisioner/vast/client.ts";
import { VastError } from "../../provisioner/vast/errors.ts";
import { createPacing } from "../../provisioner/vast/pacing.ts";
import { type Offer, readTemplate } from "../../provisioner/vast/rows.ts";
import { createTransport } from "../../provisioner/vast/transport.ts";
import type { Emulator } from "../emulator/emulator.ts";
import { chargesCards, diskPerHour, spendable } from "../emulator/instances/billing.ts";
import { isListening } from "../emulator/instances/endpoints.ts";
import { pullOf } from "../emulator/instances/images.ts";
import type { Instance } from "../emulator/instances/instance.ts";
import { templateHash, templateRow } from "../emulator/templates/template.ts";
import { seconds, type World } from "../emulator/world.ts";
import type { Fates } from "./fates.ts";
import type { Program } from "./pod.ts";

const LOOK_MS = 1000;
// A typical boot. While an instance is charged, half of it is the price of the service that a replacement costs.
const BOOT_MS = 90_000;
const HOUR_MS = 3_600_000;
// The default port of the template.
const APP_PORT = 8000;

export interface OracleParts {
  emulator: Emulator;
  fates(): Fates;
  /** It serves an instance only at the address that a list has shown. */
  readsAddresses: boolean;
}

export function createOracle({ emulator, fates, readsAddresses }: OracleParts): Program {
  const { world } = emulator;
  /** What lists have shown, by the id of the instance. Nothing is forgotten when a process ends. */
  const shown = new Map<number, Endpoint>();
  return async (settings, dependencies, stop) => {
    const { clock, disk } = dependencies;
    const { desired, podName, upstreamPath, drainMs, limits, onTerminate } = settings;
    const client = clientOf(settings, dependencies);
    const publisher = createPublisher(upstreamPath, podName, clock, () => 0, disk);
    await publisher.start();
    /** Those that must not be served any more. */
    const given = new Set<number>();
    /** Those that were outbid while another one was much cheaper. */
    const dear = new Set<number>();

    const own = () => [...world.live.values()].filter(({ label }) => label === desired.label);

    function isDead(instance: Instance): boolean {
      if (isListening(instance)) return false;
      if (!canPull(instance.spec.image)) return true;
      const hostIsBad = world.hosts.get(instance.machine.hostId)?.neverBoots === true;
      if (hostIsBad && instance.actualStatus !== "running") return true;
      if (higherBid(instance, settings) !== null && spendable(world) > 0 && !dear.has(instance.id)) return false;
      const backAt = fates().backAt(instance.id);
      // Nobody starts again what was stopped when the credit was used up. Everything else is on its way.
      if (backAt === null) return instance.curState === "stopped";
      const appMs = world.settings.appSeconds * 1000;
      return backAt - world.time > appMs + (chargesCards(instance) ? BOOT_MS / 2 : BOOT_MS);
    }

    const canPull = (image: string) => pullOf(image, world.settings).failure === null;

    function isWanted({ spec }: Instance): boolean {
      const template = world.templates.find((one) => one.creatorId === world.account.id);
      const reported = world.settings.images[spec.image]?.runningAs ?? spec.image;
      const right = spec.image === desired.image || reported === desired.image;
      return right && template !== undefined && spec.templateHash === templateHash(template);
    }

    /** The one to keep: that answers, is as wanted, and is the oldest. */
    function best(): Instance | null {
      const rank = (one: Instance) => Number(isWanted(one)) * 2 + Number(isListening(one));
      const alive = own().filter((one) => !isDead(one) && !given.has(one.id));
      return alive.sort((a, b) => rank(b) - rank(a) || a.id - b.id)[0] ?? null;
    }

    async function serve(): Promise<void> {
      const kept = best();
      await publish(publisher, kept, kept !== null && isShown(kept) ? serverOf(kept, settings) : null);
    }

    function isShown(instance: Instance): boolean {
      const server = serverOf(instance, settings);
      const last = shown.get(instance.id);
      return !readsAddresses || (last?.host === server?.host && last?.port === server?.port);
    }

    async function readAddresses(): Promise<void> {
      const kept = best();
      if (kept === null || isShown(kept)) return;
      for (const row of await client.listInstances(desired.label, stop, { retryRateLimited: false })) {
        const choice = chooseEndpoint(row, desired.upstreamPort, 0);
        if (choice.found) shown.set(row.id, choice.endpoint);
      }
    }

    /** Until nginx has let go of it, and its requests have had their time. */
    async function withdraw(instance: Instance): Promise<void> {
      const served = isListening(instance);
      given.add(instance.id);
      await serve();
      for (let waited = 0; waited < 10_000; waited += 200) {
        const applied = await dependencies.askReloader(stop);
        if (applied !== null && applied.server?.port !== serverOf(instance, settings)?.port) break;
        await clock.sleep(200);
      }
      if (served) await clock.sleep(drainMs);
    }

    async function end(instance: Instance): Promise<void> {
      await withdraw(instance);
      try {
        await client.destroyInstance(instance.id, () => true);
      } finally {
        if (world.live.has(instance.id)) given.delete(instance.id);
      }
    }

    async function act(): Promise<void> {
      if (refusesAll(world)) return;
      const kept = best();
      const extra = own().find((one) => one !== kept);
      if (extra !== undefined) return end(extra);
      const bid = kept === null ? null : higherBid(kept, settings);
      if (kept !== null && bid !== null) {
        if (!(await isCheaperElsewhere(client, world, settings, kept, bid)))
          return client.changeBid(kept.id, bid, () => true);
        dear.add(kept.id);
        return;
      }
      // With a typo in its name, nothing would come up. What serves is kept until it is corrected.
      if (!canPull(desired.image)) return;
      if (!mayCreate(world, desired.label, limits.maxCreatesPerHour)) return;
      if (kept === null) return create(client, world, settings);
      if (!isWanted(kept)) await end(kept);
    }

    const forever = async (work: () => Promise<void>) => {
      while (!stop.aborted) {
        emulator.advance(); // its clock stands still between calls
        await ignoringFaults(work);
        await clock.sleep(LOOK_MS, stop);
      }
    };
    await Promise.all([forever(serve), forever(act), ...(readsAddresses ? [forever(readAddresses)] : [])]);
    if (onTerminate !== "destroy") return true;
    // Until SIGKILL.
    while (own().length > 0) {
      for (const instance of own()) await ignoringFaults(() => end(instance));
      await clock.sleep(LOOK_MS);
    }
    return true;
  };
}

function clientOf(settings: ProvisionerSettings, { clock, adapter, random }: Dependencies): VastClient {
  const pacing = createPacing(clock, random);
  const { secrets, vastUrl } = settings;
  const network = { baseUrl: vastUrl, apiKey: secrets.apiKey, clock, pacing, ...(adapter ? { adapter } : {}) };
  return createVastClient(createTransport(network));
}

async function ignoringFaults(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof VastError) && !isFileSystemError(error)) throw error;
  }
}

/** Nothing that is sent would be done. */
function refusesAll(world: World): boolean {
  const { keyRevoked, scopes, sessionExpired, twoFactor } = world.account;
  return keyRevoked || sessionExpired || twoFactor || (scopes !== null && !scopes.includes("instance_write"));
}

function mayCreate(world: World, label: string, most: number): boolean {
  if (world.account.spendLimited || spendable(world) <= 0) return false;
  const made = [...world.instances.values()].filter((one) => one.label === label);
  return made.filter(({ createdAt }) => createdAt > world.time - HOUR_MS).length < most;
}

/** The bid that brings back an instance that was outbid; null: it was not, or no bid under the ceiling does. */
function higherBid(instance: Instance, { limits }: ProvisionerSettings): number | null {
  const { maxDollarsPerHour: most, bidding } = limits;
  if (bidding === null || most === undefined || !instance.isBid || instance.curState !== "stopped") return null;
  const wins = instance.machine.minBid * instance.cards.length;
  return wins + diskPerHour(instance) <= most ? Math.max(wins, instance.gpuPerHour) : null;
}

interface Rentable {
  request: CreateRequest;
  machineId: number;
  dollarsPerHour: number | null;
}

/** What a create rents. Null: there is nothing, or a bid would lose. */
async function rentable(client: VastClient, world: World, settings: ProvisionerSettings): Promise<Rentable | null> {
  const { desired, query } = settings;
  const row = world.templates.find((one) => one.creatorId === world.account.id);
  const template = row === undefined ? null : readTemplate(templateRow(row));
  if (template === null) return null;
  const { maxDollarsPerHour } = settings.limits;
  const bidding = worthBidding(world, settings);
  if (bidding === "wait") return null;
  const needs = requirements(template, maxDollarsPerHour, [], bidding?.bid);
  const found = await client.searchOffers(searchBody(query, needs, []));
  const offers = bidding === null ? found : biddable(found, bidding.bid, maxDollarsPerHour);
  const { label, image } = desired;
  for (const { id, bid, dollarsPerHour } of offers) {
    const offer = world.market.offers.get(id);
    const { machine } = offer ?? {};
    if (machine === undefined || world.hosts.get(machine.hostId)?.neverBoots || machine.endDate <= seconds(world))
      continue;
    const price = bid === undefined ? {} : { bid };
    const request = { offerId: id, templateHash: template.hash, image, label, diskSpace: needs.diskGb, ...price };
    return { request, machineId: machine.id, dollarsPerHour };
  }
  return null;
}

async function create(client: VastClient, world: World, settings: ProvisionerSettings): Promise<void> {
  const found = await rentable(client, world, settings);
  if (found !== null) await client.createInstance(found.request, () => true);
}

/** As the provisioner: whether another machine is worth its boot, and two creates are left. A search that fails prevents no raise. */
async function isCheaperElsewhere(
  client: VastClient,
  world: World,
  settings: ProvisionerSettings,
  kept: Instance,
  bid: number,
): Promise<boolean> {
  if (!mayCreate(world, settings.desired.label, settings.limits.maxCreatesPerHour - 1)) return false;
  try {
    const found = await rentable(client, world, settings);
    const price = found === null || found.machineId === kept.machine.id ? null : found.dollarsPerHour;
    return price !== null && price < worthReplacingBelow(bid + diskPerHour(kept), BOOT_MS);
  } catch (error) {
    if (error instanceof VastError) return false;
    throw error;
  }
}

/** Null: rent on demand. Each bid that loses makes others dearer: where none wins, none is made, and the pod falls back or waits. */
function worthBidding({ settings: { outbidAtCreateProbability } }: World, { limits }: ProvisionerSettings) {
  if (limits.bidding === null || outbidAtCreateProbability < 1) return limits.bidding;
  return limits.bidding.fallsBack ? null : "wait";
}

/** The cheapest first, by the price that is really paid. */
function biddable(found: readonly Offer[], bid: Bid, most: number | undefined): Offer[] {
  const offers = found.map((one) => atBid(one, bid, most)).filter((one) => one.bid !== undefined);
  return offers.toSorted((a, b) => (a.dollarsPerHour ?? 0) - (b.dollarsPerHour ?? 0));
}

function serverOf(instance: Instance, { desired }: ProvisionerSettings): Server | null {
  if (!isListening(instance) || instance.ip === null) return null;
  const wanted = desired.upstreamPort ?? APP_PORT;
  const port = instance.ports?.find(({ container, protocol }) => container === wanted && protocol === "tcp");
  return port === undefined ? null : { scheme: "http", host: instance.ip.trim(), port: port.host };
}

async function publish(publisher: Publisher, kept: Instance | null, server: Server | null): Promise<void> {
  const instance =
    kept === null
      ? null
      : { id: kept.id, hostId: null, machineId: null, image: kept.spec.image, templateHash: kept.spec.templateHash };
  const state = server === null ? "provisioning" : "ready";
  await publisher.publish({
    state,
    reason: server === null ? "instance_starting" : "instance_ready",
    message: "",
    server,
    instance,
  });
}
