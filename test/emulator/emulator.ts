// The emulator as a function from requests to answers with an injected clock: no network, no timers, no system time. Used by the
// HTTP server and by the simulation.
import { createAgenda } from "./agenda.ts";
import { dispatch } from "./api/dispatch.ts";
import { addTemplate } from "./api/template-calls.ts";
import { CONTROL_PATH, handleControl } from "./control/routes.ts";
import { type Endpoint, endpoints, type Visit, type Visited, visit } from "./instances/endpoints.ts";
import { stopAll } from "./instances/lifecycle.ts";
import { emptyMarket } from "./market/offer.ts";
import { seedMarket } from "./market/seed.ts";
import type { ApiRequest, ApiResponse } from "./message.ts";
import { seededRandom } from "./random.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";
import { templateContent } from "./templates/template.ts";
import { seconds, type World } from "./world.ts";

export const ACCOUNT_KEY = "emulator-key";

export interface EmulatorOptions {
  /** Epoch ms; can run faster than the system's clock. */
  clock: { now(): number };
  seed: number;
  settings?: Partial<Settings>;
  /** Seeded machines on the market. */
  machines?: number;
  /** Emulated seconds in one second of the caller. */
  timeScale?: number;
  /** Chooses a port for an instance on `ip`; called again if it is taken. By default drawn from the seed. */
  takePort?: (ip: string) => number;
}

export interface Emulator {
  /** Answers a request of the API or of a control route, after running everything that is due. */
  handle(request: ApiRequest): ApiResponse;
  /** Runs everything that is due. */
  advance(): void;
  /** When the next event is due, on the injected clock, or null. */
  nextEventAt(): number | null;
  /** The ports that listen now. */
  endpoints(): Endpoint[];
  /** Sends a request to an instance's port without TCP; it is found sooner when it is the instance `likely`. */
  visit(ip: string, port: number, request: Visit, likely?: number): Visited;
  readonly world: World;
}

// The real market has several thousand machines.
const DEFAULT_MACHINES = 3000;
// The range of instances' ports: below Linux' ephemeral ports, and below the ports that sandboxes claim (test/sandbox/ports.ts),
// which an instance of another test's emulator could otherwise take.
export const PORT_RANGE = { low: 12_000, high: 20_000 } as const;

const OWNER = 104_717;
const STRANGER = 88_001;

export function createEmulator(options: EmulatorOptions): Emulator {
  const world = createWorld(options);
  const now = () => options.clock.now() + world.offsetMs;
  const advance = () => {
    const until = now();
    for (;;) {
      const next = world.agenda.nextAt();
      if (world.brokeAt !== null && world.brokeAt <= until && (next === null || world.brokeAt <= next)) {
        world.time = Math.max(world.time, world.brokeAt);
        stopAll(world);
        continue;
      }
      const due = world.agenda.takeDue(until);
      if (!due) break;
      world.time = Math.max(world.time, due.at);
      due.run();
    }
    world.time = Math.max(world.time, until);
  };
  return {
    world,
    advance,
    handle: (request) => {
      advance();
      if (request.url.startsWith(CONTROL_PATH)) return handleControl(world, request, advance);
      return dispatch(world, request);
    },
    nextEventAt: () => {
      const times = [world.agenda.nextAt(), world.brokeAt].filter((at) => at !== null);
      return times.length === 0 ? null : Math.min(...times) - world.offsetMs;
    },
    endpoints: () => endpoints(world),
    visit: (ip, port, request, likely) => {
      advance();
      return visit(world, ip, port, request, likely);
    },
  };
}

function createWorld(options: EmulatorOptions): World {
  const ports = seededRandom(options.seed, "ports");
  const world: World = {
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    time: options.clock.now(),
    offsetMs: 0,
    timeScale: options.timeScale ?? 1,
    agenda: createAgenda(),
    random: seededRandom(options.seed, "instances"),
    faultRandom: seededRandom(options.seed, "faults"),
    takePort: options.takePort ?? (() => ports.integer(PORT_RANGE.low, PORT_RANGE.high)),
    account: {
      id: OWNER,
      keyId: 4_711,
      email: "owner@example.com",
      username: "owner",
      key: ACCOUNT_KEY,
      createdAt: options.clock.now(),
      balance: 0, // prepaid accounts show 0 here
      credit: 10_000,
      keyRevoked: false,
      sessionExpired: false,
      scopes: null,
      twoFactor: false,
      spendLimited: false,
      missingBilling: false,
    },
    spentOnEnded: 0,
    brokeAt: null,
    market: emptyMarket(25_000_000),
    hosts: new Map(),
    instances: new Map(),
    live: new Map(),
    lingering: [],
    templates: [],
    earlierTemplates: new Map(),
    faults: [],
    requests: [],
    requestCount: 0,
    rates: new Map(),
    logs: new Map(),
    sshKeys: [
      { id: 1, key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmulator owner@example.com", createdAt: options.clock.now() },
    ],
    variables: new Set(),
    nextInstanceId: 7_835_610,
    nextTemplateId: 210_000,
    nextFaultId: 1,
    nextIncreaseId: 1,
    nextSshKeyId: 2,
  };
  seedMarket(world.market, options.machines ?? DEFAULT_MACHINES, seededRandom(options.seed, "market"), seconds(world));
  seedTemplates(world);
  return world;
}

/** The account's template `demo` and, with a lower id, another user's public one with the same name. */
function seedTemplates(world: World): void {
  const recipe = (image: string, env: string) =>
    templateContent({ name: "demo", image, env, runtype: "args", recommended_disk_space: 20, readme: "for trials" });
  addTemplate(world, STRANGER, recipe("stranger/app:1", "-p 9000:9000"), true);
  addTemplate(world, world.account.id, recipe("example/app:1", "-p 8000:8000"), false);
}
