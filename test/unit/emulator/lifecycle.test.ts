import { describe, expect, it } from "vitest";
import { dump, listed, rent, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
const words = (t: Trial, id: number) => {
  const row = listed(t, id);
  return row && [row.intended_status, row.cur_state, row.next_state, row.actual_status];
};
/** An emulator with a running instance, which booted in ten seconds. */
function up(body = {}, offer = {}): { t: Trial; id: number } {
  const t = trial({ settings: { bootSeconds: 10 } });
  const id = rent(t, body, offer);
  t.pass(10);
  return { t, id };
}
const happens = (t: Trial, id: number, event: string, body = {}) => {
  const answer = t.order("POST", `instances/${id}/${event}`, body);
  expect(answer.status).toBe(200);
};

describe("the life of an instance", () => {
  it("goes from null over loading and created to running", () => {
    const t = trial({ settings: { bootSeconds: 10 } });
    const id = rent(t);
    expect(words(t, id)).toEqual(["running", "running", "running", null]);
    t.pass(1);
    expect(words(t, id)).toEqual(["running", "running", "running", "loading"]);
    t.pass(8);
    expect(words(t, id)).toEqual(["running", "running", "running", "created"]);
    t.pass(1);
    expect(words(t, id)).toEqual(["running", "running", "running", "running"]);
    expect(listed(t, id)?.status_msg).toBe("success, running example/app_1/args\n");
  });

  it("computes the pull time from the image's size and the machine's bandwidth", { timeout: 180_000 }, () => {
    const bootTime = (sizeGb: number, inetDown: number) => {
      const t = trial({ settings: { images: { "example/app:1": { sizeGb } } } });
      const id = rent(t, { disk: 200 }, { inet_down: inetDown });
      for (let s = 0; s < HOUR; s++) {
        t.pass(1);
        if (t.emulator.world.instances.get(id)?.actualStatus === "running") return s;
      }
      return HOUR;
    };
    expect(bootTime(2, 4000)).toBeLessThan(60);
    expect(bootTime(20, 4000)).toBeGreaterThan(bootTime(2, 4000));
    expect(bootTime(20, 200)).toBeGreaterThan((20 * 8000) / 200);
  });

  it("fails to pull with the daemon's text and stays loading", () => {
    const t = trial({ settings: { images: { "example/app:1": { failure: "manifest for example/app:1 not found" } } } });
    const id = rent(t);
    t.pass(HOUR);
    expect(words(t, id)?.[3]).toBe("loading");
    expect(listed(t, id)?.status_msg).toBe("manifest for example/app:1 not found\n");
  });

  it("exits right after its start with the daemon's text if the image rule says so, and never listens", () => {
    const crash = "exec /start.sh: exec format error";
    const t = trial({ settings: { images: { "example/app:1": { crash } }, bootSeconds: 10 } });
    const id = rent(t);
    for (let s = 0; s < 60; s += 1) {
      t.pass(1);
      expect(t.emulator.world.instances.get(id)?.serving).toBe(false);
    }
    expect(words(t, id)).toEqual(["running", "running", "running", "exited"]);
    expect(listed(t, id)?.status_msg).toBe(`${crash}\n`);
  });

  it("runs out of disk when the image is larger than the instance's", () => {
    const t = trial({ settings: { images: { "example/app:1": { sizeGb: 12 } }, bootSeconds: 10 } });
    const id = rent(t, { disk: 20 });
    t.pass(HOUR);
    expect(listed(t, id)).toMatchObject({
      actual_status: "loading",
      status_msg: expect.stringContaining("no space left"),
    });
  });

  it("reports a failed pull that a test triggers", () => {
    const { t, id } = up();
    happens(t, id, "pull-failure", { text: "toomanyrequests: pull rate limit" });
    expect(listed(t, id)).toMatchObject({ actual_status: "loading", status_msg: "toomanyrequests: pull rate limit\n" });
  });

  it("stays where a failure left it: what was to come next no longer comes", () => {
    const t = trial({ settings: { bootSeconds: 10 } });
    const id = rent(t);
    t.pass(9.5);
    happens(t, id, "pull-failure");
    t.pass(HOUR);
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["loading", 0]);
  });

  it("shows an OCI failure as created, stopped by the host, and frees the cards", () => {
    const { t, id } = up();
    happens(t, id, "oci-failure");
    expect(words(t, id)).toEqual(["running", "stopped", "stopped", "created"]);
    expect(listed(t, id)?.status_msg).toContain("OCI runtime create failed");
    expect(t.emulator.world.market.offers.size).toBe(1);
  });

  it("exits and recovers on the same ports", () => {
    const { t, id } = up();
    const { endpoints } = dump(t, id);
    happens(t, id, "exit");
    expect(words(t, id)).toEqual(["running", "running", "running", "exited"]);
    expect(t.emulator.endpoints()).toEqual([]);
    happens(t, id, "recover");
    expect(words(t, id)?.[3]).toBe("running");
    expect(dump(t, id).endpoints).toEqual(endpoints);
    expect(t.emulator.endpoints()).toHaveLength(1);
  });

  it("restarts with other port numbers", () => {
    const { t, id } = up();
    const { endpoints } = dump(t, id);
    happens(t, id, "restart");
    expect([words(t, id)?.[3], listed(t, id)?.ports]).toEqual(["exited", null]);
    t.pass(2);
    expect(words(t, id)?.[3]).toBe("loading");
    t.pass(10);
    expect(words(t, id)?.[3]).toBe("running");
    expect(dump(t, id).endpoints).not.toEqual(endpoints);
  });

  it("loses its host, which may keep serving", () => {
    const { t, id } = up();
    happens(t, id, "offline", { reachable: true });
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["offline", 1]);
    happens(t, id, "offline");
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["offline", 0]);
    happens(t, id, "unknown");
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["unknown", 0]);
    happens(t, id, "recover");
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["running", 1]);
  });

  it("is outbid: everything says stopped, and it comes back when the other bid goes", () => {
    const { t, id } = up({ price: 0.3 }, { min_bid: 0.2 });
    happens(t, id, "outbid");
    expect(words(t, id)).toEqual(["stopped", "stopped", "stopped", "exited"]);
    expect(t.emulator.world.market.offers.size).toBe(0);
    t.pass(14 * 24 * HOUR);
    expect(words(t, id)?.[1]).toBe("stopped");
    happens(t, id, "free");
    t.pass(20);
    expect(words(t, id)).toEqual(["running", "running", "running", "running"]);
  });

  it("can report an outbid instance as intended running", () => {
    const { t, id } = up({ price: 0.3 }, { min_bid: 0.2 });
    t.order("POST", "settings", { outbidIntendedStatus: "running" });
    happens(t, id, "outbid");
    expect(words(t, id)?.slice(0, 2)).toEqual(["running", "stopped"]);
  });

  it("resumes an outbid instance whose bid is raised over the machine's minimum", () => {
    const { t, id } = up({ price: 0.3 }, { min_bid: 0.2 });
    happens(t, id, "outbid", { minBid: 0.4 });
    const bid = (price: number) => t.api("PUT", `/api/v0/instances/bid_price/${id}/`, { client_id: "me", price });
    expect(bid(0.35).status).toBe(200);
    expect(words(t, id)?.[1]).toBe("stopped");
    expect(bid(0.5).status).toBe(200);
    t.pass(20);
    expect(words(t, id)?.[3]).toBe("running");
    expect(bid(0).body).toEqual({ success: false, error: "invalid_args", msg: "Please set a bid price >= 0.001." });
    expect(bid(33).status).toBe(400);
  });

  it("moves to another address and other ports", () => {
    const { t, id } = up();
    const [before] = t.emulator.endpoints();
    happens(t, id, "move", { ip: "127.0.0.2" });
    const [after] = t.emulator.endpoints();
    expect([after?.ip, after?.port === before?.port]).toEqual(["127.0.0.2", false]);
    expect(listed(t, id)?.public_ipaddr).toBe("127.0.0.2\n");
  });

  it("is destroyed in the console at once", () => {
    const { t, id } = up();
    happens(t, id, "kill");
    expect([listed(t, id), dump(t, id).endedBy, t.emulator.endpoints().length]).toEqual([null, "console", 0]);
  });

  it("runs muted: nothing listens until it is unmuted", () => {
    const { t, id } = up();
    happens(t, id, "mute");
    expect([words(t, id)?.[3], t.emulator.endpoints().length]).toEqual(["running", 0]);
    happens(t, id, "unmute");
    expect(t.emulator.endpoints()).toHaveLength(1);
  });

  it("sticks in loading until it is unstuck", () => {
    const t = trial({ settings: { bootSeconds: 10 } });
    const id = rent(t);
    happens(t, id, "stick");
    t.pass(HOUR);
    expect(words(t, id)?.[3]).toBe("loading");
    happens(t, id, "unstick");
    t.pass(10);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("never boots on a host with `neverBoots`, until that is taken back", () => {
    const t = trial({ settings: { bootSeconds: 10 } });
    t.order("POST", "hosts/77001", { neverBoots: true });
    const id = rent(t, {}, { host_id: 77_001 });
    t.pass(HOUR);
    expect(words(t, id)?.[3]).toBe("loading");
    t.order("POST", "hosts/77001", { neverBoots: false });
    t.pass(10);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("boots in the `bootSeconds` of its host", () => {
    const t = trial({ settings: { bootSeconds: 10 } });
    t.order("POST", "hosts/77001", { bootSeconds: 100 });
    const id = rent(t, {}, { host_id: 77_001 });
    t.pass(99);
    expect(words(t, id)?.[3]).toBe("created");
    t.pass(1);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("stops everything when the credit is used up, and still charges disks", () => {
    const t = trial({ settings: { bootSeconds: 0 } });
    t.order("POST", "account", { credit: 1 });
    const id = rent(t); // 0.36 $/h and a disk of 0.15 * 20 / 720 $/h
    t.pass(2.5 * HOUR);
    expect(words(t, id)?.[3]).toBe("running");
    t.pass(0.3 * HOUR);
    expect(words(t, id)).toEqual(["stopped", "stopped", "stopped", "exited"]);
    expect(dump(t, id).cost).toEqual({
      traffic: 0,
      gpu: expect.closeTo(0.36 * (1 / (0.36 + 0.15 / 36)), 6),
      disk: expect.closeTo((2.8 * 0.15) / 36, 6),
    });
    expect(t.api("PUT", `/api/v0/instances/${id}/`, { state: "running" }).body.error).toBe("insufficient_credit");
  });

  it("stops at once when a test takes the credit away", () => {
    const { t, id } = up();
    t.order("POST", "account", { credit: 0 });
    expect(words(t, id)).toEqual(["stopped", "stopped", "stopped", "exited"]);
  });

  it("stops at the contract's end date and is deleted 48 h later", () => {
    const { t, id } = up({}, { duration: 5 * HOUR });
    t.pass(5 * HOUR);
    expect(words(t, id)).toEqual(["stopped", "stopped", "stopped", "exited"]);
    t.pass(47 * HOUR);
    expect(listed(t, id)).not.toBeNull();
    t.pass(HOUR);
    expect([listed(t, id), dump(t, id).endedBy]).toEqual([null, "end_date"]);
  });

  it("reboots on its GPUs", () => {
    const { t, id } = up();
    expect(t.api("PUT", `/api/v0/instances/reboot/${id}/`).body).toEqual({ success: true });
    expect(words(t, id)).toEqual(["running", "running", "running", "rebooting"]);
    t.pass(20);
    expect(words(t, id)?.[3]).toBe("running");
    expect(t.api("PUT", "/api/v0/instances/reboot/9/").body.error).toBe("invalid_args");
  });

  it("starts soon after a reboot because the image is there, and pulls it again when it is recycled", () => {
    const t = trial({ settings: { images: { "example/app:1": { sizeGb: 10 } } } });
    const id = rent(t, { disk: 100 }, { inet_down: 100 }); // 800 s for the pull alone
    t.pass(HOUR);
    t.api("PUT", `/api/v0/instances/reboot/${id}/`);
    t.pass(60);
    expect(words(t, id)?.[3]).toBe("running");
    t.api("PUT", `/api/v0/instances/recycle/${id}/`);
    t.pass(700);
    expect(words(t, id)?.[3]).toBe("loading");
    t.pass(HOUR);
    expect(words(t, id)?.[3]).toBe("running");
  });

  it("applies an updated template when it is recycled, not before", () => {
    const { t, id } = up();
    const made = t.api("POST", "/api/v0/template/", { name: "next", image: "example/app:2", env: "-p 9000:9000" });
    const hash = (made.body.template as { hash_id: string }).hash_id;
    const updated = t.api("PUT", `/api/v0/instances/update_template/${id}/`, { id, template_hash_id: hash });
    expect(updated.body.success).toBe(true);
    expect(listed(t, id)).toMatchObject({ image_uuid: "example/app:1", template_hash_id: null });
    expect(t.api("PUT", `/api/v0/instances/recycle/${id}/`).body).toEqual({ success: true });
    expect(words(t, id)?.[3]).toBe("recycling");
    t.pass(20);
    expect(listed(t, id)).toMatchObject({
      image_uuid: "example/app:2",
      template_hash_id: hash,
      actual_status: "running",
    });
    expect(t.emulator.endpoints().map((one) => one.container)).toEqual([9000]);
    expect(t.api("PUT", "/api/v0/instances/recycle/9/").body.error).toBe("invalid_id");
  });

  it("shows row fields that a test overrides", () => {
    const { t, id } = up();
    happens(t, id, "row", { actual_status: "teleporting", ports: { "8000/tcp": null } });
    expect(listed(t, id)).toMatchObject({ actual_status: "teleporting", ports: { "8000/tcp": null } });
  });
});
