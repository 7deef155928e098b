// Each file of this project gets modules of its own in a process that others use as well. Touches the process' globals.
import { vi } from "vitest";
import { DELETED_ON_LOAD } from "./left-as-found.ts";

const KEY = Symbol.for("vast-pod.deleted-on-load");
const shared = globalThis as { [KEY]?: ReadonlyMap<string, PropertyDescriptor> };
shared[KEY] ??= new Map(DELETED_ON_LOAD.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name) ?? {}]));
for (const [name, descriptor] of shared[KEY]) Object.defineProperty(globalThis, name, descriptor);
vi.resetModules();
