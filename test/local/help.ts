// What a person can try with the local stack, ready to be copied. Pure.

export interface HelpFacts {
  proxyUrl: string;
  emulatorUrl: string;
  provisionerPort: number;
  reloaderPort: number;
  /** Process ids by program, as a person would kill them. */
  pids: Readonly<Record<string, number>>;
}

/** The text that follows the URL once the pod is ready. */
export function helpText({ proxyUrl, emulatorUrl, provisionerPort, reloaderPort, pids }: HelpFacts): string {
  const any = `${emulatorUrl}/_emulator/instances/any`;
  const rows: readonly (readonly [string, string])[] = [
    ["ask the instance", `curl '${proxyUrl}/any/path?q=1'`],
    ["end the instance from outside", `curl -X POST ${any}/kill`],
    ["let its container exit", `curl -X POST ${any}/exit   # it has ten minutes to come back (/recover)`],
    [
      "let it report another image",
      `${json(`curl -X POST ${any}/image`, '{"image":"other/app:9"}')}   # seen within 30 s`,
    ],
    [
      "change the template",
      `${json(`curl -X PATCH ${emulatorUrl}/_emulator/templates/demo`, '{"env":"-p 8000:8000 -e A=1"}')}   # seen within a minute`,
    ],
    ...Object.entries(pids).map(([name, pid]) => [`kill ${name}`, `kill -9 ${pid}`] as const),
    ["see what the provisioner knows", `curl http://127.0.0.1:${provisionerPort}/status`],
    ["see what the reloader knows", `curl http://127.0.0.1:${reloaderPort}/status`],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return ["Try:", ...rows.map(([what, how]) => `  ${what.padEnd(width)}  ${how}`), "Ctrl-C ends everything."].join(
    "\n",
  );
}

const json = (command: string, body: string) => `${command} -H 'content-type: application/json' -d '${body}'`;
