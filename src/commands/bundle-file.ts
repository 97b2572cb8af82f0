import * as Flags from '@oclif/core/flags';

import type { Report } from '../generated/report.ts';
import type { Overrides } from '../rules/engine.ts';
import type { SampleRecording } from '../sources/recording.ts';
import type { OutputFile } from './output.ts';

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
  readonly devices: readonly string[];
  readonly redact: boolean;
  /** Whether the report goes into it. */
  readonly verdict: boolean;
}

/** A bundle in the making: opened before the window, so that a path that cannot be written costs nobody 30 seconds. */
export class BundleFile {
  readonly #output: OutputFile;
  readonly #choice: BundleChoice;
  readonly #samples: SampleRecording[] = [];

  private constructor(output: OutputFile, choice: BundleChoice) {
    this.#output = output;
    this.#choice = choice;
  }

  static async open(path: string, flag: string, choice: BundleChoice): Promise<BundleFile> {
    const { OutputFile } = await import('./output.ts');
    return new BundleFile(await OutputFile.open(path, 'create', 0o600, flag), choice);
  }

  readonly onSample = (recording: SampleRecording): void => {
    this.#samples.push(recording);
  };

  async write(report: Report, overrides: Overrides, baseline: Report | null): Promise<void> {
    const { packBundle } = await import('../bundle/write.ts');
    const [before, after] = this.#samples;
    if (before === undefined || after === undefined) throw new Error('a bundle needs both samples');
    const { version, devices, redact, verdict } = this.#choice;
    await this.#output.write(
      packBundle({
        before,
        after,
        report: verdict ? report : null,
        run: {
          requestedSeconds: report.window.requestedSeconds,
          cutShort: report.window.cutShort,
          devices,
          baseline: report.baseline,
          probe: report.probe,
          selfCost: report.selfCost,
        },
        overrides,
        baseline,
        version,
        commandLine: process.argv.slice(2),
        redact,
      }),
    );
  }
}
