// The program of a child process of many.ts: works on one seed after another until the parent lets go. Touches its channel.
import { serveTasks } from "./many.ts";
import { tryOut } from "./trial.ts";

serveTasks((task) => tryOut(task.seed, task));
