// The provisioner's page in a real browser, over the bundled programs.
import { writeFile } from "node:fs/promises";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { startBrowser } from "../sandbox/browser.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

// A browser on a busy machine draws late.
const LONG = { timeout: 40_000 };
const PHONE = { width: 390, height: 844 };

let browser: Browser;
let pod: Pod;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
afterEach(() => pod.close());

const origin = () => `http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}`;

/** Opens the page. `asked` has the URLs that it asked for, `said` what it wrote to the console. */
async function openPage(options: BrowserContextOptions = {}, url = `${origin()}/`) {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const [asked, said]: [string[], string[]] = [[], []];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  await page.goto(url);
  return { page, asked, said };
}

const stateIs = (page: Page, word: string) => page.locator(".state b", { hasText: word }).waitFor(LONG);
const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

test("an open page shows a replacement live, and asks for nothing but itself and its stream", async () => {
  pod = await openPod({ proxy: true });
  await pod.provision();
  const before = await pod.ready();
  const { page, asked, said } = await openPage();
  await stateIs(page, "ready");
  await page.locator("#proxy", { hasText: "the same, generation" }).waitFor(LONG);
  await page.evaluate("window.loadedOnce = true");
  await pod.emulator.event("any", "kill");
  const after = await pod.until(
    "another instance serves",
    (f) => f.server !== null && f.instance?.id !== before.instance?.id,
  );
  await page.locator("#instances article.good", { hasText: String(after.instance?.id) }).waitFor(LONG);
  await stateIs(page, "ready");
  await page.locator("#history li", { hasText: "provisioning" }).first().waitFor(LONG);
  expect(await page.title()).toBe("vast-pod-0: ready");
  expect(await page.evaluate("window.loadedOnce")).toBe(true);
  expect(new Set(asked)).toEqual(new Set([`${origin()}/`, `${origin()}/events`]));
  expect(said).toEqual([]);
});

test("hostile words of a host are shown as text", async () => {
  pod = await openPod();
  await pod.provision();
  await pod.ready();
  const { page, said } = await openPage({ viewport: PHONE });
  const text = `<img src=x onerror="document.title='owned'"></p><script>document.title='owned'</script>${"W".repeat(200)}`;
  await pod.emulator.event("any", "exit", { text });
  await page.locator(".said", { hasText: "<img src=x onerror=" }).waitFor(LONG);
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(await page.title()).not.toContain("owned");
  expect(await overflow(page)).toBe(0);
  expect(said).toEqual([]);
});

test("even HTML that got into the page could run no script, load nothing and send nothing away", async () => {
  pod = await openPod();
  await pod.provision();
  await pod.ready();
  const { page, asked, said } = await openPage();
  await stateIs(page, "ready");
  const hostile =
    "<img src=x onerror=\"document.title='owned'\"><a style='color:red'>x</a><iframe src='//x.invalid'></iframe>";
  await page.evaluate(`document.getElementById("head").innerHTML = ${JSON.stringify(hostile)}`);
  await until("the browser has refused it", () => said.some((line) => line.includes("Content Security Policy")));
  await expect(page.evaluate("fetch('http://127.0.0.1:9/')")).rejects.toThrow(/Failed to fetch/);
  expect(await page.title()).toBe("vast-pod-0: ready");
  expect(asked.filter((url) => !url.startsWith(origin()))).toEqual([]);
});

test("it fits a phone and a desktop, light and dark, without JavaScript too", async () => {
  pod = await openPod();
  await pod.provision();
  await pod.ready();
  for (const viewport of [PHONE, { width: 1280, height: 900 }]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await openPage({ viewport, colorScheme });
      await stateIs(page, "ready");
      expect(await overflow(page)).toBe(0);
      const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "dark" ? "rgb(15, 19, 25)" : "rgb(244, 245, 247)");
    }
  }
  const { page, asked } = await openPage({ viewport: PHONE, javaScriptEnabled: false });
  await stateIs(page, "ready");
  expect(await page.locator(".since time").textContent()).toMatch(/^\d+[smh]/);
  expect(await overflow(page)).toBe(0);
  expect(asked).toEqual([`${origin()}/`]);
});

test("a page without a connection says that it is old, and recovers when the provisioner is back", async () => {
  pod = await openPod();
  const first = await pod.provision();
  await pod.ready();
  const { page } = await openPage();
  await stateIs(page, "ready");
  expect(await page.locator("#old").isVisible()).toBe(false);
  first.signal("SIGKILL");
  await page.locator("#old", { hasText: /No connection to the provisioner: what you see is \d+s old/ }).waitFor(LONG);
  expect(await page.evaluate("getComputedStyle(document.querySelector('main')).opacity")).toBe("0.4");
  await first.exited;
  await pod.provision();
  await page.locator("#old").waitFor({ ...LONG, state: "hidden" });
  await stateIs(page, "ready");
});

test("a page of a provisioner that cannot start says why, and becomes the pod's when it can", async () => {
  pod = await openPod();
  const login = join(pod.sandbox.folder, "login");
  await pod.provision({ STAY_UP: "true", DOCKER_LOGIN: "", DOCKER_LOGIN_FILE: login });
  // Between two attempts to start, its port is closed for a moment.
  const { page } = await until("the page opens", () => openPage({ viewport: PHONE }));
  await stateIs(page, "blocked");
  await page.locator(".message", { hasText: `DOCKER_LOGIN_FILE is "${login}"` }).waitFor(LONG);
  expect(await page.locator("#money").isVisible()).toBe(false);
  expect(await overflow(page)).toBe(0);
  await writeFile(login, "none\n");
  await stateIs(page, "ready");
  expect(await page.locator("#money").isVisible()).toBe(true);
});

test("a stop ends open streams at once", async () => {
  pod = await openPod({ timeScale: 1, bootSeconds: 1 });
  const provisioner = await pod.provision();
  await pod.ready();
  const { page } = await openPage();
  await stateIs(page, "ready");
  expect(await provisioner.stop(15_000)).toEqual({ code: 0, signal: null });
});

test("it works behind a proxy that serves it below a long path, as the API server does", async () => {
  pod = await openPod();
  await pod.provision();
  const before = await pod.ready();
  const prefix = "/api/v1/namespaces/default/pods/vast-pod-0:8080/proxy";
  const proxy = createServer((request, response) => {
    if (!request.url?.startsWith(`${prefix}/`)) return void response.writeHead(404).end();
    const upstream = get(`${origin()}${request.url.slice(prefix.length)}`, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const { page, said } = await openPage({}, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}/`);
  await stateIs(page, "ready");
  await pod.emulator.event("any", "kill");
  const after = await pod.until(
    "another instance serves",
    (f) => f.server !== null && f.instance?.id !== before.instance?.id,
  );
  // Only the stream can say this. The states in between may be over before it looks.
  await page.locator("#instances article.good", { hasText: String(after.instance?.id) }).waitFor(LONG);
  expect(said).toEqual([]);
  await page.getByRole("link", { name: "status as JSON" }).click();
  await page.getByText('"pod": "vast-pod-0"').waitFor(LONG);
});
