// Plants bugs in a program through the calls that it makes. Touches nothing outside.
import type { AxiosAdapter } from "axios";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import { isObject, type JsonObject, parseJson } from "../emulator/json.ts";

/** A program whose calls go through `change`, which can answer itself or change the answer's JSON. */
export function withCalls(
  change: (
    call: { method: string; path: string },
    pass: () => Promise<JsonObject>,
  ) => Promise<JsonObject | "pass"> | "pass",
) {
  return (dependencies: Dependencies): Dependencies => {
    const { adapter } = dependencies;
    if (adapter === undefined) throw new Error("a simulated dependencies has an adapter");
    const changed: AxiosAdapter = async (config) => {
      const pass = async () => {
        const parsed = parseJson(String((await adapter(config)).data));
        return isObject(parsed) ? parsed : {};
      };
      const call = { method: (config.method ?? "get").toUpperCase(), path: config.url ?? "" };
      const answer = await change(call, pass);
      if (answer === "pass") return adapter(config);
      return { data: JSON.stringify(answer), status: 200, statusText: "", headers: {}, config };
    };
    return { ...dependencies, adapter: changed };
  };
}

/** The rows of an answer to a list. */
export const rowsOf = (answer: JsonObject) =>
  Array.isArray(answer.instances) ? answer.instances.filter(isObject) : [];
/** Whether the call is a list. */
export const isList = (call: { method: string; path: string }) =>
  call.method === "GET" && call.path === "/api/v1/instances/";

/** The id of the instance that a call is about. */
export const idIn = (path: string) => Number(/\d+/.exec(path.slice("/api/v0/".length))?.[0]);

/** A program that takes every destroy for done without sending it. */
export function forgetful(): (dependencies: Dependencies) => Dependencies {
  const hides = new Set<number>();
  return withCalls(async (call, pass) => {
    if (call.method === "DELETE") {
      hides.add(idIn(call.path));
      return { success: true };
    }
    if (!isList(call)) return "pass";
    const answer = await pass();
    const instances = rowsOf(answer).filter((row) => !hides.has(Number(row.id)));
    return { ...answer, instances, instances_found: instances.length, total_instances: instances.length };
  });
}
