import { describe, expect, test } from "vitest";
import type { PlanDocument } from "../../../../provisioner/report/plan-document.ts";
import { planNames, planScreen } from "../../../../provisioner/screens/plan-screen.ts";

const offer = {
  id: 25009214,
  hostId: 5,
  machineId: 50,
  gpus: 1,
  gpu: "RTX 4090",
  dollarsPerHour: 0.221,
  place: "Sweden, SE",
  reliability: 0.998,
  downMbps: 812.3,
  seconds: 41 * 86_400,
  ranking: null,
};

const replacing: PlanDocument = {
  schema: 1,
  at: "2026-11-29T10:00:00.000Z",
  pod: "vast-pod-0",
  label: "k8s_pod=vast-pod-0",
  policy: "sync",
  known: true,
  wouldAct: true,
  state: "provisioning",
  reason: "image_changed",
  message:
    "instance 7835610 (RTX 4090, $0.316/h) has image example/app:2, but image example/app:3 is wanted; it is replaced",
  steps: [
    {
      kind: "withdraw",
      text: "withdraw it from nginx, 10 s to drain",
      instanceId: 7835610,
      offerId: null,
      suppressed: false,
    },
    { kind: "destroy", text: "destroy 7835610 (image_changed)", instanceId: 7835610, offerId: null, suppressed: false },
    { kind: "create", text: "create from offer 25009214", instanceId: null, offerId: 25009214, suppressed: false },
  ],
  obstacle: null,
  image: { wanted: "example/app:3", is: "example/app:2", match: "different" },
  template: { name: "my-template", wanted: "4e17aa01", is: "4e17aa01", match: "same" },
  instance: {
    id: 7835610,
    description: "instance 7835610 (RTX 4090, $0.316/h)",
    status: "running",
    statusMessage: "success, running example/app_2",
    hostId: 77001,
    machineId: 4821,
    ban: null,
    dollarsPerHour: 0.316,
    serving: true,
    probe: { ok: true, host: "203.0.113.9", port: 41234, why: "" },
    endpointProblem: null,
  },
  others: [],
  offers: {
    found: 41,
    foundIsLeast: false,
    left: 2,
    leftIsLeast: false,
    order: "dph_total",
    best: [
      offer,
      { ...offer, id: 25034859, dollarsPerHour: 0.229, place: null, reliability: null, downMbps: null, seconds: null },
    ],
    excluded: [
      { reason: "price", text: "above VAST_MAX_DPH", count: 22, cheapestDollarsPerHour: 0.52 },
      { reason: "banned_host", text: "on a banned host", count: 3, cheapestDollarsPerHour: 0.1 },
    ],
  },
  maxDollarsPerHour: 0.5,
  bans: [{ kind: "host", id: 10479, reason: "start_timeout" }],
  budget: { createsLeft: 4, createsPerHour: 6, freeAt: null },
  creditDollars: 88.2,
  notes: [],
};

const plain = (_style: string, text: string) => text;
const screen = (over: Partial<PlanDocument> = {}, width: number | null = 100) =>
  planScreen({ ...replacing, ...over }, plain, width);

const writing: PlanDocument["steps"][number] = {
  kind: "write_template",
  text: 'edit the template "demo"',
  instanceId: null,
  offerId: null,
  suppressed: false,
};

describe("the screen of plan", () => {
  test("shows wanted beside is, the steps, the offers and why the others fell out", () => {
    expect(screen()).toBe(`vast-pod-0   label k8s_pod=vast-pod-0   policy sync
  instance   7835610   running, serving 203.0.113.9:41234
  image      wanted example/app:3   is example/app:2   DIFFERS
  template   my-template   4e17aa01   same
  host       77001/4821   not banned
  price      $0.316/h   ceiling $0.500/h
Would:  1. withdraw it from nginx, 10 s to drain  2. destroy 7835610 (image_changed)  3. create from offer 25009214
Why:    instance 7835610 (RTX 4090, $0.316/h) has image example/app:2, but image example/app:3 is wanted; it is replaced (image_changed)
Offers: 41 found, 2 left   # taken in the order of dph_total
  #  OFFER     GPU            $/H  PLACE         REL  DOWN    ENDS  HOST
  1  25009214  1x RTX 4090  0.221  Sweden, SE  99.8%   812  in 41d  5/50  <- this one
  2  25034859  1x RTX 4090  0.229  ?               ?     ?       ?  5/50
  out: 22 above VAST_MAX_DPH (the cheapest $0.5200/h), 3 on a banned host
Budget: 4 of 6 creates left this hour   Credit: $88.20   Bans: 1 (host 10479 start_timeout)
`);
  });

  test("leaves out columns that do not fit, and names them", () => {
    const text = screen({}, 60);
    expect(text).toContain("(hidden to fit: REL, DOWN, ENDS, HOST; -o wide shows them)");
    const rows = text.split("\n").filter((line) => /^ {2}[#\d]/.test(line));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(screen({}, null)).toContain("<- this one");
  });

  test("shows what is not known as a question mark", () => {
    const text = screen({
      offers: null,
      bans: null,
      budget: null,
      creditDollars: null,
      notes: ["The credit is unknown (HTTP 403)."],
    });
    expect(text).toContain("Offers: ?");
    expect(text).toContain("Budget: ? creates left   Credit: ?   Bans: ?");
    expect(text).toContain("bans unknown");
    expect(text).toContain("Note: The credit is unknown (HTTP 403).");
  });

  test("says of an offer that is not ranked by its price alone what it ranks as, and why", () => {
    const ranking = { dollarsPerHour: 0.27625, why: "an instance ended there within the last hour\u001b[2J" };
    const offers = replacing.offers && { ...replacing.offers, best: [{ ...offer, ranking }, offer] };
    const lines = screen({ offers }).split("\n");
    expect(lines.filter((line) => line.includes("ranks as"))).toEqual([
      "  offer 25009214 ranks as $0.276/h: an instance ended there within the last hour",
    ]);
  });

  test("says that a full answer of the API shows only the cheapest offers", () => {
    const offers = replacing.offers && { ...replacing.offers, found: 64, foundIsLeast: true };
    expect(screen({ offers })).toContain("Offers: 64 or more found, 2 left");
    expect(screen({ offers })).toContain("  out: of the 64 cheapest 22 above VAST_MAX_DPH");
  });

  test("has no plan without the list", () => {
    const text = screen({
      known: false,
      instance: null,
      steps: [],
      image: { ...replacing.image, is: null, match: "none" },
    });
    expect(text).toContain("instance   ?");
    expect(text).toContain("Would:  ?");
    expect(screen({ instance: null })).toContain("instance   none");
  });

  test("says what prevents the steps", () => {
    const forbidden = replacing.steps.map((step) => ({ ...step, suppressed: true }));
    expect(screen({ steps: forbidden, policy: "observe" })).toMatch(
      /Would: {2}change nothing\n.*\nWanted: 1\. .*\n.*VAST_POLICY=observe forbids it/,
    );
    expect(screen({ obstacle: "it serves on, because there is no offer" })).toMatch(
      /Would: {2}change nothing\n.*\nWanted: 1\. .*\n +it serves on/,
    );
    const [first, ...rest] = replacing.steps;
    expect(screen({ steps: first ? [{ ...first, suppressed: true }, ...rest] : [], policy: "no-destroy" })).toContain(
      "not step 1: VAST_POLICY=no-destroy forbids it",
    );
    expect(screen({ steps: [] })).toContain("Would:  change nothing\nWhy:");
  });

  test("shows what is done all the same", () => {
    const text = screen({ steps: [writing, ...replacing.steps], obstacle: "it serves on, because there is no offer" });
    expect(text).toMatch(/Would: {2}edit the template "demo"\n.*\nWanted: 1\. edit .* {2}2\. .*\n +it serves on/);
  });

  test("names duplicates, bans of the host and a price above the ceiling", () => {
    const instance = replacing.instance && {
      ...replacing.instance,
      ban: { kind: "host" as const, id: 77001, reason: "start_timeout" },
      dollarsPerHour: 0.6,
    };
    const text = screen({ instance, others: [{ id: 8, description: "instance 8 (RTX 4090, $0.2/h)" }] });
    expect(text).toContain("host banned (start_timeout)");
    expect(text).toContain("ABOVE IT");
    expect(text).toContain("duplicate  instance 8");
    const bans = [1, 2, 3, 4].map((id) => ({ kind: "host" as const, id, reason: "start_timeout" }));
    expect(screen({ bans })).toContain(
      "Bans: 4 (host 1 start_timeout, host 2 start_timeout, host 3 start_timeout, ... 1 other)",
    );
  });

  test("lets no text of a stranger control the terminal", () => {
    const evil = "\u001b[2J\u001b]0;owned\u0007\nWould:  nothing\u202e";
    const instance = replacing.instance && {
      ...replacing.instance,
      serving: false,
      probe: null,
      endpointProblem: evil,
      statusMessage: evil,
    };
    const text = screen({
      instance,
      message: evil,
      bans: [{ kind: "host", id: 1, reason: evil }],
      notes: [evil],
      offers: replacing.offers && { ...replacing.offers, best: [{ ...offer, gpu: evil, place: evil }] },
    });
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(text.match(/^Would:/gm)).toHaveLength(1);
  });
});

describe("the names of a plan", () => {
  test("are its steps, for scripts", () => {
    expect(planNames(replacing)).toBe("withdraw/7835610\ndestroy/7835610\ncreate/25009214\n");
  });

  test("are only what is done all the same where something prevents the others", () => {
    expect(planNames({ ...replacing, steps: [writing, ...replacing.steps], obstacle: "no credit" })).toBe(
      "write_template\n",
    );
  });

  test("are none where nothing would be done", () => {
    expect(planNames({ ...replacing, wouldAct: false })).toBe("");
    expect(planNames({ ...replacing, steps: replacing.steps.map((step) => ({ ...step, suppressed: true })) })).toBe("");
  });
});
