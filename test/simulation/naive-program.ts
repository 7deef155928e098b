// What many people write first: a loop that lists every 5 s and creates when there is no instance. It knows no rate limits and no
// other pods; the bench runs it in the provisioner's place. Touches what it is handed.
import type { Server } from "../../common/upstream-file.ts";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { chooseEndpoint } from "../../provisioner/model/endpoint.ts";
import { createPublisher, type Publisher } from "../../provisioner/publish/publish.ts";
import { requirements, searchBody } from "../../provisioner/search/requirements.ts";
import type { ProvisionerSettings } from "../../provisioner/settings.ts";
import { createVastClient, type VastClient } from "../../provisioner/vast/client.ts";
import { VastError } from "../../provisioner/vast/errors.ts";
import type { Pacing } from "../../provisioner/vast/pacing.ts";
import type { Instance, Template } from "../../provisioner/vast/rows.ts";
import { createTransport } from "../../provisioner/vast/transport.ts";

const EVERY_MS = 5000;
// It is not the template that such a program is about: it is read half as often as a minute's worth of lists.
const TEMPLATE_EVERY_MS = 30_000;

const AT_ONCE: Pacing = {
  acquire: async () => 0,
  takeTurn: async () => undefined,
  left: () => undefined,
  availableAt: () => 0,
  blockUntil: () => undefined,
  succeeded: () => undefined,
  failed: () => undefined,
};

export async function naiveProgram(
  settings: ProvisionerSettings,
  { clock, adapter, disk, probe }: Dependencies,
  stop: AbortSignal,
): Promise<boolean> {
  const { desired, query, podName, secrets, upstreamPath, vastUrl } = settings;
  const network = { baseUrl: vastUrl, apiKey: secrets.apiKey, clock, pacing: AT_ONCE, ...(adapter ? { adapter } : {}) };
  const client = createVastClient(createTransport(network));
  const publisher = createPublisher(upstreamPath, podName, clock, () => 0, disk);
  await publisher.start();
  let template: { read: Template; at: number } | null = null;

  async function pass(): Promise<void> {
    if (template === null || clock.now() - template.at >= TEMPLATE_EVERY_MS) {
      const read = await client.findTemplate(desired.templateName, stop, { retryRateLimited: false });
      if (read === null) return;
      template = { read, at: clock.now() };
    }
    const [row] = await client.listInstances(desired.label, stop, { retryRateLimited: false });
    if (row === undefined) {
      await publish(publisher, null, null);
      await create(client, template.read);
    } else if (row.templateHash !== template.read.hash) {
      await publish(publisher, row, null);
      await client.destroyInstance(row.id, () => true, stop);
    } else {
      await publish(publisher, row, await serverOf(row));
    }
  }

  async function create(api: VastClient, from: Template): Promise<void> {
    const needs = requirements(from, undefined, []);
    const [offer] = await api.searchOffers(searchBody(query, needs, []), stop);
    if (offer === undefined) return;
    const { image, label } = desired;
    const request = { offerId: offer.id, templateHash: from.hash, image, label, diskSpace: needs.diskGb };
    await api.createInstance(request, () => true, stop);
  }

  async function serverOf(row: Instance): Promise<Server | null> {
    const chosen = chooseEndpoint(row, desired.upstreamPort, 0);
    if (!chosen.found) return null;
    const { ok } = await probe(chosen.endpoint, row.id, stop);
    return ok ? { scheme: "http", ...chosen.endpoint } : null;
  }

  while (!stop.aborted) {
    await pass().catch((error: unknown) => {
      if (!(error instanceof VastError)) throw error;
    });
    await clock.sleep(EVERY_MS, stop);
  }
  return true;
}

async function publish(publisher: Publisher, row: Instance | null, server: Server | null): Promise<void> {
  const { id = 0, hostId = null, machineId = null, image = "", templateHash = null } = row ?? {};
  const instance = row === null ? null : { id, hostId, machineId, image, templateHash };
  const state = server === null ? "provisioning" : "ready";
  await publisher.publish({ state, reason: "instance_ready", message: "", server, instance });
}
