import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import type { Json } from "../../emulator/json.ts";
import { type Answer, numberAt, rowsOf, type Trial, trial } from "./harness.ts";

const recording = z
  .object({
    commands: z.array(
      z.object({
        command: z.string(),
        requests: z.array(
          z.object({
            method: z.string(),
            path: z.string(),
            body: z.json().optional(),
            authorization: z.string().optional(),
          }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("client-requests.json", import.meta.url), "utf8")));

/** What each command's client needs of the last answer, by the command's first words. */
const NEEDS: Record<string, (answer: Answer, t: Trial) => void> = {
  "show user": ({ body }) =>
    expect(body).toMatchObject({
      id: expect.any(Number),
      email: expect.any(String),
      balance: expect.any(Number),
      credit: expect.any(Number),
      username: expect.any(String),
    }),
  "show instances": (answer) => {
    expect(answer.body).toMatchObject({ next_token: null, total_instances: 0, label_counts: {} });
    expect(rowsOf(answer, "instances")).toEqual([]);
  },
  "search offers": (answer) => {
    for (const offer of rowsOf(answer, "offers"))
      expect(offer).toMatchObject({ id: expect.any(Number), dph_total: expect.any(Number) });
  },
  "search templates": (answer) => expect(rowsOf(answer, "templates")).toHaveLength(2),
  "create instance": ({ body }) => expect(body).toMatchObject({ success: true, new_contract: expect.any(Number) }),
  "show instance ": ({ body }) =>
    expect(body.instances).toMatchObject({
      start_date: expect.any(Number),
      extra_env: expect.any(Array),
      image_uuid: "vastai/test:1",
    }),
  logs: (answer, t) => {
    t.pass(30);
    const url = new URL(String(answer.body.result_url));
    expect(t.api("GET", url.pathname, undefined, null).status).toBe(200);
  },
};
/** What the recorded command asks for in vain: its instance is rented on demand. */
const REFUSED: Record<string, string> = { "change bid": "Can't change price of on-demand contract." };
const needsSuccess = (answer: Answer) => expect(answer.body.success).toBe(true);

it("answers every request of the vendor's client with what the client needs", () => {
  const t = trial({ settings: { bootSeconds: 5 } });
  t.order("PUT", "offers", [
    { id: 5_000_001, gpu_name: "RTX 4090", dph_total: 0.4 },
    { id: 5_000_002, gpu_name: "RTX 4090", dph_total: 0.5 },
  ]);
  const templates = t.api("GET", "/api/v0/users/me/created-templates/");
  const replaced = new Map([["bbbb2222", String(rowsOf(templates, "templates")[0]?.hash_id)]]);
  const adapt = (text: string) => [...replaced].reduce((result, [from, to]) => result.replaceAll(from, to), text);
  const examples = ["9100001", "9100002"]; // the recording's instances, in the order of their creation

  for (const { command, requests } of recording.commands) {
    for (const request of requests) {
      const body: Json | undefined =
        request.body === undefined ? undefined : JSON.parse(adapt(JSON.stringify(request.body)));
      const answer = t.api(request.method, adapt(request.path), body, request.authorization ? "emulator-key" : null);
      const refusal = Object.entries(REFUSED).find(([start]) => command.startsWith(`vastai ${start}`))?.[1];
      if (refusal !== undefined && request.authorization) {
        expect([answer.status, answer.body.msg], command).toEqual([400, refusal]);
        continue;
      }
      expect([answer.status, request.path], `${command}: ${answer.text}`).toEqual([200, request.path]);
      if (request.path.includes("gpu_names")) {
        expect(answer.body.gpu_names).toEqual(["RTX 4090"]);
        continue;
      }
      const words = Object.keys(NEEDS).find((start) => command.startsWith(`vastai ${start}`));
      (words === undefined ? needsSuccess : (NEEDS[words] ?? needsSuccess))(answer, t);
      const example = request.path.includes("/asks/") ? examples.shift() : undefined;
      if (example) replaced.set(example, String(numberAt(answer.body, "new_contract")));
    }
    t.pass(60);
  }
  expect(examples).toEqual([]);
  expect(t.emulator.world.live.size).toBe(0);
});
