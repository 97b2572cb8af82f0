/** Whoever gets a bundle of a scenario comes to the same report: without rights, elsewhere, and later. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { command, PREFIX } from './programs.ts';

/** An emulated machine takes a hundred times as long. */
const REPLAY_MS = 90_000;
const NOBODY = 65534;

/** Takes a bundle away from where it lies, to be replayed. */
export type Keep = (bundle: string, report: string) => void;

interface Kept {
  readonly of: string;
  readonly folder: string;
  readonly report: string;
}

/** Bundles that stand to be replayed, with the reports that were printed beside them. */
export class Replays {
  readonly #kept: Kept[] = [];
  #folder: string | undefined;

  /** For the bundles of one case. */
  of(name: string): Keep {
    return (bundle, report) => {
      if (process.env['PKTCOST_LAB_REPLAYS'] !== 'no') this.#keep(name, bundle, report);
    };
  }

  #keep(of: string, bundle: string, report: string): void {
    this.#folder ??= newFolder();
    const folder = join(this.#folder, `${this.#kept.length}`);
    mkdirSync(folder);
    const copy = join(folder, 'copy.tar.gz');
    renameSync(bundle, copy);
    for (const path of [folder, copy]) chownSync(path, NOBODY, NOBODY);
    this.#kept.push({ of, folder, report });
  }

  /** One for each CPU at a time: nothing else is measured meanwhile. */
  async all(): Promise<void> {
    const left = this.#kept.splice(0);
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await replay(next);
    };
    try {
      await Promise.all(Array.from({ length: availableParallelism() }, worker));
    } finally {
      if (this.#folder !== undefined) removeFolder(this.#folder);
      this.#folder = undefined;
    }
  }
}

/** For the cases of a suite: they are replayed after its last one, which takes half as long as one after each. */
export function replaysAtTheEnd(): Replays {
  const replays = new Replays();
  after(() => replays.all());
  return replays;
}

async function replay({ of, folder, report }: Kept): Promise<void> {
  const nobody = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  const child = spawn('setpriv', [...nobody, process.execPath, command, 'replay', 'copy.tar.gz', '--json'], {
    cwd: folder,
    env: { HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: REPLAY_MS,
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_, by) => {
      resolve(by);
    });
  });
  assert.equal(signal, null, `the replay of "${of}" came to its end in time`);
  assert.equal(said.err, '', `the replay of "${of}" has something to say`);
  assert.equal(said.out, report, `the replayed report of "${of}" is the recorded one`);
}

const folders = new Set<string>();
process.on('exit', () => {
  folders.forEach(removeFolder);
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // Who replays may pass, and no more.
  chownSync(folder, 0, NOBODY);
  chmodSync(folder, 0o710);
  folders.add(folder);
  return folder;
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
