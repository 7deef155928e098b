// nginx writes its access log in blocks: none may be lost or torn.
import { readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

test("every request is logged exactly once, over a reload and a stop of nginx", async () => {
  const { nginx } = await servingPod().then((started) => {
    pod = started.pod;
    return started;
  });
  const second = await pod.instance("second");
  const paths = Array.from({ length: 60 }, (_, i) => `/numbered/${i}`);
  const send = (some: readonly string[]) => Promise.all(some.map((path) => pod.get(path)));
  await send(paths.slice(0, 30));
  await pod.publish({ generation: 2, server: second.server });
  await pod.applied(2);
  await send(paths.slice(30));
  await nginx.master.stop();
  const lines = (await readFile(pod.files.stdout, "utf8")).split("\n").filter((line) => line.includes("/numbered/"));
  const logged = lines.map((line) => (JSON.parse(line) as { uri: string }).uri);
  expect(logged.toSorted()).toEqual(paths.toSorted());
});

test("a line is in the log within seconds, though nginx has nothing more to log", async () => {
  pod = (await servingPod()).pod;
  await pod.get("/alone");
  await until("it is logged", async () => (await readFile(pod.files.stdout, "utf8")).includes("/alone"));
});
