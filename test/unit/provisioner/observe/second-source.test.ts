import { expect, test } from "vitest";
import { known, type Why } from "../../../../provisioner/model/observation.ts";
import type { Listed, ListReader } from "../../../../provisioner/observe/list-reader.ts";
import { withSecondSource } from "../../../../provisioner/observe/second-source.ts";
import { emptyState, type State } from "../../../../provisioner/state/schema.ts";
import { VastError } from "../../../../provisioner/vast/errors.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, type Journal } from "../fakes.ts";
import { LABEL, MINUTE, NOW, row, SECOND, servingTrack, state, tracks } from "../plan/situation.ts";

const why: Why = { message: "GET /api/v1/instances/: HTTP 500", account: null };
const one = row();
const knowing = state({ tracks: tracks(one.id, servingTrack()) });
const intent = (contract: number | null): State["intent"] => ({
  offerId: 5,
  dollarsPerHour: null,
  hostId: null,
  machineId: null,
  label: LABEL,
  startedAt: NOW,
  contract,
});

interface Script {
  state?: State;
  pods?: number;
  show?: (id: number) => Instance | null;
  /** What the list's reader answers; null: no news. */
  list?: (at: number) => Listed | null;
}

function secondSource(script: Script = {}) {
  const clock = fakeClock(NOW);
  const journal: Journal = [];
  const asked: (Listed | null)[] = [];
  const failed = (at: number): Listed => ({ listedAt: at, list: { known: false, why }, apiFailed: true });
  const read = async (last: Listed | null) => {
    asked.push(last);
    return (script.list ?? failed)(clock.now());
  };
  const lists: ListReader = {
    begin: async () => undefined,
    next: read,
    again: read,
    wakeAt: (last) => (last?.list.known === false ? 1 : 2),
    templateIsNeeded: () => true,
  };
  const source = withSecondSource({
    lists,
    client: fakeClient(journal, { show: script.show ?? (() => one) }),
    clock,
    label: LABEL,
    state: () => script.state ?? knowing,
    pods: () => script.pods ?? 1,
  });
  return { clock, journal, asked, source, script };
}

test("a list that fails: the row of the one known instance counts, marked as partial", async () => {
  const { source, journal } = secondSource();
  expect(await source.next(null, "starting")).toEqual({ listedAt: NOW, list: known([one]), partial: why });
  expect(journal).toEqual([`show ${one.id}`]);
});

test("the contract of a create is asked for as well", async () => {
  const { source, journal } = secondSource({ state: state({ intent: intent(4) }), show: () => row({ id: 4 }) });
  expect(await source.next(null, "starting")).toMatchObject({ partial: why });
  expect(journal).toEqual(["show 4"]);
});

test.each<[string, Script]>([
  ["the API shows no such instance", { show: () => null }],
  ["it has another label", { show: () => row({ label: `${LABEL}0` }) }],
  [
    "the API fails here too",
    {
      show: () => {
        throw new VastError({ kind: "unavailable", call: "GET /api/v0/instances/7/", status: 500, slug: "", text: "" });
      },
    },
  ],
])("the list stays unknown, and not empty, when %s", async (_, script) => {
  const { source, journal } = secondSource(script);
  expect((await source.next(null, "starting"))?.list).toEqual({ known: false, why });
  expect(journal).toHaveLength(1);
});

test("an internal error is not taken for one of the API", async () => {
  const { source } = secondSource({
    show: () => {
      throw new TypeError("bug");
    },
  });
  await expect(source.next(null, "starting")).rejects.toThrow("bug");
});

test.each<[string, Script]>([
  ["no instance is known", { state: emptyState(LABEL) }],
  [
    "the only one is being destroyed",
    { state: { ...knowing, pendingDeletes: [{ id: one.id, reason: "duplicate", since: NOW, deleteSentAt: NOW }] } },
  ],
  ["two are known", { state: { ...knowing, intent: intent(4) } }],
  ["a create may have made another one", { state: { ...knowing, intent: intent(null) } }],
  ["more than ten pods would ask", { pods: 11 }],
  ["the list was answered", { list: (at) => ({ listedAt: at, list: known([]) }) }],
  ["the list was refused by a rate limit", { list: (at) => ({ listedAt: at, list: { known: false, why } }) }],
  [
    "the account is refused",
    {
      list: (at) => ({
        listedAt: at,
        list: { known: false, why: { ...why, account: "auth" as const } },
        apiFailed: true,
      }),
    },
  ],
  ["the list brings no news", { list: () => null }],
])("nobody asks when %s", async (_, script) => {
  const { source, journal } = secondSource(script);
  expect((await source.next(null, "now"))?.partial).toBeUndefined();
  expect(journal).toEqual([]);
});

test("it is asked for every 20 s, every 5 s before a change; between, the last row counts", async () => {
  const { source, journal, clock } = secondSource();
  const first = await source.next(null, "starting");
  await clock.advance(5 * SECOND);
  expect(await source.next(first, "starting")).toBeNull();
  expect(journal).toHaveLength(1);
  const second = await source.next(first, "now");
  expect(second).toMatchObject({ listedAt: NOW + 5 * SECOND, partial: why });
  await clock.advance(20 * SECOND);
  expect(await source.next(second, "ready")).toMatchObject({ listedAt: NOW + 25 * SECOND });
  expect(journal).toHaveLength(3);
});

test("the reader of the list hears of its own answers only", async () => {
  const { source, asked, clock } = secondSource();
  const first = await source.next(null, "starting");
  expect(first?.list.known).toBe(true);
  if (first === null) return;
  await clock.advance(SECOND);
  await source.next(first, "starting");
  expect(asked[1]).toMatchObject({ listedAt: NOW, list: { known: false } });
  expect(source.wakeAt(first, "ready", NOW)).toBe(1);
});

test("a list that is answered again ends it at once", async () => {
  const { source, script, clock } = secondSource();
  const first = await source.next(null, "starting");
  script.list = (at) => ({ listedAt: at, list: known([one]) });
  await clock.advance(SECOND);
  expect(await source.next(first, "starting")).toEqual({ listedAt: NOW + SECOND, list: known([one]) });
});

test("a row counts for two minutes while the list brings no news, then the list is unknown", async () => {
  const { source, script, clock } = secondSource();
  const first = await source.next(null, "starting");
  script.list = () => null;
  await clock.advance(2 * MINUTE - 1);
  expect(await source.next(first, "starting")).toBeNull();
  await clock.advance(1);
  const then = await source.next(first, "starting");
  expect(then?.list).toEqual({ known: false, why });
  expect(await source.next(then, "starting")).toBeNull();
});
