import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { claimPorts, firstFreePort, isFree } from "../../sandbox/ports.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, host, () => resolve(server));
    open.push(server);
  });
}

async function claim(random?: () => number) {
  const block = await claimPorts(random);
  open.push({ close: block.release });
  return block;
}

test("the preferred port is used when it is free", async () => {
  expect(await firstFreePort(3000, async () => true)).toBe(3000);
});

test("the next free port is used when the preferred one is taken", async () => {
  expect(await firstFreePort(3000, async (port) => port >= 3003)).toBe(3003);
});

test("the error says which ports are taken", async () => {
  await expect(firstFreePort(3000, async () => false)).rejects.toThrow("the ports 3000 to 3049 are all taken");
});

test.each(["127.0.0.1", "0.0.0.0", "127.0.0.2"])("a port with a listener on %s is not free", async (host) => {
  const port = await (await claim()).take();
  expect(await isFree(port)).toBe(true);
  await listen(port, host);
  expect(await isFree(port)).toBe(false);
});

test("two blocks whose search starts at the same place share no port", async () => {
  const blocks = [await claim(() => 0.5), await claim(() => 0.5)];
  const ports = await Promise.all(blocks.flatMap((block) => [block.take(), block.take(), block.take()]));
  expect(new Set(ports).size).toBe(6);
});

test("a taken port of the block is skipped", async () => {
  const first = await claim(() => 0.25);
  const port = await first.take();
  await first.release();
  await listen(port, "127.0.0.1");
  expect(await (await claim(() => 0.25)).take()).toBe(port + 1);
});

test("a block without free ports is an error", async () => {
  const block = await claim();
  for (let n = 0; n < 31; n++) await block.take();
  await expect(block.take()).rejects.toThrow("all 31 ports");
});

test("the ports of blocks are never those of well-known services or of outgoing connections", async () => {
  for (const random of [0, 0.999999]) {
    const port = await (await claim(() => random)).take();
    expect(port).toBeGreaterThan(20_000);
    expect(port).toBeLessThan(32_768);
  }
});
