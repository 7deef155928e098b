import { expect, test } from "vitest";
import { labelSourceIn, podTemplate } from "../../../../provisioner/kubernetes/label-source.ts";

const label = (value: string) => ({ name: "VAST_LABEL", value });
const FROM = { name: "VAST_LABEL", valueFrom: { configMapKeyRef: { name: "vast-pod", key: "VAST_LABEL" } } };
const ENV_FROM = [{ configMapRef: { name: "vast-pod" } }];

test.each<[string, readonly object[], object]>([
  ["has none", [{ env: [{ name: "POD_NAME", value: "x" }] }], { kind: "value", value: null }],
  ["has an empty one, which means the default", [{ env: [label("")] }], { kind: "value", value: null }],
  [
    "has one",
    [{}, { env: [label("prod/$(POD_NAME)")], envFrom: ENV_FROM }],
    { kind: "value", value: "prod/$(POD_NAME)" },
  ],
  [
    "has it twice in one container: the last one counts",
    [{ env: [label("a"), label("b")] }],
    { kind: "value", value: "b" },
  ],
  ["has the same one in two containers", [{ env: [label("a")] }, { env: [label("a")] }], { kind: "value", value: "a" }],
  ["has different ones in two containers", [{ env: [label("a")] }, { env: [label("b")] }], { kind: "several" }],
  ["has it from a key of a ConfigMap", [{ env: [FROM] }], { kind: "elsewhere" }],
  ["may have it from a whole ConfigMap", [{ envFrom: ENV_FROM }], { kind: "elsewhere" }],
  ["has it as a flag", [{ args: ["run", "--vast-label=a"], env: [label("b")] }], { kind: "value", value: "a" }],
  [
    "has it as a flag in two words",
    [{ args: ["--vast-label", "a"], envFrom: ENV_FROM }],
    { kind: "value", value: "a" },
  ],
])("a pod template that %s", (_, containers, source) => {
  expect(labelSourceIn(podTemplate.parse({ spec: { containers } }))).toEqual(source);
  expect(labelSourceIn(podTemplate.parse({ spec: { initContainers: containers } }))).toEqual(source);
});

test("a StatefulSet without a pod template sets no label", () => {
  expect(labelSourceIn(undefined)).toEqual({ kind: "value", value: null });
});
