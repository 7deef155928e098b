// What really happened in a run, as the emulator and the pods' nginx know it. The laws judge it. All instants are epoch ms. Pure.

export interface Span {
  from: number;
  /** The run's end if it was still open then. */
  to: number;
}

export interface ContractTruth {
  id: number;
  /** At its creation; the operator can have changed it later. */
  label: string | null;
  createdAt: number;
  /** It was created with a bid. */
  isBid?: boolean;
  endedAt: number | null;
  /** What ended it; `api` is a DELETE. */
  endedBy: string | null;
  /** From when lists show it; infinity means never. */
  visibleAt: number;
  /** When it ends, by what was agreed last, and since when that is so. */
  ends: { at: number; since: number };
  /** What was agreed about its end before, oldest first. */
  endsBefore: { at: number; since: number }[];
  /** When it answered on its port. */
  answering: Span[];
  /** When a bid was not enough for it: its contract was stopped, and its disk billed. */
  stopped: Span[];
  /** $ by purpose. */
  paid: Paid;
}

export interface Paid {
  /** While a pod's nginx sent requests to it, which came through, and it answered. */
  serving: number;
  /** Until it served for the first time; everything if it never did. */
  before: number;
  /** After it had served, while it did not serve. */
  after: number;
}

/** A create that arrived at the API. `made` is its contract; `uncertain` means that none was made, but the answer did not say so. */
export interface CreateTruth {
  at: number;
  pod: number;
  made: number | null;
  uncertain: boolean;
}

/** A call that changes one instance, with the instance's label when it left (null also if the instance does not exist). */
export interface TouchTruth {
  at: number;
  pod: number;
  id: number;
  label: string | null;
  call: string;
  /** A DELETE that certainly took no effect. */
  refused: boolean;
  /** It was not answered as done, whatever came of it. */
  failed?: boolean;
  /** The API has answered that the key or the account may not do that. */
  forbidden?: boolean;
}

/** The first DELETE of an instance, as it left its pod. */
export interface DestroyTruth {
  at: number;
  pod: number;
  id: number;
  /** A list has shown it, or would have. */
  shown: boolean;
  /** For how long image and template hash have been the desired ones; null if they are not. */
  rightForMs: number | null;
  /** For how long it has answered on its port; null if it does not. */
  answersForMs: number | null;
  /** How long ago its last probe failed; null if none did. */
  failedProbeMs: number | null;
  /** For how long its probes have failed without a break: times in which the pod did not probe it are left out. */
  failingMs: number;
  /** In how long its contract would have ended. */
  endsInMs: number;
  /** Other live contracts of the label without a DELETE. */
  others: number;
  /** Its contract runs, and its image cannot be pulled. */
  cannotPull: boolean;
}

/** A container that was replaced on its machine: `wanted` are the image and the hash that its pod had sent before, in one text. */
export interface RecycleTruth {
  at: number;
  pod: number;
  id: number;
  wanted: string;
}

/** A pod accepts the higher price that the host of an instance with this label asks for; the price is that of GPUs and disk. */
export interface AcceptedPriceTruth {
  at: number;
  pod: number;
  id: number;
  label: string | null;
  dollarsPerHour: number;
}

/** A pod bids for an offer or an instance; the price is that of GPUs and disk. */
export interface BidTruth {
  at: number;
  pod: number;
  on: string;
  dollarsPerHour: number;
}

/** The answer to a pod's search for offers. */
export interface SearchTruth {
  at: number;
  pod: number;
  /** The prices are those of bids. */
  forBids: boolean;
  /** $/h of the cheapest offer in it, with the disk; null: there is none. */
  cheapest: number | null;
}

export interface PodTruth {
  name: string;
  label: string;
  /** When each process of its provisioner ran, in order of their starts. Two can run at the same time. */
  running: Span[];
  /**
   * When a process sent a create or destroy, and when it had the answer or gave up (infinity: never); `process` is its index in
   * `running`, `leaseOfOther` whether another process held the label's lease in Redis at that moment.
   */
  acts: { at: number; endedAt: number; process: number; leaseOfOther: boolean }[];
  /** When a process gave up the lease that it held in Redis. */
  releases: { at: number; process: number }[];
  /** When nginx routed to an instance with its label that answered; `shows`: image and hash of its row when that began. */
  serving: (Span & { id: number; shows?: string })[];
  /** When nginx routed to an address at which nothing listened. */
  dead: Span[];
  /** When nothing came through from the pod to its instances: whatever it routes to, requests are not answered. */
  cutOff: Span[];
  /** When the pod was replaced and its volumes were lost. */
  replacedAt: number[];
  maxCreatesPerHour: number;
  /** VAST_MAX_DPH; null without one. */
  maxDollarsPerHour: number | null;
  /** It rents with bids. */
  bids?: boolean;
  /** For how long it may have an outdated instance and its replacement, by its settings; null: it does not surge. */
  surgesForMs: number | null;
  /** What serves is given up for an update only after a search has found another one (VAST_UPDATE_PRECHECK). */
  prechecked?: boolean;
  /** When another image was desired. */
  imageChanges: number[];
  /** Its stops that order the end of its instances. */
  ends: EndTruth[];
}

/** From SIGTERM to the end of the process; `due` is when SIGKILL follows, `killed` whether something killed it before. */
export interface EndTruth extends Span {
  due: number;
  killed: boolean;
  /** The instances whose end it had written down and not yet verified: the next program carries that through. */
  recorded?: readonly number[];
}

/** A time in which the API answers wrongly or a pod cannot work. `pod` null means all pods. */
export interface Disturbance extends Span {
  pod: number | null;
  what: string;
}

export interface Truth {
  start: number;
  /** No faults from here on. */
  faultsEnd: number;
  end: number;
  pods: PodTruth[];
  contracts: ContractTruth[];
  creates: CreateTruth[];
  touches: TouchTruth[];
  destroys: DestroyTruth[];
  recycles: RecycleTruth[];
  acceptedPrices: AcceptedPriceTruth[];
  bids: BidTruth[];
  searches: SearchTruth[];
  disturbances: Disturbance[];
  /** When Redis was down or lost its data; the whole run if there is no Redis. */
  redisUnreliable: Span[];
}

/** A breach of a law: a sentence and its instant. */
export interface Breach {
  law: string;
  at: number;
  message: string;
}

export type Law = (truth: Truth) => Breach[];

/** True if data that was written to Redis at `from` may have been unavailable or lost by `to`. */
export function redisMayHaveForgotten(truth: Truth, from: number, to: number): boolean {
  return truth.redisUnreliable.some((span) => span.from <= to && span.to >= from);
}

/** The contracts of one pod, by the label with which they were created. */
export function contractsOf(truth: Truth, pod: PodTruth): ContractTruth[] {
  return truth.contracts.filter((contract) => contract.label === pod.label);
}

/** True if the contract is billed at `at`. */
export function livesAt(contract: ContractTruth, at: number): boolean {
  return contract.createdAt <= at && (contract.endedAt === null || contract.endedAt > at);
}
