// Records what really happens: reads the emulator and each pod's nginx after every event. Changes neither, except that it
// updates bills.

import type { Server } from "../../common/upstream-file.ts";
import type { Emulator } from "../emulator/emulator.ts";
import { settle, total } from "../emulator/instances/billing.ts";
import { isListening } from "../emulator/instances/endpoints.ts";
import { pullOf } from "../emulator/instances/images.ts";
import { type Instance, isLive } from "../emulator/instances/instance.ts";
import { instanceRow } from "../emulator/instances/row.ts";
import { isObject, parseJson } from "../emulator/json.ts";
import type { ApiRequest, ApiResponse } from "../emulator/message.ts";
import { templateHash } from "../emulator/templates/template.ts";
import { bidOf } from "./bid-truth.ts";
import type { ContractTruth, Span, Truth } from "./emulator-truth.ts";
import { kindOf } from "./network.ts";
import { searchOf } from "./search-truth.ts";

/** What the recorder reads of a pod. */
export interface WatchedPod {
  /** The server that its nginx routes to. */
  serves(): Server | null;
  /** Its desired image, and since when. */
  image(): { name: string; since: number };
  /** False while nothing comes through from it to its instances. */
  reaches(): boolean;
}

export interface Recorder {
  readonly truth: Truth;
  /** To be called after every possible change. */
  observe(): void;
  /** A pod sends a call. */
  sent(pod: number, request: ApiRequest): void;
  /** The API has executed a call. */
  arrived(pod: number, request: ApiRequest, answer: ApiResponse): void;
  probed(host: string, port: number, ok: boolean): void;
  /** Ends open spans. */
  close(): void;
}

interface Seen {
  instance: Instance;
  contract: ContractTruth;
  paid: number;
  answersSince: number | null;
  servesNow: boolean;
  /** Where it is reached and whose it is, as last seen. */
  last: Pick<Instance, "ip" | "ports" | "label">;
}

export interface RecorderParts {
  emulator: Emulator;
  now(): number;
  pods: readonly WatchedPod[];
  truth: Truth;
  /** Called when an instance answers, is reached or ends otherwise than before. */
  changed(instanceId: number): void;
  /** Adds a line to the timeline. */
  record(pod: number | null, text: string): void;
}

// Between two probes of an instance there are at most 15 s, and the calls of a pass. After a longer time nobody knows what was in between.
const UNSEEN_MS = 40_000;

export function createRecorder(parts: RecorderParts): Recorder {
  const { emulator, now, pods, truth, record } = parts;
  const { world } = emulator;
  const seen = new Map<number, Seen>();
  const open = new Map<number, Seen>();
  const podByLabel = new Map(truth.pods.map((pod, index) => [pod.label, index]));
  let servers: readonly (Server | null)[] = [];
  let reached = pods.map(() => true);
  const failedProbes = new Map<string, { at: number; failingMs: number }>();
  /** Of the instances that calls are about, before they arrived: a call may write the label. */
  const labels = new WeakMap<ApiRequest, string | null>();
  const deleteSent = new Set<number>();
  const prepared = new Map<number, string>();
  let known = 0;
  let hashed: { content: unknown; value: string } = { content: null, value: "" };
  let hash = { value: desiredHash(), since: now() };

  function desiredHash(): string {
    const own = world.templates.find((one) => one.creatorId === world.account.id);
    if (own === undefined) return "";
    if (hashed.content !== own.content) hashed = { content: own.content, value: templateHash(own) };
    return hashed.value;
  }

  function addNewInstances(): void {
    if (world.instances.size === known) return;
    known = world.instances.size;
    for (const instance of world.instances.values()) {
      if (seen.has(instance.id)) continue;
      const contract: ContractTruth = {
        id: instance.id,
        label: instance.label,
        createdAt: instance.createdAt,
        isBid: instance.isBid,
        endedAt: null,
        endedBy: null,
        visibleAt: instance.visibleAt,
        ends: { at: instance.endDate * 1000, since: now() },
        endsBefore: [],
        answering: [],
        stopped: [],
        paid: { serving: 0, before: 0, after: 0 },
      };
      const last = { ip: null, ports: null, label: null };
      const one: Seen = { instance, contract, paid: 0, answersSince: null, servesNow: false, last };
      seen.set(instance.id, one);
      open.set(instance.id, one);
      truth.contracts.push(contract);
      record(podOf(instance.label), `contract ${instance.id} made, label ${instance.label ?? "none"}`);
    }
  }

  const podOf = (label: string | null) => (label === null ? null : (podByLabel.get(label) ?? null));

  /** Adds what was paid since the last call to what the instance did in that time: to be called before it does something else. */
  function recordBill(one: Seen): void {
    settle(world, one.instance);
    const dollars = total(one.instance.bill);
    const { paid } = one.contract;
    if (one.servesNow) paid.serving += dollars - one.paid;
    else if (paid.serving > 0 || one.contract.paid.after > 0) paid.after += dollars - one.paid;
    else paid.before += dollars - one.paid;
    one.paid = dollars;
  }

  function recordAnswers(one: Seen, answers: boolean): void {
    one.answersSince = answers ? now() : null;
    const { answering } = one.contract;
    const last = answering.at(-1);
    if (answers) answering.push({ from: now(), to: Number.POSITIVE_INFINITY });
    else if (last !== undefined) last.to = now();
  }

  function followOpen(spans: Span[], isNow: boolean): void {
    const last = spans.at(-1);
    const open = last !== undefined && last.to === Number.POSITIVE_INFINITY ? last : null;
    if (isNow && open === null) spans.push({ from: now(), to: Number.POSITIVE_INFINITY });
    if (!isNow && open !== null) open.to = now();
  }

  /** True if it is reached elsewhere, or is somebody else's, than when it was last seen. */
  function hasMoved({ instance, last }: Seen): boolean {
    const { ip, ports, label } = instance;
    return ip !== last.ip || ports !== last.ports || label !== last.label;
  }

  /** What answers at each address and port, in the order of the creates. */
  function listeners(): Map<string, Instance[]> {
    const found = new Map<string, Instance[]>();
    for (const { instance, answersSince } of open.values()) {
      if (answersSince === null) continue;
      for (const { host, container } of instance.ports ?? []) {
        if (container === 22) continue;
        const address = `${instance.ip?.trim()}:${host}`;
        found.set(address, [...(found.get(address) ?? []), instance]);
      }
    }
    return found;
  }

  function followServing(): void {
    const at = now();
    const served = new Set<number>();
    const answering = listeners();
    truth.pods.forEach((pod, index) => {
      const server = servers[index] ?? null;
      const there = server === null ? [] : (answering.get(`${server.host}:${server.port}`) ?? []);
      const id = there.findLast(({ label }) => label === pod.label)?.id ?? null;
      followOpen(pod.dead, server !== null && there.length === 0);
      followOpen(pod.cutOff, !reached[index]);
      const last = pod.serving.at(-1);
      const before = last !== undefined && last.to === Number.POSITIVE_INFINITY ? last : null;
      if (id !== null && reached[index]) served.add(id);
      if ((before?.id ?? null) === id) return;
      if (before !== null) before.to = at;
      if (id !== null) pod.serving.push({ from: at, to: Number.POSITIVE_INFINITY, id, shows: shownBy(id) });
      record(index, id === null ? "serves nothing any more" : `serves from instance ${id}`);
    });
    for (const one of open.values()) {
      const serves = served.has(one.instance.id);
      if (serves === one.servesNow) continue;
      recordBill(one);
      one.servesNow = serves;
    }
  }

  function shownBy(id: number): string {
    const instance = world.instances.get(id);
    if (instance === undefined) return "";
    const { image_uuid: image, template_hash_id: templateHash } = instanceRow(world, instance);
    return `${image} ${templateHash}`;
  }

  /** The container that the pod's calls prepare and start. */
  function recordUpdate(pod: number, request: ApiRequest, id: number, refused: boolean): void {
    const body = parseJson(request.body);
    if (request.url.includes("/update_template/")) {
      if (isObject(body)) prepared.set(id, `${body.image} ${body.template_hash_id}`);
    } else if (!refused) truth.recycles.push({ at: now(), pod, id, wanted: prepared.get(id) ?? "" });
  }

  /** True if some nginx routes elsewhere, or has lost or found its way, since this was last asked. */
  function routesHaveChanged(): boolean {
    if (pods.every((pod, index) => pod.serves() === servers[index] && pod.reaches() === reached[index])) return false;
    servers = pods.map((pod) => pod.serves());
    reached = pods.map((pod) => pod.reaches());
    return true;
  }

  function observe(): void {
    addNewInstances();
    const value = desiredHash();
    if (value !== hash.value) hash = { value, since: now() };
    let changed = routesHaveChanged();
    for (const one of open.values()) {
      const { id, ip, ports, label } = one.instance;
      const endsAt = one.instance.endDate * 1000;
      if (endsAt !== one.contract.ends.at) {
        one.contract.endsBefore.push(one.contract.ends);
        one.contract.ends = { at: endsAt, since: now() };
      }
      followOpen(
        one.contract.stopped,
        one.instance.isBid && one.instance.curState === "stopped" && isLive(one.instance),
      );
      const answers = isListening(one.instance);
      const answersOtherwise = answers !== (one.answersSince !== null);
      if (!answersOtherwise && !hasMoved(one) && isLive(one.instance)) continue;
      changed = true;
      if (answersOtherwise) recordAnswers(one, answers);
      one.last = { ip, ports, label };
      parts.changed(id);
      if (isLive(one.instance)) continue;
      recordBill(one);
      one.contract.endedAt = one.instance.destroyedAt;
      one.contract.endedBy = one.instance.endedBy;
      open.delete(id);
      record(podOf(one.contract.label), `contract ${id} ended (${one.instance.endedBy})`);
    }
    // Nothing else decides who serves whom, and to find it out for each of a thousand pods takes long.
    if (changed) followServing();
  }

  /** Records the facts by which a destroy is judged, when the pod sends its first DELETE. */
  function recordDestroy(pod: number, id: number): void {
    if (deleteSent.has(id)) return;
    deleteSent.add(id);
    const one = open.get(id);
    if (one === undefined) return;
    const { instance } = one;
    const image = pods[pod]?.image() ?? { name: "", since: now() };
    // What is reported under another name looks wrong to the program.
    const reportedAs = world.settings.images[instance.spec.image]?.runningAs ?? instance.spec.image;
    const right = reportedAs === image.name && instance.spec.templateHash === hash.value;
    const failed = (instance.ports ?? []).flatMap(
      ({ host }) => failedProbes.get(`${instance.ip?.trim()}:${host}`) ?? [],
    );
    const lastFailed = Math.max(0, ...failed.map(({ at }) => at));
    truth.destroys.push({
      at: now(),
      pod,
      id,
      shown: instance.visibleAt <= now(),
      rightForMs: right ? now() - Math.max(image.since, hash.since, instance.createdAt) : null,
      answersForMs: one.answersSince === null ? null : now() - one.answersSince,
      failedProbeMs: lastFailed === 0 ? null : now() - lastFailed,
      failingMs: Math.max(0, ...failed.map(({ failingMs }) => failingMs)),
      endsInMs: instance.endDate * 1000 - now(),
      others: [...open.values()].filter(
        (other) => other.instance.label === instance.label && !deleteSent.has(other.instance.id),
      ).length,
      cannotPull: instance.curState === "running" && pullOf(instance.spec.image, world.settings).failure !== null,
    });
  }

  function recordAcceptedPrice(pod: number, request: ApiRequest): void {
    const body = parseJson(request.body);
    const increase = isObject(body) ? body.pending_price_increase_id : null;
    const instance = [...world.live.values()].find(({ priceIncrease }) => priceIncrease?.id === increase);
    if (!instance?.priceIncrease) return; // it is not pending any more: the call changes nothing
    const { dph_total: total, dph_base: base } = instanceRow(world, instance);
    const dollarsPerHour = instance.priceIncrease.gpuPerHour + Number(total) - Number(base);
    truth.acceptedPrices.push({ at: now(), pod, id: instance.id, label: instance.label, dollarsPerHour });
  }

  return {
    truth,
    observe,
    sent(pod, request) {
      labels.set(request, world.instances.get(idIn(request))?.label ?? null);
      if (kindOf(request) === "destroy") recordDestroy(pod, idIn(request));
      const bid = bidOf(world, request);
      if (bid !== null) truth.bids.push({ at: now(), pod, ...bid });
      if (request.url.includes("/accept-price-increase/")) recordAcceptedPrice(pod, request);
    },
    arrived(pod, request, answer) {
      const search = searchOf(request, answer);
      if (search !== null) truth.searches.push({ at: now(), pod, ...search });
      if (request.method === "GET" || request.method === "POST") return;
      if (kindOf(request) === "create") {
        const before = known;
        addNewInstances();
        const made = known > before ? ([...world.instances.keys()].at(-1) ?? null) : null;
        truth.creates.push({ at: now(), pod, made, uncertain: made === null && isUncertain(answer) });
      } else {
        const id = idIn(request);
        const label = labels.get(request) ?? null;
        const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 404 && !isUncertain(answer);
        const failed = answer.status >= 400 || isUncertain(answer) || saysNo(answer);
        const forbidden = [401, 403].includes(answer.status) && !isUncertain(answer);
        const call = `${request.method} ${request.url}`;
        truth.touches.push({ at: now(), pod, id, label, call, refused, failed, forbidden });
        if (kindOf(request) === "update") recordUpdate(pod, request, id, refused || saysNo(answer));
      }
      observe();
    },
    probed(host, port, ok) {
      const key = `${host}:${port}`;
      const before = failedProbes.get(key);
      if (!ok) {
        const sinceMs = before === undefined ? 0 : now() - before.at;
        failedProbes.set(key, { at: now(), failingMs: (before?.failingMs ?? 0) + (sinceMs > UNSEEN_MS ? 0 : sinceMs) });
      } else if (before !== undefined) failedProbes.set(key, { ...before, failingMs: 0 });
    },
    close() {
      observe();
      for (const one of open.values()) recordBill(one);
      for (const pod of truth.pods) {
        for (const span of [...pod.serving, ...pod.running, ...pod.dead, ...pod.cutOff])
          span.to = Math.min(span.to, now());
      }
      for (const { answering, stopped } of truth.contracts)
        for (const span of [...answering, ...stopped]) span.to = Math.min(span.to, now());
      for (const disturbance of truth.disturbances) disturbance.to = Math.min(disturbance.to, now());
    },
  };
}

function idIn(request: ApiRequest): number {
  return Number(/\/(\d+)\/?(?:\?|$)/.exec(request.url)?.[1] ?? Number.NaN);
}

/** With a status of success the API can say that nothing was done. */
function saysNo({ body, delivery }: ApiResponse): boolean {
  const answer = delivery.kind === "whole" ? parseJson(body) : null;
  return isObject(answer) && answer.success === false;
}

/** True if this answer does not prove to the caller that nothing was created. */
function isUncertain({ status, body, delivery }: ApiResponse): boolean {
  if (delivery.kind === "cut" || delivery.kind === "hang") return true;
  if (status >= 500 || [408, 409, 425].includes(status)) return true;
  return status < 300 && !isObject(parseJson(body) ?? null);
}
