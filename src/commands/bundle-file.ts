import * as Flags from '@oclif/core/flags';

import type { RunFacts } from '../bundle/manifest.ts';
import type { Report } from '../generated/report.ts';
import type { RecordedRun } from '../jobs/bundle.ts';
import type { SampleRecording } from '../sources/recording.ts';
import { openOutput, type Output } from './output.ts';
import { UsageError } from '../base/usage.ts';

export const bundleFlags = {
  bundle: Flags.string({
    helpGroup: 'BUNDLE',
    description: 'also write the report and everything that was read to a new archive, for replay and for tickets',
    helpValue: 'FILE.tar.gz',
  }),
  redact: Flags.boolean({
    default: false,
    helpGroup: 'BUNDLE',
    description: 'put tokens for addresses and names of host, processes and namespaces into the bundle',
  }),
};

export interface BundleChoice {
  readonly version: string;
  readonly redact: boolean;
}

/** What the run knows once its window has ended; no report for a bundle without a verdict. */
export type RunForBundle = Pick<RecordedRun, 'run' | 'report' | 'overrides' | 'baseline'>;

/** What a judged run knew besides its samples. */
export function runOf({ window, baseline, probe, selfCost }: Report, devices: readonly string[]): RunFacts {
  const { requestedSeconds, cutShort } = window;
  return { requestedSeconds, cutShort, devices, baseline, probe, selfCost };
}

/** A bundle in the making: opened before the window, so that a path that cannot be written costs nobody 30 seconds. */
export class BundleFile {
  readonly #output: Output;
  readonly #choice: BundleChoice;
  readonly #samples: SampleRecording[] = [];

  private constructor(output: Output, choice: BundleChoice) {
    this.#output = output;
    this.#choice = choice;
  }

  static async open(path: string, flag: string, choice: BundleChoice): Promise<BundleFile> {
    if (path === '-') throw new UsageError(`${flag} -: stdout is for the report: name a new file`);
    return new BundleFile(await openOutput(path, 'create', 0o600, flag), choice);
  }

  readonly onSample = (recording: SampleRecording): void => {
    this.#samples.push(recording);
  };

  /** Loads what packing takes. */
  async ready(): Promise<void> {
    await import('../jobs/bundle.ts');
  }

  async write(content: RunForBundle): Promise<void> {
    const { packBundle } = await import('../jobs/bundle.ts');
    const [before, after] = this.#samples;
    if (before === undefined || after === undefined) throw new Error('a bundle needs both samples');
    const commandLine = process.argv.slice(2);
    await this.#output.write(packBundle({ ...content, ...this.#choice, before, after, commandLine }));
  }
}
