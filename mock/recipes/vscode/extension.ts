/**
 * An editor command that pulls a model, with a notification that shows the progress and can cancel it.
 *
 * @module
 */

import { formatProgress, pull, PullError } from "@ollama-pull/kit";
import * as vscode from "vscode";

type View = vscode.Progress<{ message?: string; increment?: number }>;

/** Pulls a model, shows the progress, and stops if the user cancels. */
async function pullInView(model: string, view: View, token: vscode.CancellationToken) {
  const cancelled = new AbortController();
  token.onCancellationRequested(() => cancelled.abort());
  const host = vscode.workspace.getConfiguration("ollama").get<string>("host");
  let shown = 0;
  for await (const progress of pull(model, { host, signal: cancelled.signal })) {
    const percent = Math.floor(progress.fraction * 100);
    view.report({ increment: percent - shown, message: formatProgress(progress).line });
    shown = percent;
  }
}

/** Pulls a model, and shows the result. */
async function pullModel(model: string): Promise<void> {
  const location = vscode.ProgressLocation.Notification;
  try {
    await vscode.window.withProgress(
      { location, title: `Pulling ${model}`, cancellable: true },
      (view, token) => pullInView(model, view, token),
    );
    vscode.window.showInformationMessage(`${model} is ready to use`);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "AbortError") return;
    const isAway = PullError.from(error)?.reason === "refused";
    vscode.window.showErrorMessage(isAway ? `Ollama may not be running: ${message}` : message);
  }
}

/** Registers the command. */
export function activate({ subscriptions }: vscode.ExtensionContext): void {
  const command = async () => {
    const model = await vscode.window.showInputBox({ prompt: "Which model?" });
    if (model) await pullModel(model);
  };
  subscriptions.push(vscode.commands.registerCommand("ollama.pull", command));
}
