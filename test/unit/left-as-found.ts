// The files of a project run one after the other in the same few processes, because the start of a process for each costs more than the
// tests. What a file leaves changed in the process fails it. Reads the process and its globals.
import { afterAll, expect } from "vitest";

/** A module of the programs deletes them when it loads, see common/without-web-globals.ts. */
export const DELETED_ON_LOAD = ["FormData", "Request", "Response", "fetch"];
/** Functions that a fake clock or a silenced output would replace. */
const REPLACEABLE: readonly (readonly [object, string, string])[] = [
  [Date, "Date", "now"],
  [Math, "Math", "random"],
  [performance, "performance", "now"],
  [process.stdout, "process.stdout", "write"],
  [process.stderr, "process.stderr", "write"],
  ...["cwd", "emitWarning", "hrtime", "kill", "memoryUsage", "on", "once", "umask"].map(
    (name) => [process, "process", name] as const,
  ),
];

/** pino's writer flushes when the process ends, until the garbage collector has found it. */
const isOurs = ({ name }: NodeJS.ExitListener) => name !== "onExit" && name !== "onBeforeExit";
/** Node fills in such a global when it is first read. */
const LAZY = "value of a getter";

/** What belongs to the process and not to a file, by a name for the message. */
function processState(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(globalThis)))
    if (!name.startsWith("__") && !DELETED_ON_LOAD.includes(name)) found.set(`the global ${name}`, get ? LAZY : value);
  for (const [owner, path, name] of REPLACEABLE) found.set(`${path}.${name}`, Reflect.get(owner, name));
  for (const [name, value] of Object.entries(process.env))
    if (!name.startsWith("VITEST")) found.set(`the variable ${name}`, value);
  for (const event of process.eventNames()) {
    const listeners = process.listeners(event as "exit").filter(isOurs).length;
    if (listeners > 0) found.set(`the listeners of ${String(event)}`, listeners);
  }
  found.set("the working directory", process.cwd());
  found.set("the umask", process.umask());
  found.set("the exit code", process.exitCode);
  return found;
}

const before = processState();

afterAll(() => {
  const after = processState();
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => {
    const was = before.get(name);
    return was === LAZY ? !after.has(name) : !Object.is(was, after.get(name));
  });
  expect(changed, "changed by this file and left so").toEqual([]);
});
