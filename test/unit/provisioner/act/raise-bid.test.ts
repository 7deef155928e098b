// A bid that is raised: what is on disk before the call, and what a refusal or no answer means.
import { describe, expect, test } from "vitest";
import { raiseBid } from "../../../../provisioner/act/raise-bid.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, type Journal, vastError } from "../fakes.ts";
import { NOW, state } from "../plan/situation.ts";

const ID = 7835610;
const action = { kind: "raise_bid", id: ID, dollarsPerHour: 0.3 } as const;
const raised = { instanceId: ID, dollarsPerHour: 0.3, at: NOW, times: 1, refused: null, cheaper: null };

async function raise(changeBid: () => void = () => undefined, mayMutate = true) {
  const journal: Journal = [];
  const { log, lines } = fakeLog();
  const client = fakeClient(journal, { changeBid });
  const disk = fakeDisk(journal);
  const parts = { client, clock: fakeClock(NOW), log, save: disk.save, mayMutate: async () => mayMutate };
  const after = await raiseBid(parts, action, "it is raised", state());
  return { after, journal, saved: disk.saved, lines, bids: client.bids };
}

describe("a bid is raised", () => {
  test("after that is on disk", async () => {
    const { after, journal, saved, bids } = await raise();
    expect(journal).toEqual(["save", `bid ${ID}`]);
    expect(saved[0]?.raisedBid).toEqual(raised);
    expect(after.raisedBid).toEqual(raised);
    expect(bids).toEqual([{ id: ID, dollarsPerHour: 0.3 }]);
  });

  test("not without the lease, and then nothing of it stays", async () => {
    const { after, journal } = await raise(undefined, false);
    expect(journal).toEqual(["save", "save"]);
    expect(after.raisedBid).toBeNull();
  });

  test("and one without an answer may have taken effect: the list shows it", async () => {
    const { after, lines } = await raise(() => {
      throw vastError("unavailable", { status: 502 });
    });
    expect(after.raisedBid).toEqual(raised);
    expect(lines.at(-1)).toMatchObject({ level: "warn", instance: ID });
  });

  test("and a refusal is remembered, with the API's words", async () => {
    const { after, saved } = await raise(() => {
      throw vastError("invalid", { text: "Can't change price of on-demand contract." });
    });
    expect(after.raisedBid?.refused).toContain("Can't change price of on-demand contract.");
    expect(saved.at(-1)).toEqual(after);
  });
});
