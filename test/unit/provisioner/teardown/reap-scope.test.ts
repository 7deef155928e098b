import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LabelSource } from "../../../../provisioner/kubernetes/label-source.ts";
import { labelOf } from "../../../../provisioner/model/label.ts";
import { podsOf, type ReapRequest, reapScope } from "../../../../provisioner/teardown/reap-scope.ts";

const request = (over: Partial<ReapRequest> = {}): ReapRequest => ({
  prefix: "k8s_pod=vast-pod-",
  label: undefined,
  setDeleted: false,
  ...over,
});
const value = (text: string | null): LabelSource => ({ kind: "value", value: text });
const set = (label: LabelSource = value(null), name = "vast-pod") => ({ name, label });
const PROD = "k8s_pod=prod/$" + "{POD_NAME}";

describe("the prefix fits", () => {
  test.each<[string, ReapRequest, ReturnType<typeof set>[], string[]]>([
    ["the default label", request(), [set()], ["vast-pod"]],
    ["the label of the pod template", request({ prefix: "k8s_pod=prod/vast-pod-" }), [set(value(PROD))], ["vast-pod"]],
    [
      "a label with a part before the name",
      request({ prefix: "gpu-vast-pod-" }),
      [set(value("gpu-$(POD_NAME)"))],
      ["vast-pod"],
    ],
    [
      "the own setting, where the pods may have theirs from a ConfigMap",
      request({ prefix: "k8s_pod=prod/vast-pod-", label: PROD }),
      [set({ kind: "elsewhere" })],
      ["vast-pod"],
    ],
    [
      "the labels of two StatefulSets",
      request(),
      [set(), set(value("k8s_pod=vast-$(POD_NAME)"), "pod")],
      ["vast-pod", "pod"],
    ],
    ["a deleted StatefulSet", request({ setDeleted: true }), [set(value(null), "web")], ["vast-pod"]],
    [
      "a deleted StatefulSet with another label",
      request({ setDeleted: true, label: "gpu-$(POD_NAME)", prefix: "gpu-vast-pod-" }),
      [set(value(null), "web")],
      ["vast-pod"],
    ],
  ])("%s", (_, asked, sets, names) => {
    expect(reapScope(asked, sets, "models")).toEqual({ sets: names });
  });
});

describe("the prefix is refused, with what to do", () => {
  test.each<[string, ReapRequest, ReturnType<typeof set>[], RegExp]>([
    ["shorter than the labels", request({ prefix: "vast-pod-" }), [set()], /label their instances k8s_pod=vast-pod-0/],
    [
      "for labels that go on after the number",
      request(),
      [set(value("k8s_pod=$(POD_NAME)-blue"))],
      /k8s_pod=vast-pod-0-blue/,
    ],
    ["for a label without the pod's name", request(), [set(value("k8s_pod=vast-pod-0"))], /correct --prefix/],
    [
      "while the template has another label",
      request({ label: PROD }),
      [set(value("x/$(POD_NAME)"))],
      /instances x\/vast-pod-0/,
    ],
    ["while the own setting differs", request({ label: PROD }), [set()], /instances k8s_pod=prod\/vast-pod-0/],
    ["while the labels are in a ConfigMap", request(), [set({ kind: "elsewhere" })], /set VAST_LABEL of this command/],
    ["while there are several labels", request(), [set({ kind: "several" })], /give them the same one/],
    ["without such a StatefulSet", request(), [set(value(null), "web")], /has no StatefulSet vast-pod.*--set-deleted/],
    [
      "for a deleted StatefulSet whose label the setting does not make",
      request({ setDeleted: true, prefix: "vast-pod-" }),
      [set(value(null), "web")],
      /not set, so k8s_pod=.*cannot make a label of --prefix vast-pod-/,
    ],
    [
      "with --set-deleted while it exists",
      request({ setDeleted: true }),
      [set(value("x-$(POD_NAME)"))],
      /instances x-vast-pod-0/,
    ],
    [
      "with --set-deleted while a set of the name exists that the prefix does not show",
      request({ setDeleted: true, label: "gpu-$(POD_NAME)", prefix: "gpu-vast-pod-" }),
      [set(value("x-$(POD_NAME)"))],
      /do without --set-deleted/,
    ],
  ])("%s", (_, asked, sets, why) => {
    expect(reapScope(asked, sets, "models")).toEqual({ problem: expect.stringMatching(why) });
  });
});

test.each([
  ["k8s_pod=vast-pod-7", ["vast-pod-7", "pod-7"]],
  ["k8s_pod=vast-pod-07", []],
  ["k8s_pod=vast-pod-7 ", []],
  ["k8s_pod=vast-pod-", []],
  ["xk8s_pod=vast-pod-7", []],
  [null, []],
])("the label %j may be that of %j", (label, pods) => {
  expect(podsOf(label, request(), { sets: ["vast-pod", "pod"] })).toEqual(pods);
});

const name = fc.constantFrom("vast-pod", "pod", "web", "vast-pod-1", "prod");
const scheme = fc.oneof(
  fc.constantFrom(
    null,
    "$(POD_NAME)",
    PROD,
    "k8s_pod=vast-$(POD_NAME)",
    "k8s_pod=$(POD_NAME)-1",
    "k8s_pod=vast-pod-1",
    "a",
  ),
  fc
    .tuple(
      fc.constantFrom("", "k8s_pod=", "k8s_pod=vast-", "vast-pod-"),
      fc.constantFrom("", "$(POD_NAME)"),
      fc.constantFrom("", "-1", "1"),
    )
    .map((parts) => parts.join("") || null),
);
const source: fc.Arbitrary<LabelSource> = fc.oneof(
  { weight: 5, arbitrary: scheme.map(value) },
  { weight: 1, arbitrary: fc.constant<LabelSource>({ kind: "elsewhere" }) },
);
const prefix = fc
  .tuple(fc.constantFrom("", "k8s_pod=", "k8s_pod=prod/", "k8s_pod=vast-"), name)
  .map(([start, end]) => `${start}${end}-`);

test("whatever the labels: an instance is taken for that of a pod here only if this pod makes exactly its label", () => {
  let taken = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ name, label: source }), { maxLength: 3, selector: (one) => one.name }),
      fc.record({
        prefix,
        label: fc.option(
          scheme.map((one) => one ?? undefined),
          { nil: undefined },
        ),
        setDeleted: fc.boolean(),
      }),
      fc.integer({ min: 0, max: 12 }),
      (sets, asked, number) => {
        const scope = reapScope(asked, sets, "models");
        if ("problem" in scope) {
          expect(scope.problem).not.toBe("");
          return;
        }
        const label = `${asked.prefix}${number}`;
        const pods = podsOf(label, asked, scope);
        expect(pods).not.toEqual([]);
        taken += 1;
        for (const pod of pods) {
          const own = sets.find((one) => pod === `${one.name}-${number}`);
          if (own === undefined) expect(asked.setDeleted).toBe(true);
          const setting =
            own === undefined || own.label.kind !== "value" ? asked.label : (own.label.value ?? undefined);
          expect(labelOf({ VAST_LABEL: setting, POD_NAME: pod })).toBe(label);
        }
      },
    ),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(100); // the law is about something
});
