import { describe, expect, test } from "vitest";
import { SettingsError } from "../../../../common/settings.ts";
import { readOptions } from "../../../../provisioner/commands/reap.ts";
import type { LookupResult } from "../../../../provisioner/kubernetes/cluster.ts";
import { type ReapParts, reap } from "../../../../provisioner/teardown/orphans.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeLog, type Journal, vastError } from "../fakes.ts";
import { HOUR, MINUTE, NOW, row } from "../plan/situation.ts";

const PREFIX = "k8s_pod=vast-pod-";
const found = (kind: string, items: unknown[]): LookupResult => ({ kind: "found", body: { kind, items } });
const set = (replicas: number) => ({ metadata: { name: "vast-pod" }, spec: { replicas } });
const of = (id: number, label: string | null, ageMs = HOUR): Instance => row({ id, label, createdAt: NOW - ageMs });

interface Setup {
  rows?: () => Instance[];
  sets?: LookupResult;
  pods?: LookupResult;
  over?: Partial<ReapParts>;
  destroy?: (id: number) => void;
}

async function run({ rows, sets, pods, over, destroy }: Setup) {
  const journal: Journal = [];
  const printed: string[] = [];
  const forgotten: string[] = [];
  const clock = fakeClock(NOW);
  const destroyed = new Set<number>();
  const client = fakeClient(journal, {
    rows: () => (rows ?? (() => [of(1, `${PREFIX}0`), of(2, `${PREFIX}1`)]))().filter((one) => !destroyed.has(one.id)),
    destroy: (id) => {
      destroy?.(id);
      destroyed.add(id);
    },
  });
  const outcome = await clock.drive(
    reap({
      client,
      cluster: {
        namespace: "models",
        get: async () => ({ kind: "unknown", why: "only lists are needed" }),
        post: async () => ({ kind: "unknown", why: "only lists are needed" }),
        patch: async () => ({ kind: "unknown", why: "only lists are needed" }),
        list: async (path) => {
          journal.push(`cluster ${path}`);
          if (path.endsWith("/statefulsets")) return sets ?? found("StatefulSetList", [set(1)]);
          return pods ?? found("PodList", [{ metadata: { name: "vast-pod-0" } }]);
        },
      },
      clock,
      log: fakeLog().log,
      prefix: PREFIX,
      label: undefined,
      setDeleted: false,
      youngerThanMs: 30 * MINUTE,
      atMost: 5,
      dryRun: false,
      print: (text) => void printed.push(text),
      forgetPods: async (labels) => void forgotten.push(...labels),
      ...over,
    }),
  );
  const destroys = journal.filter((entry) => entry.startsWith("destroy"));
  return { outcome, journal, destroys, forgotten, printed: printed.join("\n") };
}

describe("reap", () => {
  test("destroys the instance of a pod that is not wanted, verifies it with a list, and keeps the wanted one", async () => {
    const { outcome, destroys, forgotten } = await run({});
    expect(outcome).toEqual({ done: true, problem: null, orphans: [2], gone: [2], left: [] });
    expect(destroys).toHaveLength(1);
    expect(forgotten).toEqual([`${PREFIX}1`]);
  });

  test("lists the instances first and the cluster afterwards", async () => {
    const { journal } = await run({});
    expect(journal[0]).toMatch(/^list/);
    expect(journal.slice(1, 3)).toEqual([
      "cluster /apis/apps/v1/namespaces/models/statefulsets",
      "cluster /api/v1/namespaces/models/pods",
    ]);
  });

  test("only lists the orphans without --yes", async () => {
    const { outcome, destroys, printed } = await run({ over: { dryRun: true } });
    expect(destroys).toEqual([]);
    expect(outcome).toMatchObject({ done: true, orphans: [2], gone: [] });
    expect(printed).toContain(`Orphan: instance 2`);
    expect(printed).toContain("add --yes");
  });

  test("keeps an instance whose pod still exists, and a young one", async () => {
    const pods = found("PodList", [{ metadata: { name: "vast-pod-1" } }]);
    expect((await run({ pods })).destroys).toEqual([]);
    expect((await run({ rows: () => [of(2, `${PREFIX}1`, 29 * MINUTE)] })).destroys).toEqual([]);
  });

  test("keeps an instance of unknown age, and says so", async () => {
    const { destroys, printed } = await run({ rows: () => [row({ id: 2, label: `${PREFIX}1`, createdAt: null })] });
    expect(destroys).toEqual([]);
    expect(printed).toContain("its age is unknown: instance 2");
  });

  describe("destroys nothing and fails when the prefix may match other pods' labels", () => {
    const other = { metadata: { name: "staging-vast-pod" }, spec: { replicas: 1 } };
    const labelled = (value: string, where: "initContainers" | "containers" = "initContainers") => ({
      ...set(1),
      spec: { replicas: 1, template: { spec: { [where]: [{ env: [{ name: "VAST_LABEL", value }] }] } } },
    });
    test.each<[string, Setup, RegExp]>([
      [
        "no StatefulSet has the name at its end",
        { sets: found("StatefulSetList", [other]) },
        /has no StatefulSet vast-pod: correct --prefix.*--set-deleted/,
      ],
      [
        "the StatefulSet gives its pods another label",
        { sets: found("StatefulSetList", [labelled("k8s_pod=staging/$(POD_NAME)")]) },
        /label their instances k8s_pod=staging\/vast-pod-0/,
      ],
      [
        "its main container does",
        { sets: found("StatefulSetList", [labelled("k8s_pod=staging/vast-pod-0", "containers")]) },
        /label their instances k8s_pod=staging\/vast-pod-0/,
      ],
      [
        "the settings name another label",
        { over: { label: "k8s_pod=staging/$(POD_NAME)" } },
        /label their instances k8s_pod=staging\/vast-pod-0/,
      ],
    ])("because %s", async (_, setup, why) => {
      const { outcome, destroys, printed } = await run(setup);
      expect(destroys).toEqual([]);
      expect(outcome.done).toBe(false);
      expect(printed).toMatch(why);
    });

    test("because no pod here has such labels: the instance of a stranger is kept", async () => {
      const rows = () => [of(2, "vast-pod-6")];
      const { outcome, destroys, printed } = await run({ rows, over: { prefix: "vast-pod-" } });
      expect([outcome.done, destroys]).toEqual([false, []]);
      expect(printed).toContain(
        "the pods of vast-pod label their instances k8s_pod=vast-pod-0 (VAST_LABEL), which is not --prefix vast-pod-",
      );
    });

    test("also while no instance has such a label", async () => {
      const { outcome } = await run({ rows: () => [], over: { label: "k8s_pod=prod/$(POD_NAME)" } });
      expect(outcome.done).toBe(false);
    });

    test("but works when the label fits, or with --set-deleted", async () => {
      const fitting = found("StatefulSetList", [labelled("k8s_pod=$(POD_NAME)")]);
      expect((await run({ sets: fitting })).outcome.gone).toEqual([2]);
      const deleted = {
        sets: found("StatefulSetList", [other]),
        pods: found("PodList", [{ metadata: { name: "x" } }]),
      };
      expect((await run({ ...deleted, over: { setDeleted: true } })).outcome.gone).toEqual([1, 2]);
    });
  });

  test.each([
    null,
    "",
    "k8s_pod=other-1",
    "k8s_pod=vast-pod-",
    "k8s_pod=vast-pod-x",
    "k8s_pod=vast-pod-01",
    "xk8s_pod=vast-pod-1",
    "k8s_pod=vast-pod-1 ",
  ])("never touches an instance with the label %j", async (label) => {
    const { destroys } = await run({ rows: () => [of(2, label)] });
    expect(destroys).toEqual([]);
  });

  test.each<[string, Setup]>([
    [
      "the instances are unknown",
      {
        rows: () => {
          throw vastError("unavailable");
        },
      },
    ],
    ["the StatefulSets are unknown", { sets: { kind: "unknown", why: "403" } }],
    ["the pods are unknown", { pods: { kind: "unknown", why: "no answer in time" } }],
    ["no StatefulSet is listed", { sets: found("StatefulSetList", []) }],
    ["no pod is listed", { pods: found("PodList", []) }],
    ["the StatefulSets are missing", { sets: { kind: "missing", body: {} } }],
  ])("destroys nothing and fails when %s", async (_, setup) => {
    const { outcome, destroys, printed } = await run(setup);
    expect(destroys).toEqual([]);
    expect(outcome.done).toBe(false);
    expect(printed).toContain("Nothing is destroyed");
  });

  test("an empty list of instances is nothing to do", async () => {
    expect((await run({ rows: () => [] })).outcome).toEqual({
      done: true,
      problem: null,
      orphans: [],
      gone: [],
      left: [],
    });
  });

  test("destroys at most --at-most instances in one run, the oldest first", async () => {
    const rows = () => [5, 3, 4].map((n) => of(n, `${PREFIX}${n}`, n * HOUR));
    const { outcome, printed } = await run({ rows, over: { atMost: 2 } });
    expect(outcome).toMatchObject({ orphans: [5, 4, 3], gone: [5, 4], left: [3] });
    expect(printed).toContain("This run destroys the 2 oldest of 3 orphans");
  });

  test.each(["rate_limited", "unavailable", "auth"] as const)(
    "sends a destroy that the API did not accept again: %s",
    async (kind) => {
      let refusals = 3;
      const destroy = () => {
        refusals -= 1;
        if (refusals >= 0) throw vastError(kind);
      };
      const { outcome, destroys } = await run({ destroy });
      expect(outcome).toMatchObject({ done: true, gone: [2], left: [] });
      expect(destroys).toHaveLength(4);
    },
  );

  test("sends no destroy again to an instance that has got another label meanwhile", async () => {
    let lists = 0;
    const rows = () => [of(2, ++lists === 1 ? `${PREFIX}1` : "kept by hand")];
    const destroy = () => {
      throw vastError("rate_limited");
    };
    const { outcome, destroys } = await run({ rows, destroy });
    expect(destroys).toEqual(["destroy 2"]);
    expect(outcome).toMatchObject({ done: false, left: [2] });
  });

  test("fails when an instance is still listed at the deadline, and names it", async () => {
    const { outcome, printed } = await run({
      destroy: () => {
        throw vastError("unavailable");
      },
    });
    expect(outcome).toMatchObject({ done: false, gone: [], left: [2] });
    expect(printed).toContain("Not verified as destroyed: 2");
  });
});

describe("the options of reap", () => {
  test("have defaults", () => {
    expect(readOptions({ prefix: PREFIX })).toEqual({ prefix: PREFIX, atMost: 5, youngerThanMinutes: 30 });
    expect(readOptions({ prefix: PREFIX, "at-most": "1", "younger-than-minutes": "0" })).toMatchObject({
      atMost: 1,
      youngerThanMinutes: 0,
    });
  });

  test("are refused together, each with what to change", () => {
    const refused = () => readOptions({ "at-most": "0", "younger-than-minutes": "soon" });
    expect(refused).toThrow(SettingsError);
    expect(refused).toThrow(/--prefix must be[\s\S]*--at-most must be[\s\S]*--younger-than-minutes must be/);
  });

  test.each(["", "k8s_pod=", "k8s_pod=vast-pod", "has blanks -"])(
    "refuse the prefix %j, which could match other labels",
    (prefix) => {
      expect(() => readOptions({ prefix })).toThrow(/--prefix/);
    },
  );
});
