// `vast-provisioner history`: the last transitions of this pod, from the provisioner that runs here or from the file that it has left.
// Touches the provisioner's status port, the state file and the terminal.
import { systemClock as clock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { systemDisk } from "../../common/disk.ts";
import { readSettings, SettingsError, type SettingsSource } from "../../common/settings.ts";
import { labelOf } from "../model/label.ts";
import { type HistoryDocument, historyNames, historyScreen } from "../screens/history-screen.ts";
import { readState } from "../state/state-file.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { askProvisioner } from "./read-status.ts";

export async function historyCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const last = readLast(call.options.last);
  const all = await readHistory(source, (note) => call.terminal.err(`${note}\n`));
  const document = { ...all, history: last === null ? all.history : all.history.slice(-last) };
  const { terminal, output } = call;
  if (output === "json") terminal.out(`${JSON.stringify(document)}\n`);
  else if (output === "name") terminal.out(historyNames(document));
  else terminal.out(historyScreen(document, clock.now(), terminal.paint, output === "wide" ? null : terminal.width()));
  return EXIT.done;
}

async function readHistory(source: SettingsSource, note: (text: string) => void): Promise<HistoryDocument> {
  const { values } = readSettings(PROVISIONER_VARIABLES, source, ["PROVISIONER_STATUS_PORT", "STATE_PATH"]);
  const answer = await askProvisioner(values.PROVISIONER_STATUS_PORT, clock);
  if (answer !== null && "status" in answer) {
    const { label, history } = answer.status;
    return { schema: 1, label, from: "provisioner", history };
  }
  if (answer !== null) note(answer.problem);
  const label = labelOf(readSettings(PROVISIONER_VARIABLES, source, ["POD_NAME", "VAST_LABEL"]).values);
  const path = values.STATE_PATH;
  const read = await readState(systemDisk, path, label);
  if (read === null)
    throw new Error(
      `no provisioner answers on port ${values.PROVISIONER_STATUS_PORT}, and there is no state file ${path}: run this where the provisioner runs, as with kubectl exec`,
    );
  if ("why" in read) throw new Error(`the state file ${path} cannot be used: ${read.why}`);
  const history = read.state.history.map((one) => ({ ...one, at: new Date(one.at).toISOString() }));
  return { schema: 1, label, from: "state_file", history };
}

function readLast(text: unknown): number | null {
  if (text === undefined) return null;
  if (typeof text === "string" && /^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new SettingsError(["--last must be a whole number, 1 or more."]);
}
