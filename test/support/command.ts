import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built command, as a user starts it. Tests run from build/test/. */
export const bin = fileURLToPath(new URL('../../../bin/pktcost.js', import.meta.url));

export interface Ran {
  readonly status: number | null;
  /** What ended it, where it did not end by itself. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A command and its arguments that run another, such as `ip netns exec NAME`. */
  readonly under?: readonly string[];
  /** Called with the running process. */
  readonly during?: (child: ChildProcess) => unknown;
}

/** Runs `pktcost` with these arguments to its end. */
export async function pktcost(
  args: readonly string[],
  { uid, env, cwd, under = [], during }: RunOptions = {},
): Promise<Ran> {
  const [program = process.execPath, ...words] = [...under, process.execPath, bin, ...args];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  during?.(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      resolve({ status, signal, stdout, stderr });
    });
  });
}
