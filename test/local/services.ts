// Starts the three programs of the pod (nginx, reloader, provisioner) and keeps them running. Touches the sandbox.
import { readFileSync } from "node:fs";
import type { Clock } from "../../common/clock.ts";
import { nginxPaths, startNginx } from "../sandbox/nginx.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { plain } from "./presenter.ts";
import { keepRunning, type Service } from "./service.ts";
import { provisionerEnv, reloaderEnv, type StackLayout } from "./stack-settings.ts";

export interface Services {
  nginx: Service;
  reloader: Service;
  provisioner: Service;
}

export interface ServicesParts {
  sandbox: Sandbox;
  layout: StackLayout;
  clock: Clock;
  /** Prints what happened. */
  print(word: string, text: string): void;
  /** Prints a log line of reloader or provisioner, if it is for people. */
  printLine(program: string, line: string): void;
}

/** Starts nginx, reloader and provisioner side by side, as Kubernetes starts the containers of a pod. */
export async function startServices({ sandbox, layout, clock, print, printLine }: ServicesParts): Promise<Services> {
  await sandbox.subfolder("shared");
  await sandbox.subfolder("state");
  const files = nginxPaths(sandbox.folder);
  const node = (name: string, env: Readonly<Record<string, string>>) =>
    keepRunning({
      name,
      start: async () => {
        const child = await sandbox.node(name, [`dist/${name}.mjs`], env);
        child.onLine((line) => printLine(name, line));
        return child;
      },
      lastLines: (child) => child.lines.map(plain),
      print,
      clock,
    });
  return {
    nginx: keepRunning({
      name: "nginx",
      start: async () => (await startNginx(sandbox)).master,
      lastLines: () => readFileSync(files.errorLog, "utf8").trimEnd().split("\n"),
      print,
      clock,
    }),
    reloader: node("reloader", reloaderEnv(layout, files)),
    provisioner: node("provisioner", provisionerEnv(layout)),
  };
}
