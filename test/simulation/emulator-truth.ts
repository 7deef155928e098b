// What really happened in a run, as the emulator and the pods' nginx know it: what the laws judge. Types only; all instants in epoch ms.

export interface Span {
  from: number;
  /** The run's end when it had not ended by then. */
  to: number;
}

export interface ContractTruth {
  id: number;
  /** At its creation; the operator may have changed it later. */
  label: string | null;
  createdAt: number;
  endedAt: number | null;
  /** `api`: by a DELETE. */
  endedBy: string | null;
  /** From when lists show it; infinity: never. */
  visibleAt: number;
  /** $ by what they were paid for. */
  paid: Paid;
}

export interface Paid {
  /** While a pod's nginx sent requests to it and it answered. */
  serving: number;
  /** Until it served for the first time; all that was paid where it never did. */
  before: number;
  /** When it had served and did not any more. */
  after: number;
}

/** A create that arrived at the API. `made` is its contract; `uncertain`: none was made, but the answer did not say so. */
export interface CreateTruth {
  at: number;
  pod: number;
  made: number | null;
  uncertain: boolean;
}

/** A call that changes one instance, with the label that the instance had at that moment (null also when there is no such instance). */
export interface TouchTruth {
  at: number;
  pod: number;
  id: number;
  label: string | null;
  call: string;
}

/** The first DELETE of an instance, as it left its pod. */
export interface DestroyTruth {
  at: number;
  pod: number;
  id: number;
  /** Some list has shown it, or would have. */
  shown: boolean;
  /** For how long image and template hash have been the wanted ones; null when they are not. */
  rightForMs: number | null;
  /** For how long it has answered on its port; null when it does not. */
  answersForMs: number | null;
  /** How long ago a probe of it failed last; null: none ever did. */
  failedProbeMs: number | null;
  /** Other live contracts of the label that nobody has asked to destroy. */
  others: number;
}

export interface PodTruth {
  name: string;
  label: string;
  /** When each process of its provisioner ran, in the order of their starts. Two may run at a time. */
  running: Span[];
  /** When a create or destroy left a process, by its place in `running`. */
  acts: { at: number; process: number }[];
  /** When requests to the pod were answered by an instance of its own label. */
  serving: (Span & { id: number })[];
  /** When the pod was replaced and its volumes were lost. */
  replacedAt: number[];
  maxCreatesPerHour: number;
}

/** A time in which the API does not answer truthfully or a pod cannot do its work. `pod` null: all of them. */
export interface Disturbance extends Span {
  pod: number | null;
  what: string;
}

export interface Truth {
  start: number;
  /** From here on nothing goes wrong any more. */
  faultsEnd: number;
  end: number;
  pods: PodTruth[];
  contracts: ContractTruth[];
  creates: CreateTruth[];
  touches: TouchTruth[];
  destroys: DestroyTruth[];
  disturbances: Disturbance[];
  /** When Redis could not be asked or lost what it held; all of the run where there is none. */
  redisUnreliable: Span[];
}

/** What a law says about a run: nothing, or each breach as a sentence with its instant. */
export interface Breach {
  law: string;
  at: number;
  message: string;
}

export type Law = (truth: Truth) => Breach[];

/** True when Redis may have kept what it was told at `from` from whoever asks until `to`. */
export function redisMayHaveForgotten(truth: Truth, from: number, to: number): boolean {
  return truth.redisUnreliable.some((span) => span.from <= to && span.to >= from);
}

/** The contracts of one pod: by the label that they were made with. */
export function contractsOf(truth: Truth, pod: PodTruth): ContractTruth[] {
  return truth.contracts.filter((contract) => contract.label === pod.label);
}

/** True while the contract bills at `at`. */
export function livesAt(contract: ContractTruth, at: number): boolean {
  return contract.createdAt <= at && (contract.endedAt === null || contract.endedAt > at);
}
