import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { lacking } from './needs.ts';

/** Why a test in network namespaces is left out; false when it can run. */
export const withoutRoot = lacking({ root: true, tools: ['ip'] });

let created = 0;

/** A network namespace of this test process with its loopback up, and the programs running in it. */
export class TestNamespace {
  readonly name = `pktcost-t${process.pid}-${(created += 1)}`;
  readonly #programs: ChildProcess[] = [];

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    execFileSync('ip', ['-n', this.name, 'link', 'set', 'lo', 'up']);
  }

  get path(): string {
    return `/run/netns/${this.name}`;
  }

  /** Starts a program inside; resolves when it has written something that matches. */
  async start(command: string, args: readonly string[], ready: RegExp): Promise<number> {
    const program = spawn('ip', ['netns', 'exec', this.name, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#programs.push(program);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        if (ready.test(said)) resolve();
      };
      program.stdout.on('data', hear);
      program.stderr.on('data', hear);
      program.on('error', reject);
      program.on('exit', (code) => {
        reject(new Error(`${command} ended with ${code ?? 'a signal'}: ${said}`));
      });
      setTimeout(() => {
        reject(new Error(`${command} is not ready after 10 s: ${said}`));
      }, 10_000).unref();
    });
    return program.pid!;
  }

  async remove(): Promise<void> {
    for (const program of this.#programs) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      program.kill('SIGKILL');
      await once(program, 'exit');
    }
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}
