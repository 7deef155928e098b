// Rules about who imports whom, over source files given as text. Each rule returns one sentence per offender. Pure.
import { posix } from "node:path";
import { FLOORS, PACKAGE_HOMES, TEST_IMPORTS } from "./floors.ts";

export interface SourceFile {
  /** Relative to the checkout. */
  path: string;
  text: string;
}

interface Import {
  from: string;
  /** The path of a file, or the name of a package. */
  to: string;
}

/** Static imports and re-exports, which begin a line, and `import("x")`; also of types only. */
const IMPORT =
  /^(?:import|export)\b[^"';]*?\bfrom\s*["']([^"'\n]+)["']|^import\s*["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/gm;

export function importsOf({ path, text }: SourceFile): Import[] {
  return [...text.matchAll(IMPORT)].map(([, first, second, third]) => {
    const name = first ?? second ?? third ?? "";
    return { from: path, to: name.startsWith(".") ? posix.join(posix.dirname(path), name) : name };
  });
}

const isCode = ({ path }: SourceFile) => /\.(ts|mjs)$/.test(path);
const describe = ({ from, to }: Import) => `${from} imports ${to}`;

/** The room of a program's file: its folder, or its own name beside the folders. */
function roomOf(path: string): string {
  const [, first = "", ...rest] = path.split("/");
  return rest.length === 0 ? first.replace(/\.ts$/, "") : first;
}

/** Provisioner, reloader and common: imports go downwards only, and every room has its floor. */
export function floorOffences(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const [top = ""] = file.path.split("/");
    if (top === "common") {
      return importsOf(file)
        .filter(({ to }) => /^(provisioner|reloader)\//.test(to))
        .map((one) => `${describe(one)}, but common imports common only`);
    }
    if (top !== "provisioner" && top !== "reloader") return [];
    const floors = FLOORS[top];
    const floorOf = (path: string) => floors.findIndex((rooms) => rooms.includes(roomOf(path)));
    const own = floorOf(file.path);
    if (own < 0) return [`${file.path} is in a room without a floor: add ${roomOf(file.path)} to floors.ts`];
    return importsOf(file).flatMap((one) => {
      const other = one.to.split("/")[0];
      if (other === (top === "provisioner" ? "reloader" : "provisioner"))
        return [`${describe(one)}, the other program`];
      if (other !== top || roomOf(one.to) === roomOf(file.path)) return [];
      const floor = floorOf(one.to);
      if (floor > own) return [];
      return [
        `${describe(one)}, but ${roomOf(one.to)} is ${floor === own ? "on the same floor" : "on a higher floor"}`,
      ];
    });
  });
}

/** test/: each folder imports what its row in the table has, and nobody outside test/ imports test/. */
export function testImportOffences(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const own = placeOf(file.path);
    const folder = own.replace(/^test\//, "");
    const inTest = file.path.startsWith("test/");
    const allowed = TEST_IMPORTS[folder];
    if (inTest && allowed === undefined)
      return [`${file.path} is in a folder without a row: add ${folder} to floors.ts`];
    return importsOf(file).flatMap((one) => {
      const other = placeOf(one.to);
      if (!inTest) return other.startsWith("test/") ? [`${describe(one)}, but only test/ imports test/`] : [];
      if (!/^(test\/|common$|provisioner$|reloader$|deploy$)/.test(other)) return [];
      if (other === own || allowed?.includes(other)) return [];
      return [`${describe(one)}, but ${own} may not import ${other}`];
    });
  });
}

/** `test/sandbox` for files of test/, else the first folder. */
function placeOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "test" ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

export function packageOffences(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isCode(file) && /^(common|provisioner|reloader)\//.test(file.path))
    .flatMap(importsOf)
    .flatMap((one) => {
      const home = PACKAGE_HOMES[one.to];
      return home === undefined || home === one.from ? [] : [`${describe(one)}, but only ${home} may`];
    });
}

/** Every import circle once, as the sorted list of its files. Imports of types count: a circle of types is a circle of ideas. */
export function circleOffences(all: readonly SourceFile[]): string[] {
  const files = all.filter(isCode);
  const paths = new Set(files.map(({ path }) => path));
  const edges = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .map(({ to }) => to)
        .filter((to) => paths.has(to)),
    ]),
  );
  // Tarjan's algorithm: files that reach each other form one component.
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const lowOf = (path: string) => low.get(path) ?? 0;
  const visit = (path: string) => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    for (const to of edges.get(path) ?? []) {
      if (to === path) circles.push(`${path} imports itself`);
      else if (!index.has(to)) {
        visit(to);
        low.set(path, Math.min(lowOf(path), lowOf(to)));
      } else if (stack.includes(to)) low.set(path, Math.min(lowOf(path), index.get(to) ?? 0));
    }
    if (lowOf(path) !== index.get(path)) return;
    const component = stack.splice(stack.indexOf(path));
    if (component.length > 1) circles.push(`${component.toSorted().join(", ")} import each other in a circle`);
  };
  for (const { path } of files) if (!index.has(path)) visit(path);
  return circles;
}
