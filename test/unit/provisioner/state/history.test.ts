import { expect, test } from "vitest";
import { type Transition, unchangedSince, withTransition } from "../../../../provisioner/state/history.ts";
import { HOUR, MINUTE, NOW } from "../plan/situation.ts";

type Published = Parameters<typeof withTransition>[1];
const ready: Published = { state: "ready", reason: "instance_ready", message: "it serves", instance: { id: 7 } };
const unknown: Published = { ...ready, reason: "list_unknown", message: "HTTP 502" };

/** One after another, a minute apart. */
const historyOf = (all: readonly Published[]) =>
  all.reduce<Transition[]>((history, one, i) => withTransition(history, one, NOW + i * MINUTE), []);
const reasons = (history: readonly Transition[]) => history.map(({ reason }) => reason);

test("a transition is a change of state, reason or instance; another message alone is none", () => {
  const history = historyOf([
    ready,
    { ...ready, message: "it serves; ALARM: it costs too much" },
    unknown,
    { ...unknown, state: "unavailable" },
    { ...unknown, state: "unavailable", instance: { id: 8 } },
    { ...unknown, state: "unavailable", instance: null },
  ]);
  expect(history).toEqual([
    { at: NOW, state: "ready", reason: "instance_ready", message: "it serves", instanceId: 7 },
    { at: NOW + 2 * MINUTE, state: "ready", reason: "list_unknown", message: "HTTP 502", instanceId: 7 },
    { at: NOW + 3 * MINUTE, state: "unavailable", reason: "list_unknown", message: "HTTP 502", instanceId: 7 },
    { at: NOW + 4 * MINUTE, state: "unavailable", reason: "list_unknown", message: "HTTP 502", instanceId: 8 },
    { at: NOW + 5 * MINUTE, state: "unavailable", reason: "list_unknown", message: "HTTP 502", instanceId: null },
  ]);
});

test("is the same one while nothing changes, so that nobody need look for a change", () => {
  const history = historyOf([ready, unknown]);
  expect(withTransition(history, { ...unknown, message: "HTTP 503" }, NOW + HOUR)).toBe(history);
});

test("keeps the last 50, without the oldest", () => {
  const history = historyOf(Array.from({ length: 60 }, (_, id) => ({ ...ready, instance: { id } })));
  expect(history.map(({ instanceId }) => instanceId)).toEqual(Array.from({ length: 50 }, (_, i) => i + 10));
});

test("an API that fails every minute does not push out why the instance was replaced", () => {
  const replaced: Published = { ...ready, state: "provisioning", reason: "image_changed" };
  const flapping = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? ready : unknown));
  const history = historyOf([replaced, ...flapping]);
  expect(history.length).toBeLessThanOrEqual(50);
  expect(reasons(history)[0]).toBe("image_changed");
  expect(reasons(history).slice(-4)).toEqual(["instance_ready", "list_unknown", "instance_ready", "list_unknown"]);
  expect(history.at(-1)?.at).toBe(NOW + 200 * MINUTE);
});

test("a message is bounded: it can quote a host's text of any length", () => {
  expect(historyOf([{ ...ready, message: "x".repeat(5000) }])[0]?.message).toHaveLength(400);
});

test("knows since when state and reason are what they are, whatever the instance", () => {
  expect(unchangedSince([])).toBeNull();
  expect(unchangedSince(historyOf([ready]))).toBe(NOW);
  expect(unchangedSince(historyOf([unknown, ready, { ...ready, instance: { id: 9 } }]))).toBe(NOW + MINUTE);
});
