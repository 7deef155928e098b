// One pod in the document of the command `status`, with what its provisioner has reported. Pure.
import { type PodReport, type SeenReport, SILENT_AFTER_MS } from "../fleet/reports.ts";

/** One instance, or a pod without one. */
export interface PodStatus {
  /** The pod's name where the label is the usual one, otherwise the label. */
  pod: string;
  label: string | null;
  /**
   * `duplicate` and `orphan`; `silent`: its provisioner has said nothing for 15 minutes; the provisioner's word where it is known;
   * otherwise how far the instance is.
   */
  state: string;
  /** Since when the state is this one; null where no provisioner tells. */
  since: string | null;
  instanceId: number | null;
  gpu: string | null;
  dollarsPerHour: number | null;
  /** An estimate: price x age, without traffic. */
  soFarDollars: number | null;
  /** What the provisioner has counted for the pod, former instances included, and the part while nothing was served. Null: unknown. */
  paidDollars: number | null;
  wastedDollars: number | null;
  /** Of the instance; without one, the image that is wanted. */
  image: string | null;
  templateHash: string | null;
  hostId: number | null;
  machineId: number | null;
  createdAt: string | null;
  /** When the contract ends. */
  endsAt: string | null;
  /** Another price that its host has announced. */
  pendingPrice: PodReport["pendingPrice"];
  endpoint: string | null;
  /** One sentence, which may hold a host's own words: text of a stranger. */
  why: string;
  /** What is waited for, what happens then, and when at the latest. */
  next: { waitsFor: string; text: string | null; at: string | null } | null;
}

/** With what its provisioner says. */
export function withReport(pod: PodStatus, { report, ageMs }: SeenReport, now: number): PodStatus {
  const { paidDollars = null, wastedDollars = null, pendingPrice = null } = report ?? {};
  const known = {
    ...pod,
    pod: report?.pod || pod.pod,
    soFarDollars: (pod.instanceId === report?.instanceId ? report?.instanceDollars : null) ?? pod.soFarDollars,
    paidDollars,
    wastedDollars,
    image: pod.image ?? report?.image ?? null,
    pendingPrice,
  };
  if (ageMs > SILENT_AFTER_MS) {
    const last = report === null ? "" : `; it last said: ${report.state}, ${report.message}`;
    const why = `provisioner silent for ${durationText(ageMs)}: see whether its pod runs${last}`;
    return { ...known, state: "silent", since: new Date(now - ageMs).toISOString(), why };
  }
  if (report === null) return { ...known, why: `its provisioner is of another version; ${pod.why}` };
  const { observer, state, since, message, next } = report;
  const loads = pod.state === "loading" && state !== "ready";
  return {
    ...known,
    state,
    since,
    why: loads ? pod.why : `${observer ? OBSERVED : ""}${message}`,
    next: next && { waitsFor: next.waitsFor, text: next.afterwards, at: next.deadline },
  };
}

const OBSERVED = "VAST_POLICY=observe, so nothing is changed: ";

function durationText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`;
}

/** A pod without an instance, or while the instances are unknown. */
export function podWithoutInstance(label: string, instanceId: number | null): PodStatus {
  return {
    pod: podName(label),
    label,
    state: "provisioning",
    since: null,
    instanceId,
    gpu: null,
    dollarsPerHour: null,
    soFarDollars: null,
    paidDollars: null,
    wastedDollars: null,
    image: null,
    templateHash: null,
    hostId: null,
    machineId: null,
    createdAt: null,
    endsAt: null,
    pendingPrice: null,
    endpoint: null,
    why: "it has no instance",
    next: null,
  };
}

const USUAL_LABEL = "k8s_pod=";

function podName(label: string | null): string {
  if (label === null || label === "") return "-";
  return label.startsWith(USUAL_LABEL) ? label.slice(USUAL_LABEL.length) : label;
}
