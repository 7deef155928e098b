// The system's clock with deadlines that a busy machine keeps too: for tests of an answer that comes, over a real connection.
import { type Clock, systemClock } from "../../common/clock.ts";

const TIMES = 60;

export const patientClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms * TIMES, signal) };
