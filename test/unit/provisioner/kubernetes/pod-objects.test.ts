import { expect, test } from "vitest";
import {
  annotationsOf,
  eventKey,
  eventOf,
  type PodChange,
  repeatedEvent,
} from "../../../../provisioner/kubernetes/pod-objects.ts";

const POD = { namespace: "models", name: "vast-pod-0", uid: "a-uid" };
const change = (over: Partial<PodChange> = {}): PodChange => ({
  at: Date.UTC(2026, 10, 23, 15, 0, 0, 123),
  state: "provisioning",
  reason: "instance_starting",
  message: "the instance starts",
  instanceId: 7,
  ...over,
});

test("an Event is about the pod with its uid, has a reason in Kubernetes' form and the time of the change", () => {
  expect(eventOf(change(), POD, "vast-pod-0.1")).toMatchObject({
    metadata: { name: "vast-pod-0.1", namespace: "models" },
    involvedObject: { kind: "Pod", namespace: "models", name: "vast-pod-0", uid: "a-uid" },
    type: "Normal",
    reason: "InstanceStarting",
    message: "the instance starts (instance 7)",
    firstTimestamp: "2026-11-23T15:00:00Z",
    lastTimestamp: "2026-11-23T15:00:00Z",
    count: 1,
  });
});

test.each([
  ["ready", "Normal"],
  ["provisioning", "Normal"],
  ["blocked", "Warning"],
  ["unavailable", "Warning"],
])("an Event of a pod that is %s is of type %s", (state, type) => {
  expect(eventOf(change({ state }), POD, "x")).toMatchObject({ type });
});

test("the message is one line without control characters, not longer than Kubernetes allows, and names the instance once", () => {
  const messageOf = (message: string) => (repeatedEvent(change({ message }), 2) as { message: string }).message;
  expect(messageOf("instance 7 is\n\u001b[31mready")).toMatch(/^instance 7 is *ready$/);
  expect(messageOf("x".repeat(5000))).toHaveLength(1024);
});

test("changes that differ in their message alone are one Event", () => {
  expect(eventKey(change({ message: "another", at: 1 }))).toBe(eventKey(change()));
  expect(eventKey(change({ instanceId: 8 }))).not.toBe(eventKey(change()));
});

test("annotations name the instance and its price, and are removed without an instance", () => {
  expect(annotationsOf({ id: 7, dollarsPerHour: 0.3164 })).toEqual({
    metadata: { annotations: { "vast-pod/instance-id": "7", "vast-pod/dollars-per-hour": "0.3164" } },
  });
  expect(annotationsOf({ id: 7, dollarsPerHour: null })).toMatchObject({
    metadata: { annotations: { "vast-pod/instance-id": "7", "vast-pod/dollars-per-hour": null } },
  });
  expect(annotationsOf(null)).toMatchObject({
    metadata: { annotations: { "vast-pod/instance-id": null, "vast-pod/dollars-per-hour": null } },
  });
});
