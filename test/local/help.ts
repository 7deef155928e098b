// The commands to try with the local stack, ready to copy. Pure.

export interface HelpFacts {
  proxyUrl: string;
  emulatorUrl: string;
  provisionerPort: number;
  reloaderPort: number;
  /** Process ids by program, for `kill`. */
  pids: Readonly<Record<string, number>>;
}

/** The text that is printed once the pod is ready. */
export function helpText({ proxyUrl, emulatorUrl, provisionerPort, reloaderPort, pids }: HelpFacts): string {
  const any = `${emulatorUrl}/_emulator/instances/any`;
  const rows: readonly (readonly [string, string])[] = [
    ["send a request to the instance", `curl '${proxyUrl}/any/path?q=1'`],
    ["destroy the instance", `curl -X POST ${any}/kill`],
    [
      "make its container exit",
      `curl -X POST ${any}/exit   # within 10 min /recover brings it back; after that it is replaced`,
    ],
    [
      "make it report another image",
      `${json(`curl -X POST ${any}/image`, '{"image":"other/app:9"}')}   # noticed within 30 s`,
    ],
    [
      "change the template",
      `${json(`curl -X PATCH ${emulatorUrl}/_emulator/templates/demo`, '{"env":"-p 8000:8000 -e A=1"}')}   # noticed within 60 s`,
    ],
    ...Object.entries(pids).map(([name, pid]) => [`kill ${name}`, `kill -9 ${pid}`] as const),
    ["see in a browser what the pod does", `http://127.0.0.1:${provisionerPort}/`],
    ["show the provisioner's status", `curl http://127.0.0.1:${provisionerPort}/status`],
    ["show the reloader's status", `curl http://127.0.0.1:${reloaderPort}/status`],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return [
    "Try:",
    ...rows.map(([what, how]) => `  ${what.padEnd(width)}  ${how}`),
    "Ctrl-C destroys the instance, stops all processes and removes all temporary files.",
  ].join("\n");
}

const json = (command: string, body: string) => `${command} -H 'content-type: application/json' -d '${body}'`;
