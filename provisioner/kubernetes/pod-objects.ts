// What is written about the pod in its cluster: an Event for each change, and annotations that say which instance it pays for. Pure.
import { oneLine } from "../../common/terminal.ts";

/** From then on the pod had this state, reason and instance. */
export interface PodChange {
  /** Epoch ms. */
  at: number;
  state: string;
  reason: string;
  message: string;
  instanceId: number | null;
}

export interface PodIdentity {
  namespace: string;
  name: string;
  /** `kubectl describe pod` shows only the Events with the pod's uid. */
  uid: string;
}

export interface PodInstance {
  id: number;
  /** Null: the list does not show it. */
  dollarsPerHour: number | null;
}

export const INSTANCE_ANNOTATION = "vast-pod/instance-id";
export const PRICE_ANNOTATION = "vast-pod/dollars-per-hour";

const COMPONENT = "vast-provisioner";
// The API server refuses longer ones.
const MOST_MESSAGE_CHARACTERS = 1024;
const WARNINGS: ReadonlySet<string> = new Set(["blocked", "unavailable"]);

/** The Event's name and content. `name`: no other Event of the namespace has it. */
export function eventOf(change: PodChange, pod: PodIdentity, name: string): object {
  const time = timestamp(change.at);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: pod.namespace },
    involvedObject: { apiVersion: "v1", kind: "Pod", ...pod },
    type: WARNINGS.has(change.state) ? "Warning" : "Normal",
    reason: camelCase(change.reason),
    message: messageOf(change),
    source: { component: COMPONENT },
    reportingComponent: COMPONENT,
    reportingInstance: pod.name,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** What changes in an Event when the same happens again: `kubectl` shows it as one line with a count. */
export function repeatedEvent(change: PodChange, count: number): object {
  return { count, lastTimestamp: timestamp(change.at), message: messageOf(change) };
}

/** Changes with one key are one Event. */
export const eventKey = ({ state, reason, instanceId }: PodChange) => `${state} ${reason} ${instanceId}`;

/** The change of the pod that annotates it. What is null is removed. */
export function annotationsOf(instance: PodInstance | null): object {
  const price = instance?.dollarsPerHour ?? null;
  return {
    metadata: {
      annotations: {
        [INSTANCE_ANNOTATION]: instance === null ? null : String(instance.id),
        [PRICE_ANNOTATION]: price === null ? null : String(price),
      },
    },
  };
}

function messageOf({ message, instanceId }: PodChange): string {
  const about = instanceId === null || message.includes(String(instanceId)) ? "" : ` (instance ${instanceId})`;
  return oneLine(`${message}${about}`).slice(0, MOST_MESSAGE_CHARACTERS);
}

/** `waiting_for_turn` is WaitingForTurn: the form of an Event's reason. */
function camelCase(reason: string): string {
  return reason.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Kubernetes' times have no fractions. */
const timestamp = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
