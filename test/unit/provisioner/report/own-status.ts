// A document of `/status` of a pod whose instance serves, for tests of what reads it.
import type { StatusDocument } from "../../../../provisioner/report/status-document.ts";
import { HASH, HOUR, LABEL, MINUTE, NOW } from "../plan/situation.ts";

const iso = (at: number) => new Date(at).toISOString();

export function ownInstance(
  over: Partial<StatusDocument["instances"][number]> = {},
): StatusDocument["instances"][number] {
  return {
    id: 7835610,
    description: "instance 7835610 (RTX 4090, $0.316/h)",
    current: true,
    gpu: "RTX 4090",
    status: "running",
    statusMessage: "success, running example/app_2",
    hostId: 77001,
    machineId: 4821,
    image: "example/app:2",
    templateHash: HASH,
    dollarsPerHour: 0.316,
    createdAt: iso(NOW - 2 * HOUR),
    endsAt: null,
    pendingPrice: null,
    pendingDelete: false,
    serving: true,
    endpoint: { host: "203.0.113.9", port: 41234 },
    ...over,
  };
}

export function ownStatus(over: Partial<StatusDocument> = {}): StatusDocument {
  return {
    schema: 1,
    version: "0.1.0",
    at: iso(NOW),
    startedAt: iso(NOW - 3 * HOUR),
    pod: "vast-pod-0",
    label: LABEL,
    policy: "sync",
    desired: { image: "example/app:2", template: "demo" },
    state: "ready",
    reason: "instance_ready",
    message: "instance 7835610 (RTX 4090, $0.316/h) is serving",
    remedy: null,
    since: iso(NOW - HOUR - 50 * MINUTE),
    generation: 12,
    server: { host: "203.0.113.9", port: 41234 },
    proxy: { appliedGeneration: 12, state: "ready", problem: null },
    problem: null,
    suppressed: [],
    wouldRent: null,
    next: null,
    instances: [ownInstance()],
    list: { known: true, at: iso(NOW - 11_000), ageSeconds: 11 },
    bansKnown: true,
    bans: [],
    pendingDeletes: [],
    intent: null,
    budget: { createsLeft: 4, createsPerHour: 6, freeAt: null },
    fallback: null,
    money: {
      dollarsPerHour: 0.316,
      maxDollarsPerHour: 0.5,
      paidDollars: 24.02,
      wastedDollars: 0.4,
      instanceDollars: 0.63,
      since: iso(NOW - 72 * HOUR),
      billed: null,
      creditDollars: 88.2,
      creditAt: iso(NOW),
    },
    backoff: null,
    history: [],
    passes: 1000,
    finishedAt: iso(NOW),
    ...over,
  };
}

/** A pod whose instance pulls its image. */
export function loadingStatus(statusMessage: string): StatusDocument {
  return ownStatus({
    state: "provisioning",
    reason: "instance_starting",
    message: "instance 7835610 (RTX 4090, $0.316/h) is loading",
    next: {
      waitsFor: "instance 7835610 to become ready",
      lookAt: iso(NOW + 2000),
      deadline: iso(NOW + 14 * MINUTE),
      afterwards: "it is replaced and its host is banned",
    },
    instances: [ownInstance({ status: "loading", statusMessage, serving: false, endpoint: null })],
  });
}
