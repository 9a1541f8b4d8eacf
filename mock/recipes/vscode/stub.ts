/**
 * The part of the editor that the extension uses. It records what the user would see, and does what the user
 * would do.
 *
 * @module
 */

import type * as vscode from "vscode";

type Report = Parameters<vscode.Progress<{ message?: string; increment?: number }>["report"]>[0];

/** The state of the editor: what the user sees and does. */
export const editor = {
  /** The user's input when the extension asks for something. */
  input: undefined as string | undefined,
  /** The configuration. */
  settings: {} as Record<string, unknown>,
  /** The progress that a notification has shown. */
  reports: [] as Report[],
  /** The messages that were shown. */
  messages: [] as string[],
  /** The commands by name. */
  commands: new Map<string, () => Promise<void>>(),
  /** Clicks on Cancel in the notification. */
  cancel: () => {},
};

export const ProgressLocation = { Notification: 15 };

export const window = {
  showInputBox: () => Promise.resolve(editor.input),
  showInformationMessage: (text: string) => void editor.messages.push(text),
  showErrorMessage: (text: string) => void editor.messages.push(text),
  withProgress: (
    _: vscode.ProgressOptions,
    task: (view: { report(report: Report): void }, token: unknown) => Promise<void>,
  ) => {
    const onCancellationRequested = (listener: () => void) => void (editor.cancel = listener);
    return task({ report: (report) => editor.reports.push(report) }, { onCancellationRequested });
  },
};

export const workspace = {
  getConfiguration: () => ({ get: (name: string) => editor.settings[name] }),
};

export const commands = {
  registerCommand: (name: string, command: () => Promise<void>) => {
    editor.commands.set(name, command);
    return { dispose: () => editor.commands.delete(name) };
  },
};
