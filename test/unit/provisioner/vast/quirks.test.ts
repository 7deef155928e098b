// What the API has been seen to do against its own documentation, each by its symptom, and what the client makes of it.
import { describe, expect, test } from "vitest";
import { phaseOf } from "../../../../provisioner/model/instance-phase.ts";
import { readAnswer } from "../../../../provisioner/vast/answer.ts";
import { createVastClient, type VastClient } from "../../../../provisioner/vast/client.ts";
import { accountTrouble, isOfferGone, isOutcomeUnknown, VastError } from "../../../../provisioner/vast/errors.ts";
import type { ApiCall } from "../../../../provisioner/vast/transport.ts";
import { LABEL, NOW, row, startingRow } from "../plan/situation.ts";

type Answer = { status?: number; text: string };
const json = (body: unknown, status = 200): Answer => ({ status, text: JSON.stringify(body) });

/** A client that is answered these in order, and what it sent. */
function answered(...answers: Answer[]): { client: VastClient; sent: ApiCall[] } {
  const sent: ApiCall[] = [];
  const client = createVastClient(async (call) => {
    sent.push(call);
    const { status = 200, text } = answers.shift() ?? json({});
    return readAnswer(`${call.method} ${call.path}`, { status, text });
  });
  return { client, sent };
}

async function errorOf(work: Promise<unknown>): Promise<VastError> {
  const caught = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (caught instanceof VastError) return caught;
  throw new Error("no VastError came");
}

const create = { offerId: 5, templateHash: "h", image: "example/app:2", label: LABEL, diskSpace: 32 };
const list = (...answers: Answer[]) => answered(...answers).client.listInstances(LABEL);

describe("a list is never empty because", () => {
  test.each([
    ["the endpoint is said to be deprecated", json({ success: false, error: "deprecated_endpoint", msg: "x" }, 410)],
    ["it is deprecated with 200", json({ success: false, error: "deprecated_endpoint", instances: [] })],
    ["`instances` is null", json({ success: true, instances: null })],
    ["the key is refused with 404", json({ success: false, error: "auth_error", msg: "Invalid user key" }, 404)],
    ["a gateway shows a page with 200", { text: "<html>maintenance</html>" }],
    ["the body is cut", { text: '{"success":true,"instances":[' }],
    ["the body is empty", { text: "" }],
  ])("%s", async (_, answer) => void (await errorOf(list(answer))));

  test("its page was cut at 25 rows without a token", async () => {
    const rows = Array.from({ length: 25 }, (_, i) => ({ id: i + 1, label: LABEL }));
    expect((await errorOf(list(json({ instances: rows, total_instances: 30 })))).kind).toBe("malformed");
  });
});

test("a key that is refused with 404 does not mean that the instance does not exist", async () => {
  const { client } = answered(json({ success: false, error: "auth_error", msg: "Invalid user key" }, 404));
  expect((await errorOf(client.destroyInstance(42, () => true))).kind).toBe("auth");
});

test("neither does an expired session, which is answered with 404, or the 404 of a web server on the way", async () => {
  const expired = json({ success: false, msg: "Session expired. Please log in again." }, 404);
  expect((await errorOf(answered(expired).client.destroyInstance(42, () => true))).kind).toBe("auth");
  const elsewhere = await errorOf(answered(json({ detail: "Not Found" }, 404)).client.destroyInstance(42, () => true));
  expect([elsewhere.kind, isOutcomeUnknown(elsewhere)]).toEqual(["unavailable", true]);
});

describe("a search for the template", () => {
  const user = json({ id: 9 });
  const find = (answer: Answer) => answered(user, answer).client.findTemplate("demo");

  test("that finds none has two forms, and both are known", async () => {
    expect(await find(json({ success: true, templates: [] }))).toBeNull();
    expect(await find(json({ success: false, msg: "No templates found" }))).toBeNull();
  });

  test.each([
    ["the key is refused with 404", json({ success: false, error: "auth_error", msg: "Invalid user key" }, 404)],
    ["it is not found with 404", json({ success: false, error: "not_found", msg: "No templates found" }, 404)],
    ["it failed in another way", json({ success: false, msg: "Something went wrong" })],
    ["`templates` is missing", json({ success: true })],
  ])("is unknown, not none, when %s", async (_, answer) => void (await errorOf(find(answer))));
});

test("a create that is refused because of the account's credit bans no host, whatever its slug is", async () => {
  const answer = json({ success: false, error: "invalid_args", msg: "You lack credit, see the billing page." }, 400);
  const failure = await errorOf(answered(answer).client.createInstance(create, () => true));
  expect([accountTrouble(failure), isOfferGone(failure)]).toEqual(["no_credit", false]);
});

test("a create with a gateway's answer may have rented an instance: it is not sent again", async () => {
  const { client, sent } = answered({ status: 502, text: "<html>" }, json({ new_contract: 1 }));
  expect(isOutcomeUnknown(await errorOf(client.createInstance(create, () => true)))).toBe(true);
  expect(sent).toHaveLength(1);
});

test("the error of a failed create has the id of the contract that it made anyway", async () => {
  const { client } = answered(json({ success: false, msg: "bid too low", new_contract: 42 }));
  expect((await errorOf(client.createInstance(create, () => true))).contract).toBe(42);
});

test.each([
  json(
    {
      success: false,
      error: "invalid_args",
      msg: "error 404/3603: no_such_ask Instance type by id 5 is not available.",
    },
    400,
  ),
  json({ success: false, error: "no_such_ask", msg: "ask is not available" }, 404),
  json({ success: false, error: "no_such_ask", msg: "Instance type 5 is no longer available." }, 410),
])("an offer that disappeared between search and create is recognized with any status: %j", async (answer) => {
  expect(isOfferGone(await errorOf(answered(answer).client.createInstance(create, () => true)))).toBe(true);
});

test("a create is to be cancelled when the GPU is taken, and has no price, because a price would make it a bid", async () => {
  const { client, sent } = answered(json({ success: true, new_contract: 42 }));
  await client.createInstance(create, () => true);
  expect(sent[0]?.body).toMatchObject({ cancel_unavail: true });
  expect(sent[0]?.body).not.toHaveProperty("price");
});

test("a container that could not start shows as created with a stopped contract: it is lost, not starting", () => {
  expect(phaseOf(startingRow({ actualStatus: "created", curState: "stopped" }), NOW, NOW).phase).toBe("lost");
});

test("`exited` right after a start has ten minutes, later two", () => {
  const graceOf = (ageMs: number) => {
    const life = phaseOf(row({ actualStatus: "exited" }), NOW - ageMs, NOW);
    return life.phase === "lost" ? life.graceMs : null;
  };
  expect([graceOf(60_000), graceOf(3_600_000)]).toEqual([600_000, 120_000]);
});

test.each(["unknown", "offline"])("a host that is %s gets ten minutes to come back", (actualStatus) => {
  expect(phaseOf(row({ actualStatus }), NOW - 3_600_000, NOW)).toMatchObject({ phase: "lost", graceMs: 600_000 });
});

test.each([null, "scheduling", "loading", "created", "a word of next year"])(
  "a status of %j is starting",
  (actualStatus) => {
    expect(phaseOf(startingRow({ actualStatus }), NOW, NOW).phase).toBe("starting");
  },
);

test("an address ends in a newline, ports and numbers come as text, fields are missing or new", async () => {
  const sent = {
    id: "7",
    label: LABEL,
    public_ipaddr: "203.0.113.9\n",
    ports: { "8000/tcp": [{ HostPort: "41234" }] },
  };
  const [instance] = await list(json({ instances: [{ ...sent, dph_total: "0.3", brand_new_field: {} }] }));
  expect(instance).toMatchObject({ id: 7, address: "203.0.113.9", ports: { "8000/tcp": 41234 }, dollarsPerHour: 0.3 });
});

test("when the API ignores the label filter, no other instance is accepted", async () => {
  const rows = [LABEL, `${LABEL}0`, null].map((label, i) => ({ id: i + 1, label }));
  expect((await list(json({ instances: rows }))).map(({ id }) => id)).toEqual([1]);
});

test("an account without credit shows as stopped instances: what is left is its balance and its credit together", async () => {
  const left = (body: object) => answered(json({ id: 9, ...body })).client.readCredit();
  expect(await left({ balance: 0, credit: 4.5 })).toBe(4.5);
  expect(await left({ balance: -1.25, credit: 1 })).toBe(-0.25);
  expect(await left({ balance: -0.01, credit: 0 })).toBe(-0.01);
  expect(await left({ balance: 5, credit: -5 })).toBe(0);
  // An account that pays afterwards shows two zeros for ever.
  expect(await left({ balance: 0, credit: 0 })).toBeNull();
  expect(await left({ balance: "2.50", credit: null })).toBe(2.5);
  // Not told is not nothing: a field that is missing or new must not stop the pod.
  for (const body of [{}, { balance: null }, { balance: { amount: 0 }, credit: "" }])
    expect(await left(body)).toBeNull();
  // The vendor's description knows the balance alone, which is 0 where money is paid in advance.
  for (const body of [{ balance: 0 }, { balance: -1.25, credit: null }, { credit: 0 }])
    expect(await left(body)).toBeNull();
  expect((await errorOf(answered({ status: 502, text: "<html>" }).client.readCredit())).kind).toBe("unavailable");
});

test("destroying an instance that does not exist any more has its own error kind", async () => {
  for (const error of ["no_such_instance", "not_found"]) {
    const { client } = answered(json({ success: false, error, msg: "Instance not found" }, 404));
    expect((await errorOf(client.destroyInstance(42, () => true))).kind).toBe("not_found");
  }
});
