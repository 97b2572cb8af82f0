import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { isErrno, systemErrorReason } from '../base/errno.ts';
import { UsageError } from '../base/usage.ts';
import type { Occurrence, JudgedWindow } from '../jobs/watch/loop.ts';
import type { WindowEvidence } from '../jobs/watch/live.ts';
import type { Overrides } from '../rules/engine.ts';
import { BundleFile, type BundleChoice } from './bundle-file.ts';

/** Bundles of one event have one name but for these endings. */
const parts = ['1-before', '2-when', '3-probed'] as const;
const NAME = /^(watch-\d{8}T\d{6}Z-PKT\d{4})-(?:1-before|2-when|3-probed)\.tar\.gz$/;

/**
 * The folder of a watch: three bundles for each event, of the last so many events; what watches before this one left there
 * counts. Only files of these names are ever taken away.
 */
export class WatchBundles {
  readonly #folder: string;
  readonly #keep: number;
  readonly #choice: BundleChoice;
  readonly #overrides: Overrides;

  private constructor(folder: string, keep: number, choice: BundleChoice, overrides: Overrides) {
    this.#folder = folder;
    this.#keep = keep;
    this.#choice = choice;
    this.#overrides = overrides;
  }

  /** @throws UsageError where there is no such folder and none can be made */
  static open(folder: string, keep: number, choice: BundleChoice, overrides: Overrides): WatchBundles {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!lstatSync(folder).isDirectory()) throw new UsageError(`--bundle ${folder}: is no folder`);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (isErrno(error, 'EEXIST')) throw new UsageError(`--bundle ${folder}: is no folder`);
      throw new UsageError(`--bundle ${folder}: cannot be used: ${systemErrorReason(error)}`);
    }
    return new WatchBundles(folder, keep, choice, overrides);
  }

  /**
   * Room first: a disk that is full may have some once the oldest is gone.
   * @throws OutputError or UsageError where one cannot be written
   */
  async save({ cause, before, met, after }: Occurrence<WindowEvidence>): Promise<readonly string[]> {
    const time = met.report.window.startedAt.replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
    const name = `watch-${time}-${cause.code}`;
    this.#makeRoom(name);
    const saved: string[] = [];
    for (const [index, window] of [before, met, after].entries()) {
      if (window === undefined) continue;
      const path = join(this.#folder, `${name}-${parts[index]!}.tar.gz`);
      await this.#write(path, window);
      saved.push(path);
    }
    return saved;
  }

  async #write(path: string, { evidence }: JudgedWindow<WindowEvidence>): Promise<void> {
    const { samples, run, report } = evidence();
    const file = await BundleFile.open(path, '--bundle', this.#choice);
    for (const sample of samples) file.onSample(sample);
    await file.write({ run, report, overrides: this.#overrides, baseline: null });
  }

  #makeRoom(name: string): void {
    const found = readdirSync(this.#folder).filter((each) => NAME.test(each));
    const events = [...new Set(found.map((each) => NAME.exec(each)![1]!))].sort();
    const old = events.filter((each) => each !== name).slice(0, Math.max(0, events.length + 1 - this.#keep));
    for (const each of found.filter((file) => old.some((event) => file.startsWith(`${event}-`))))
      unlinkSync(join(this.#folder, each));
  }
}
