import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../../common/clock.ts";
import { fetchConfigHash, hasOnlyAnswers } from "../../../../reloader/nginx/hash-probe.ts";
import { findMaster, forbiddenReason } from "../../../../reloader/nginx/master.ts";
import { type Processes, systemProcesses } from "../../../../reloader/nginx/processes.ts";
import { listWorkers } from "../../../../reloader/nginx/workers.ts";
import { patientClock } from "../../../fakes/patient-clock.ts";
import { temporaryFolder } from "../../../fakes/temporary-folder.ts";

const MASTER = "nginx: master process nginx -g daemon off;";
const WORKER = "nginx: worker process";
const LEAVING = "nginx: worker process is shutting down";

/** A process table: title and parent by pid. The program is nginx by default. */
function table(
  entries: Record<
    number,
    { title: string | null; program?: string; parent?: number; owner?: number; startedMs?: number }
  >,
): Processes {
  return {
    ids: () => Object.keys(entries).map(Number),
    title: (pid) => entries[pid]?.title ?? null,
    program: (pid) => (entries[pid] === undefined ? null : (entries[pid].program ?? "nginx")),
    children: (pid) =>
      Object.keys(entries)
        .map(Number)
        .filter((id) => entries[id]?.parent === pid),
    parent: (pid) => entries[pid]?.parent ?? null,
    startedMs: (pid) => (entries[pid] === undefined ? null : (entries[pid].startedMs ?? 0)),
    uptimeMs: () => 0,
    owner: (pid) => entries[pid]?.owner ?? null,
    descriptor: () => null,
    reload: () => "sent",
    maySignal: () => true,
    hasPendingReload: () => false,
    self: () => 1000,
  };
}
const pidFile = (text: string | null) => ({ path: "/run/nginx.pid", read: async () => text });

describe("nginx' master", () => {
  test("is found by its title among all processes", async () => {
    const processes = table({ 1: { title: "/pause" }, 7: { title: MASTER }, 8: { title: WORKER, parent: 7 } });
    expect(await findMaster(processes, null)).toEqual({ found: "one", pid: 7 });
  });

  test("is not found where it cannot be seen, and the remedy is reported", async () => {
    expect(await findMaster(table({ 1: { title: "/pause" } }), null)).toMatchObject({
      found: "none",
      why: expect.stringContaining("shareProcessNamespace"),
    });
  });

  test("is not guessed when there are several", async () => {
    const processes = table({ 7: { title: MASTER }, 9: { title: MASTER } });
    expect(await findMaster(processes, null)).toEqual({
      found: "several",
      why: "there are 2 nginx masters (pids 7, 9): set NGINX_PID_FILE",
    });
    expect(await findMaster(processes, pidFile("9\n"))).toEqual({ found: "one", pid: 9 });
  });

  test.each([
    [null, "there is no /run/nginx.pid"],
    ["", "no process has that id"],
    ["abc", "no process has that id"],
    ["99", "no process has that id"],
    ["8", "nginx: worker process"],
    ["1", "/pause"],
  ])("is not the process of a wrong pid file: %j", async (text, why) => {
    const processes = table({ 1: { title: "/pause" }, 7: { title: MASTER }, 8: { title: WORKER, parent: 7 } });
    expect(await findMaster(processes, pidFile(text))).toMatchObject({
      found: "none",
      why: expect.stringContaining(why),
    });
  });

  test("is no other program with the same title, with and without a pid file", async () => {
    const processes = table({ 7: { title: MASTER, program: "sh" }, 9: { title: MASTER, program: "nginx-debug" } });
    expect(await findMaster(processes, null)).toEqual({ found: "one", pid: 9 });
    expect(await findMaster(processes, pidFile("9"))).toEqual({ found: "one", pid: 9 });
    expect(await findMaster(processes, pidFile("7"))).toMatchObject({
      found: "none",
      why: expect.stringContaining('in the program "sh": nginx\' master is not running'),
    });
  });

  test("that may not be signalled is reported with both user ids", () => {
    const why = forbiddenReason(table({ 7: { title: MASTER, owner: 101 } }), 7);
    expect(why).toContain("UID 101");
    expect(why).toContain("UID 1000");
    expect(why).toContain("CAP_KILL");
  });
});

describe("nginx' workers", () => {
  const processes = table({
    7: { title: MASTER },
    8: { title: WORKER, parent: 7 },
    9: { title: LEAVING, parent: 7 },
    10: { title: "nginx: cache manager process", parent: 7 },
    11: { title: WORKER, parent: 99 },
    12: { title: null, parent: 7 },
    13: { title: MASTER, parent: 7 },
  });

  const pids = (master: number, leaving: boolean) =>
    listWorkers(processes, master, [])
      .filter((worker) => worker.isLeaving === leaving)
      .map(({ pid }) => pid);

  test("are the children of the master, also those just forked", () => {
    expect(pids(7, false)).toEqual([8, 13]);
    expect(pids(7, true)).toEqual([9]);
  });

  test("of the old master are found after an upgrade in place, and the masters themselves are none", () => {
    const upgraded = table({
      7: { title: MASTER, parent: 1 },
      8: { title: WORKER, parent: 7 },
      20: { title: MASTER, parent: 7 },
      21: { title: WORKER, parent: 20 },
    });
    expect(listWorkers(upgraded, 20, [])).toEqual([
      { pid: 21, startedMs: 0, isLeaving: false, oldMaster: null },
      { pid: 8, startedMs: 0, isLeaving: false, oldMaster: 7 },
    ]);
  });

  test("that lost their master are still found when they are known, but not another process with that id", () => {
    const orphaned = table({
      8: { title: WORKER, parent: 1, startedMs: 10 },
      9: { title: WORKER, parent: 1, startedMs: 999 },
    });
    const known = [8, 9].map((pid) => ({ pid, startedMs: 10, isLeaving: false, oldMaster: null }));
    expect(listWorkers(orphaned, 7, known).map(({ pid }) => pid)).toEqual([8]);
  });
});

describe("the process table", () => {
  async function proc() {
    const root = await temporaryFolder();
    const add = async (pid: number, cmdline: string, status: string) => {
      await mkdir(join(root, String(pid), "fd"), { recursive: true });
      await writeFile(join(root, String(pid), "cmdline"), cmdline);
      await writeFile(join(root, String(pid), "comm"), "nginx\n");
      await writeFile(join(root, String(pid), "status"), status);
      await symlink("socket:[42]", join(root, String(pid), "fd", "1"));
    };
    await writeFile(join(root, "uptime"), "100.50 7.00\n");
    const stat = (name: string) => `8 (${name}) S 7 8 8 0 -1 4194624 29 0 0 0 0 0 0 0 20 0 1 0 1234 9 9\n`;
    await add(7, `${MASTER.replaceAll(" ", "\0")}\0`, "Name:\tnginx\nPPid:\t1\nUid:\t0\t101\t0\t0\n");
    await add(8, `${WORKER}\0\0`, "Name:\tnginx\nPPid:\t7\nUid:\t101\t101\t101\t101\n");
    await add(9, "", "Name:\tnginx\nPPid:\t7\nUid:\t101\t101\t101\t101\n");
    await writeFile(join(root, "8", "stat"), stat("a) S (b"));
    await mkdir(join(root, "self"));
    return { root, processes: systemProcesses(root) };
  }

  test("reads titles, programs, owners and descriptors, and null for a process that has exited", async () => {
    const { processes } = await proc();
    expect(processes.ids().toSorted()).toEqual([7, 8, 9]);
    expect(processes.title(7)).toBe(MASTER);
    expect(processes.title(9)).toBeNull();
    expect(processes.title(404)).toBeNull();
    expect(processes.program(7)).toBe("nginx");
    expect(processes.program(404)).toBeNull();
    expect(processes.owner(7)).toBe(101);
    expect(processes.owner(404)).toBeNull();
    expect(processes.descriptor(7, 1)).toBe("socket:[42]");
    expect(processes.descriptor(7, 5)).toBeNull();
  });

  test("reads parents, starts and the time since the machine's start", async () => {
    const { processes } = await proc();
    expect(processes.parent(8)).toBe(7);
    expect(processes.parent(404)).toBeNull();
    expect(processes.startedMs(8)).toBe(12_340);
    expect(processes.startedMs(404)).toBeNull();
    expect(processes.uptimeMs()).toBe(100_500);
  });

  test("finds children with and without the kernel's list of them", async () => {
    const { root, processes } = await proc();
    expect(processes.children(7)).toEqual([8, 9]);
    await mkdir(join(root, "7", "task", "7"), { recursive: true });
    await writeFile(join(root, "7", "task", "7", "children"), "8 ");
    expect(processes.children(7)).toEqual([8]);
  });

  test("reports that a process to signal has exited", () => {
    // Above the largest pid_max that Linux allows (4194304), so no process has it.
    expect(systemProcesses().reload(4_194_305)).toBe("gone");
  });
});

describe("the probe of the config's hash", () => {
  const HASH = "a".repeat(64);
  /** A port that answers each connection with this text; null: never. */
  async function answering(answer: string | null): Promise<number> {
    const server: TcpServer = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => answer !== null && socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }
  const http = (status: string, body: string) => `HTTP/1.1 ${status}\r\nServer: nginx\r\n\r\n${body}`;

  test("is the hash that nginx answers", async () => {
    expect(await fetchConfigHash(await answering(http("200 OK", `${HASH}\n`)), patientClock)).toEqual({
      kind: "hash",
      hash: HASH,
      pid: null,
    });
  });

  test("names the worker that answers", async () => {
    const answer = http("200 OK\r\nX-Vast-Pod-Worker: 4711", `${HASH}\n`);
    expect(await fetchConfigHash(await answering(answer), patientClock)).toMatchObject({ hash: HASH, pid: 4711 });
  });

  test.each([
    ["Active connections: 2 \nserver accepts handled requests\n 9 9 9 \nReading: 0 Writing: 2 Waiting: 0 \n", true],
    ["Active connections: 2 \nserver accepts handled requests\n 9 9 9 \nReading: 1 Writing: 1 Waiting: 0 \n", false],
    ["Active connections: 2 \nserver accepts handled requests\n 9 9 9 \nReading: 0 Writing: 1 Waiting: 1 \n", false],
    ["hello", false],
  ])("tells whether a connection may still send a request: %j", async (body, only) => {
    expect(await hasOnlyAnswers(await answering(http("200 OK", body)), patientClock)).toBe(only);
  });

  test.each([
    [http("404 Not Found", HASH), "(404)"],
    [http("200 OK", "hello"), "(200)"],
    ["SSH-2.0-x\r\n", "(no HTTP)"],
  ])("is another answer for %j", async (answer, why) => {
    const probe = await fetchConfigHash(await answering(answer), patientClock);
    expect(probe).toMatchObject({ kind: "other", why: expect.stringContaining(why) });
  });

  test("is closed where nothing listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    await new Promise((resolve) => server.close(resolve));
    expect(await fetchConfigHash(address.port, systemClock)).toMatchObject({ kind: "closed" });
  });

  test("is silent when there is no answer in time or one that is too long", async () => {
    expect(await fetchConfigHash(await answering(null), systemClock)).toMatchObject({ kind: "silent" });
    expect(await fetchConfigHash(await answering("x".repeat(10_000)), systemClock)).toMatchObject({ kind: "silent" });
  });
});
