// Documents of `/status` to make pages from.
import type { StatusDocument } from "../../../../provisioner/report/status-document.ts";

type Instance = StatusDocument["instances"][number];

export const NOW = "2026-11-29T10:31:02.000Z";

export const INSTANCE: Instance = {
  id: 7_835_610,
  description: "instance 7835610 (RTX 4090, $0.316/h)",
  current: true,
  gpu: "1x RTX 4090",
  status: "running",
  statusMessage: "success, running example/app:2",
  hostId: 77_001,
  machineId: 4821,
  image: "example/app:2",
  templateHash: "4e17a1",
  dollarsPerHour: 0.316,
  createdAt: "2026-11-26T06:20:00.000Z",
  endsAt: "2027-01-09T00:00:00.000Z",
  pendingPrice: null,
  pendingDelete: false,
  serving: true,
  endpoint: { host: "203.0.113.9", port: 41_234 },
};

/** Serves since three days; what was before it is in its history. */
export const READY: StatusDocument = {
  schema: 1,
  version: "0.1.0",
  at: NOW,
  startedAt: "2026-11-20T08:00:00.000Z",
  pod: "vast-pod-0",
  label: "k8s_pod=vast-pod-0",
  policy: "sync",
  desired: { image: "example/app:2", template: "my-template" },
  state: "ready",
  reason: "instance_ready",
  message: "instance 7835610 (RTX 4090, $0.316/h) is serving at 203.0.113.9:41234",
  remedy: null,
  since: "2026-11-26T06:31:00.000Z",
  generation: 14,
  server: { host: "203.0.113.9", port: 41_234 },
  proxy: { appliedGeneration: 14, state: "applied", problem: null },
  problem: null,
  suppressed: [],
  wouldRent: null,
  next: {
    waitsFor: "a change of the image, the template or the instance",
    lookAt: "2026-11-29T10:31:20.000Z",
    deadline: null,
    afterwards: null,
  },
  instances: [INSTANCE],
  list: { known: true, at: "2026-11-29T10:30:51.000Z", ageSeconds: 11 },
  bansKnown: true,
  bans: [],
  pendingDeletes: [],
  intent: null,
  budget: { createsLeft: 6, createsPerHour: 6, freeAt: null },
  fallback: null,
  money: {
    dollarsPerHour: 0.316,
    maxDollarsPerHour: 0.5,
    paidDollars: 62.94,
    wastedDollars: 1.2,
    instanceDollars: 24.02,
    since: "2026-11-20T08:00:00.000Z",
    billed: null,
    creditDollars: 88.2,
    creditAt: "2026-11-29T10:26:00.000Z",
  },
  backoff: null,
  history: [
    {
      at: "2026-11-26T06:02:10.000Z",
      state: "unavailable",
      reason: "start_timeout",
      message:
        "instance 7835580 (RTX 4090, $0.221/h) was not ready within 20 min: it is destroyed and its host 10479 banned",
      instanceId: 7_835_580,
    },
    {
      at: "2026-11-26T06:19:58.000Z",
      state: "provisioning",
      reason: "no_instance",
      message: "no instance has the label k8s_pod=vast-pod-0: one is created",
      instanceId: null,
    },
    {
      at: "2026-11-26T06:20:00.000Z",
      state: "provisioning",
      reason: "instance_starting",
      message: "instance 7835610 (RTX 4090, $0.316/h) is loading",
      instanceId: 7_835_610,
    },
    {
      at: "2026-11-26T06:31:00.000Z",
      state: "ready",
      reason: "instance_ready",
      message: "instance 7835610 (RTX 4090, $0.316/h) is serving at 203.0.113.9:41234",
      instanceId: 7_835_610,
    },
  ],
  passes: 40_210,
  finishedAt: "2026-11-29T10:31:00.000Z",
};

/** An image is being pulled. */
export const LOADING: StatusDocument = {
  ...READY,
  state: "provisioning",
  reason: "instance_starting",
  message: "instance 7835611 (RTX 4090, $0.221/h) is loading",
  since: "2026-11-29T10:25:00.000Z",
  generation: 17,
  server: null,
  proxy: { appliedGeneration: 17, state: "applied", problem: null },
  next: {
    waitsFor: "the instance 7835611 to become ready",
    lookAt: "2026-11-29T10:31:10.000Z",
    deadline: "2026-11-29T10:45:00.000Z",
    afterwards: "it is destroyed, its host 77002 is banned, and another one is rented",
  },
  instances: [
    {
      ...INSTANCE,
      id: 7_835_611,
      status: "loading",
      statusMessage: "4f4fb700ef54: Downloading 3.1GB/9.8GB",
      dollarsPerHour: 0.221,
      createdAt: "2026-11-29T10:25:00.000Z",
      serving: false,
      endpoint: null,
    },
  ],
  money: { ...READY.money, dollarsPerHour: 0.221, instanceDollars: 0.02, creditDollars: null, creditAt: null },
};

export const HOSTILE_TEXT = `<img src=x onerror="document.title='owned'"><script>alert(1)</script>\u202Egnp.exe\u0007`;

/** Everything is wrong at once, and the host's texts are hostile. */
export const TROUBLE: StatusDocument = {
  ...READY,
  policy: "observe",
  state: "blocked",
  reason: "no_offer",
  message: "no offer meets the query: 9 above VAST_MAX_DPH (cheapest $0.41); the price limit can be raised",
  since: "2026-11-29T09:50:00.000Z",
  server: null,
  proxy: { appliedGeneration: 13, state: "refused", problem: "nginx refused the config: unknown directive" },
  problem: "the state file cannot be written: ENOSPC",
  suppressed: [{ kind: "destroy", id: 1 }],
  next: {
    waitsFor: "an offer that meets the query",
    lookAt: "2026-11-29T10:37:00.000Z",
    deadline: null,
    afterwards: "the offers are searched again",
  },
  instances: [
    {
      ...INSTANCE,
      dollarsPerHour: 0.81,
      pendingPrice: { dollarsPerHour: 0.95, at: "2026-12-01T00:00:00.000Z" },
      gpu: HOSTILE_TEXT,
      statusMessage: HOSTILE_TEXT,
    },
    { ...INSTANCE, id: 7_835_612, current: false, serving: false },
    { ...INSTANCE, id: 7_835_613, current: false, pendingDelete: true, serving: false },
  ],
  list: { known: false, at: "2026-11-29T10:20:00.000Z", ageSeconds: 662, why: "the API answered 502" },
  bansKnown: false,
  bans: null,
  budget: { createsLeft: 0, createsPerHour: 6, freeAt: "2026-11-29T10:52:00.000Z" },
  money: { ...READY.money, dollarsPerHour: 1.5, creditDollars: 12.5 },
};

/** Before the first pass: hardly anything is known. */
export const STARTING: StatusDocument = {
  ...READY,
  state: null,
  reason: null,
  message: null,
  since: null,
  generation: null,
  server: null,
  proxy: null,
  next: null,
  instances: [],
  list: null,
  bansKnown: null,
  bans: null,
  money: {
    dollarsPerHour: null,
    maxDollarsPerHour: null,
    paidDollars: 0,
    wastedDollars: 0,
    instanceDollars: null,
    since: null,
    billed: null,
    creditDollars: null,
    creditAt: null,
  },
  history: [],
  passes: 0,
  finishedAt: null,
};
