import { expect, test } from "vitest";
import { createRollouts, type TemplateChange } from "../../simulation/rollout.ts";
import { virtualTime } from "../../simulation/virtual-time.ts";

const nothing = { nextAt: () => null, happen: () => undefined };
const SECOND = 1000;

/** Pods that take so long to end. `changes` are rolled out at their seconds; each start is noted with its second. */
async function rolledOut(endSeconds: number, changes: [number, TemplateChange<{ name: string }>["kind"], string][]) {
  const time = virtualTime(0);
  const noted: string[] = [];
  const pods = ["a", "b", "c"].map((name) => {
    let ends: (() => void)[] = [];
    return {
      name,
      has: new Map<string, string>(),
      isUp: () => true,
      terminate(then: () => void) {
        ends.push(then);
        if (ends.length > 1) return;
        time.after(endSeconds * SECOND, () => {
          const all = ends;
          ends = [];
          for (const one of all) one();
        });
      },
    };
  });
  const rollOut = createRollouts({ time, pods }, ({ name, has }, losesDisk) => {
    noted.push(`${time.now() / SECOND} ${name} ${[...has.values()].join(" ")}${losesDisk ? " without its disk" : ""}`);
  });
  for (const [at, kind, value] of changes) {
    const change = {
      kind,
      losesDisk: value === "file",
      want: (pod: (typeof pods)[number]) => pod.has.set(kind, value),
    };
    time.after(at * SECOND, () => rollOut(change));
  }
  await time.runUntil(1000 * SECOND, nothing);
  return noted;
}

test("a rollout starts the pods again one after another", async () => {
  expect(await rolledOut(1, [[0, "image", "v2"]])).toEqual(["1 a v2", "21 b v2", "41 c v2"]);
  const one = await rolledOut(1, [
    [0, "image", "v2"],
    [100, "image", "v2"],
  ]);
  expect(one).toHaveLength(6);
});

test("a change during a rollout begins it anew, and pods that were not reached go straight to the newest template", async () => {
  const noted = await rolledOut(1, [
    [0, "image", "v2"],
    [25, "image", "v3"],
  ]);
  expect(noted).toEqual(["1 a v2", "21 b v2", "26 a v3", "46 b v3", "66 c v3"]);
});

test("a pod that skipped a change of its image has that image and the newest file", async () => {
  const noted = await rolledOut(1, [
    [0, "image", "v2"],
    [5, "template-file", "file"],
  ]);
  expect(noted).toEqual([
    "1 a v2",
    "6 a v2 file without its disk",
    "26 b v2 file without its disk",
    "46 c v2 file without its disk",
  ]);
});

test("a pod that takes long to end starts once, with what is wanted then", async () => {
  const noted = await rolledOut(100, [
    [0, "image", "v2"],
    [30, "image", "v3"],
  ]);
  expect(noted).toEqual(["100 a v3", "120 b v3", "170 c v3"]);
});

test("a pod that started with the newest template is not started again for it", async () => {
  const noted = await rolledOut(10, [
    [0, "image", "v2"],
    [25, "image", "v3"],
  ]);
  expect(noted).toEqual(["10 a v2", "30 b v3", "35 a v3", "75 c v3"]);
});
