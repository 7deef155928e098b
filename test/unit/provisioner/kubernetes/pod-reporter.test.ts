import { expect, test } from "vitest";
import type { Cluster, LookupResult } from "../../../../provisioner/kubernetes/cluster.ts";
import type { PodChange } from "../../../../provisioner/kubernetes/pod-objects.ts";
import { createPodReporter } from "../../../../provisioner/kubernetes/pod-reporter.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

const POD = "/api/v1/namespaces/models/pods/vast-pod-0";
const EVENTS = "/api/v1/namespaces/models/events";
const found = (body: unknown = {}): LookupResult => ({ kind: "found", body });

function reporter() {
  const clock = fakeClock();
  const calls: { call: string; body?: unknown }[] = [];
  const problems: (string | null)[] = [];
  let answer: ((call: string) => LookupResult) | null = null;
  const send = async (call: string, body?: unknown) => {
    calls.push({ call, body });
    return answer?.(call) ?? found({ metadata: { uid: "a-uid" } });
  };
  const cluster: Cluster = {
    namespace: "models",
    get: (path) => send(`GET ${path}`),
    post: (path, body) => send(`POST ${path}`, body),
    patch: (path, body) => send(`PATCH ${path}`, body),
    list: async () => ({ kind: "unknown", why: "nobody lists" }),
  };
  let drawn = 0;
  const made = createPodReporter({
    cluster,
    podName: "vast-pod-0",
    clock,
    random: () => {
      drawn += 1 / 1024;
      return drawn;
    },
    clean: (text) => text.replaceAll("s3cret", "[secret]"),
    onProblem: (why) => problems.push(why),
  });
  const { signal } = new AbortController();
  const report = async (...changes: PodChange[]) => {
    made.report(changes, { id: 7, dollarsPerHour: 0.3 }, signal);
    await clock.advance(0);
  };
  return {
    clock,
    calls,
    problems,
    made,
    report,
    posted: () => calls.filter(({ call }) => call === `POST ${EVENTS}`).map(({ body }) => body),
    answerWith: (next: typeof answer) => {
      answer = next;
    },
  };
}

const change = (over: Partial<PodChange> = {}): PodChange => ({
  at: Date.UTC(2026, 10, 23, 15),
  state: "ready",
  reason: "instance_ready",
  message: "instance 7 is ready",
  instanceId: 7,
  ...over,
});

test("each change becomes an Event of the pod, in their order, and the annotations are written when they change", async () => {
  const { report, calls, posted } = reporter();
  await report(change({ reason: "no_instance" }), change());
  await report();
  expect(calls.map(({ call }) => call)).toEqual([`GET ${POD}`, `PATCH ${POD}`, `POST ${EVENTS}`, `POST ${EVENTS}`]);
  expect(posted()).toMatchObject([
    { reason: "NoInstance", involvedObject: { uid: "a-uid" } },
    { reason: "InstanceReady" },
  ]);
});

test("a change that comes again is counted in its Event, and is a new one when Kubernetes has deleted that", async () => {
  const { report, calls, answerWith, posted } = reporter();
  await report(change());
  await report(change({ at: Date.UTC(2026, 10, 23, 16) }));
  expect(calls.at(-1)).toMatchObject({ body: { count: 2, lastTimestamp: "2026-11-23T16:00:00Z" } });
  expect(posted()).toHaveLength(1);
  answerWith((call) => (call.startsWith(`PATCH ${EVENTS}`) ? { kind: "missing", body: {} } : found()));
  await report(change());
  expect(posted()).toHaveLength(2);
  expect(new Set(posted().map((body) => (body as { metadata: { name: string } }).metadata.name)).size).toBe(2);
});

test("secrets are removed", async () => {
  const { report, posted } = reporter();
  await report(change({ message: "the login s3cret was refused" }));
  expect(posted()).toMatchObject([{ message: expect.stringContaining("the login [secret] was refused") }]);
});

test("a cluster that refuses is told once, and asked again every 30 s with the newest changes", async () => {
  const { report, calls, posted, answerWith, clock, problems } = reporter();
  answerWith(() => ({ kind: "unknown", why: "POST answered 403" }));
  for (let n = 0; n < 30; n += 1) await report(change({ reason: `reason_${n}` }));
  expect([calls.length, problems]).toEqual([1, ["POST answered 403"]]);
  answerWith(null);
  await report();
  expect(calls).toHaveLength(1);
  await clock.advance(30_000);
  await report();
  expect(posted()).toHaveLength(20);
  expect(posted().at(-1)).toMatchObject({ reason: "Reason29" });
  expect(problems).toEqual(["POST answered 403", null]);
});

test("a pass does not wait for a cluster that does not answer, and nothing is written twice", async () => {
  const { made, calls } = reporter();
  const { signal } = new AbortController();
  for (let n = 0; n < 5; n += 1) made.report([change()], null, signal);
  expect(calls).toHaveLength(1);
});

test("nothing is begun any more when the program stops", () => {
  const { made, calls } = reporter();
  made.report([change()], null, AbortSignal.abort());
  expect(calls).toEqual([]);
});

test("what is left is written at the end, after what is under way, and even if writing has just failed", async () => {
  const { made, report, calls, posted, answerWith } = reporter();
  const { signal } = new AbortController();
  answerWith(() => ({ kind: "unknown", why: "503" }));
  await report(change({ reason: "no_instance" }));
  answerWith(null);
  await made.finish([change({ state: "unavailable", reason: "terminating" })], signal);
  expect(posted()).toMatchObject([{ reason: "NoInstance" }, { reason: "Terminating", type: "Warning" }]);
  const before = calls.length;
  await made.finish([], signal);
  await made.finish([change({ at: 1 })], AbortSignal.abort());
  expect(calls).toHaveLength(before);
});
