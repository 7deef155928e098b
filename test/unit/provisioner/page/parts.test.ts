import { describe, expect, test } from "vitest";
import { writtenAt, writtenByBrowser } from "../../../../provisioner/page/instants.ts";
import { partsOf, toneOf } from "../../../../provisioner/page/parts.ts";
import type { StatusDocument } from "../../../../provisioner/report/status-document.ts";
import { HOSTILE_TEXT, INSTANCE, LOADING, NOW, READY, STARTING, TROUBLE } from "./sample-status.ts";

/** What a reader sees of a part: its text, one line an element. */
function seen(status: StatusDocument, part: keyof ReturnType<typeof partsOf>): string {
  return partsOf(status, writtenAt(NOW))
    [part].replace(/<\/(dt|dd|p|h2|h3|small|b|span|div|code|article)>/g, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&#39;/g, "'")
    .replace(/\s*\n\s*/g, "\n")
    .trim();
}

describe("a pod that serves", () => {
  test("says its state in words, since when, and the sentence", () => {
    const head = seen(READY, "head");
    expect(head).toContain("ready");
    expect(head).toContain("for 3d 4h, since 11-26 06:31 UTC");
    expect(head).toContain("is serving at 203.0.113.9:41234");
    expect(head).not.toMatch(/Problem|Note|policy/);
  });

  test("says what it costs, and has cost, and how long the credit lasts", () => {
    const money = seen(READY, "money");
    for (const text of [
      "estimates",
      "price now\n$0.316/h\nlimit $0.500/h",
      "a month at this rate\n$230.68",
      "this instance\n$24.02",
      "paid\n$62.94",
      "wasted\n$1.20\n2% of it, while nothing was served",
      "billed by Vast\n?",
      "credit of the account\n$88.20\nlasts 11d for this pod alone, read 5m ago",
      "creates left this hour\n6",
    ])
      expect(money).toContain(text);
  });

  test("does not count the days of a credit for years", () => {
    const status = { ...READY, money: { ...READY.money, creditDollars: 10_000 } };
    expect(seen(status, "money")).toContain("$10000.00\nlasts over a year for this pod alone");
  });

  test("says what was really billed when that is known", () => {
    const billed = { dollars: 70.5, since: "2026-11-20T08:00:00.000Z", at: NOW };
    const status = { ...READY, money: { ...READY.money, billed } };
    expect(seen(status, "money")).toContain("billed by Vast\n$70.50\nin 9d 2h, with traffic");
  });

  test("names the bans, at most ten of them, and how to see when they end", () => {
    const ban = (id: number, over = {}) => ({ kind: "host", id, reason: "start_timeout", written: true, ...over });
    expect(seen(READY, "bans")).toContain("None.");
    expect(seen({ ...READY, bans: null }, "bans")).toContain("Not known.");
    const two = seen({ ...READY, bans: [ban(10_479), ban(7, { reason: "<b>slow</b>", written: false })] }, "bans");
    expect(two).toContain("host 10479\nstart_timeout");
    expect(two).toContain("host 7\n&lt;b&gt;slow&lt;/b&gt;\n, of this pod alone until Redis answers");
    const many = seen({ ...READY, bans: Array.from({ length: 12 }, (_, at) => ban(at)) }, "bans");
    expect(many).toContain("host 9\n");
    expect(many).not.toContain("host 10\n");
    expect(many).toContain("and 2 others. ");
    expect(many).toContain("bans list\nshows all of them, with when they end.");
  });

  test("says what nginx has", () => {
    expect(seen(READY, "proxy")).toContain("nginx has\nthe same, generation 14");
    const silent = { ...READY, proxy: null };
    expect(seen(silent, "proxy")).toContain("nginx has\nunknown: the reloader does not answer");
    const behind = { ...READY, proxy: { appliedGeneration: 13, state: "reloading", problem: null } };
    expect(seen(behind, "proxy")).toContain("nginx has\ngeneration 13, wanted is 14 (reloading)");
  });

  test("lists what happened, the newest first", () => {
    const history = seen(READY, "history");
    expect(history).toContain("the last 4");
    expect(history.indexOf("is serving")).toBeLessThan(history.indexOf("start_timeout"));
  });

  test("says how old its knowledge is", () => {
    expect(seen(READY, "foot")).toContain("instance list read 11s ago · pass 40210 finished 2s ago · up 9d 2h");
  });
});

describe("a pod that waits", () => {
  test("says for what, until when, and what happens then, with the share of the time that has passed", () => {
    const next = seen(LOADING, "next");
    expect(next).toContain("Waiting for the instance 7835611 to become ready.");
    expect(next).toContain("looks again\nin 8s");
    expect(next).toContain("until\nin 13m, 10:45:00 UTC");
    expect(next).toContain("then\nit is destroyed, its host 77002 is banned, and another one is rented");
    expect(partsOf(LOADING, writtenAt(NOW)).next).toContain(
      '<progress data-from="2026-11-29T10:25:00.000Z" data-to="2026-11-29T10:45:00.000Z" max="1">',
    );
  });

  test("says what Vast says while the image is pulled, and nothing of it afterwards", () => {
    expect(seen(LOADING, "instances")).toContain("Vast says\n4f4fb700ef54: Downloading 3.1GB/9.8GB");
    expect(seen(READY, "instances")).not.toContain("Vast says");
  });

  test("says that it routes to nothing", () => {
    expect(seen(LOADING, "proxy")).toContain("routes to\nnothing (503)");
  });
});

describe("a pod before its first pass", () => {
  test("takes nothing unknown for none", () => {
    expect(seen(STARTING, "head")).toContain("The first look at the instance list has not finished.");
    expect(seen(STARTING, "instances")).toContain("whether an instance exists and is billed is unknown too");
    expect(seen(STARTING, "money")).toContain("price now\n?");
    expect(seen(STARTING, "money")).toContain("paid\n?\nnot counted yet\nwasted\n?");
    expect(seen(STARTING, "money")).toContain("credit of the account\n?\nnot read yet");
    expect(seen(STARTING, "foot")).toContain("instance list not read yet · the first pass runs");
  });

  test("says what would be rented if the policy allowed it", () => {
    const wouldRent = { at: READY.at, offer: null, message: "would rent offer 5 (<b>RTX</b>)" };
    expect(partsOf({ ...STARTING, wouldRent }, writtenByBrowser).head).toContain(
      "With VAST_POLICY=sync it would rent offer 5 (&lt;b&gt;RTX&lt;/b&gt;).",
    );
  });

  test("says that nothing is rented only when a list has shown it", () => {
    const none = { ...READY, instances: [] };
    expect(seen(none, "instances")).toContain("No instance has this pod's label: nothing is rented.");
  });
});

describe("trouble", () => {
  const head = seen(TROUBLE, "head");
  test.each([
    "Problem\nthe state file cannot be written: ENOSPC",
    "Problem\nMore than one instance is billed for this pod: 7835612 too.",
    "Problem\nnginx: nginx refused the config: unknown directive",
    "Problem\nThe credit of $12.50 lasts 8h 20m for this pod alone",
    "Note\nThe instance list is unknown (the API answered 502)",
    "Note\nThe bans cannot be read",
    "Note\nThe host of 7835610 raises its price from $0.810/h to $0.950/h.",
    "Note\nInstance 7835610 costs $0.810/h, more than VAST_MAX_DPH ($0.500/h).",
    "Note\nVAST_POLICY=observe: what would be done now is not done (destroy).",
    "policy observe",
  ])("is said at the top: %s", (text) => {
    expect(head).toContain(text);
  });

  test("problems are above notes", () => {
    expect(head.lastIndexOf("Problem")).toBeLessThan(head.indexOf("Note"));
  });

  test("instances that should not be there stand out, and say that they are billed", () => {
    const instances = seen(TROUBLE, "instances");
    expect(instances).toContain("7835612\nnot the pod's own, is billed");
    expect(instances).toContain("7835613\nis being destroyed, may still be billed");
  });

  test("an instance that is being destroyed is shown also when no list shows it", () => {
    const pending = { id: 9, reason: "image_changed", since: "2026-11-29T10:30:02.000Z", deleteSentAt: null };
    const status = { ...READY, pendingDeletes: [pending, { ...pending, id: INSTANCE.id }] };
    const instances = seen(status, "instances");
    expect(instances).toContain("9\nis being destroyed, may still be billed\nimage_changed\n, ordered 1m ago");
    expect(instances.match(/is being destroyed/g)).toHaveLength(1);
  });

  test("no part has HTML of a host in it", () => {
    const everywhere: StatusDocument = {
      ...TROUBLE,
      pod: HOSTILE_TEXT,
      label: HOSTILE_TEXT,
      message: HOSTILE_TEXT,
      reason: HOSTILE_TEXT,
      problem: HOSTILE_TEXT,
      desired: { image: HOSTILE_TEXT, template: HOSTILE_TEXT },
      history: TROUBLE.history.map((one) => ({ ...one, message: HOSTILE_TEXT, reason: HOSTILE_TEXT })),
      instances: TROUBLE.instances.map((one) => ({ ...one, image: HOSTILE_TEXT, status: HOSTILE_TEXT })),
    };
    const text = Object.values(partsOf(everywhere, writtenAt(NOW))).join("");
    expect(text).toContain("&lt;img");
    expect(text).not.toMatch(/<img|<script|\u202E/);
  });
});

test("a state that this version does not know is shown like a change", () => {
  expect(toneOf("another")).toBe("busy");
});

test("an update does not change because time goes on", () => {
  const later = { ...READY, at: "2026-11-29T10:31:12.000Z" };
  expect(partsOf(later, writtenByBrowser)).toEqual(partsOf(READY, writtenByBrowser));
});
