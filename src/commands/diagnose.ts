import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import {
  formatFlag,
  formatOf,
  jsonFlag,
  netnsFlag,
  overheadFlag,
  pathFlags,
  probeChoiceOf,
  probeFlags,
  rootsOf,
  interfaceFlag,
} from './flags.ts';
import { BundleFile, bundleFlags, runOf } from './bundle-file.ts';
import { openOutput } from './output.ts';
import { exitCodeOf, failOn, judgedReport } from './exit-code.ts';
import { eachOnItsOwn, presentReport, readyToPresent, reportFormats } from './present.ts';
import { stopOnSignal } from './signals.ts';
import { UsageError } from '../base/usage.ts';
import { parsePercent, parseWindow } from './arguments.ts';
import type { Report } from '../generated/report.ts';
import type { Endpoint } from '../sources/pages/endpoint.ts';

export default class Diagnose extends Command {
  static override summary = "Is this host's kernel cost per packet high, and why?";
  static override description =
    'Samples the host twice, a window apart, and judges what happened in between. Run it as root: without, less is ' +
    'measured, and the report says what and why. Nothing is changed on the host.';
  static override examples = [
    '<%= config.bin %> diagnose --window 30s',
    '<%= config.bin %> diagnose --window 10s --interface eth0 --json > ticket.json',
    '$ sudo ip netns exec blue <%= config.bin %> diagnose --window 5s',
    '<%= config.bin %> diagnose --exporter http://web-1:9100/metrics --window 1m',
  ];
  static override flags = {
    window: Flags.string({
      char: 'w',
      default: '30s',
      description: 'length of the window, 500ms to 1h',
      helpValue: 'DURATION',
    }),
    interface: interfaceFlag('judge only this device (repeatable)'),
    netns: netnsFlag('all'),
    'max-overhead': overheadFlag,
    format: formatFlag(reportFormats, 'report'),
    json: jsonFlag,
    output: Flags.string({
      char: 'o',
      description: 'write the report to a new file instead of stdout',
      helpValue: 'FILE',
    }),
    exporter: Flags.string({
      description: "judge another host by two scrapes of its node_exporter's page, or of one made by pktcost metrics",
      helpValue: 'URL',
    }),
    config: Flags.string({ description: 'JSON file with limits of your own', helpValue: 'FILE' }),
    baseline: Flags.string({
      description: 'an earlier JSON report or bundle of this host to compare with',
      helpValue: 'FILE',
    }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least outcome that makes the exit code non-zero',
    }),
    verbose: Flags.boolean({
      char: 'v',
      description: 'everything: evidence, taps, losses, the cost of a packet, what was found in order, every collector',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'no progress line' }),
    ...bundleFlags,
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Diagnose);
    const { runDiagnosis } = await import('../jobs/diagnose.ts');
    const { startProgress } = await import('./progress.ts');
    const { configuredLimits } = await import('./config.ts');

    const seconds = parseWindow(flags.window);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const given = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined || value === false || metadata.flags[name]?.setFromDefault === true ? [] : [name],
    );
    const exporter = flags.exporter === undefined ? undefined : await endpointOf(flags.exporter, given);
    const overrides = await configuredLimits(flags.config);
    const baseline = flags.baseline === undefined ? undefined : await this.#baseline(flags.baseline);
    if (flags.redact && flags.bundle === undefined) throw new UsageError('--redact is for a bundle: it takes --bundle');
    const stop = stopOnSignal();
    const output = await openOutput(flags.output, 'create', 0o600);
    const bundle =
      flags.bundle === undefined
        ? undefined
        : await BundleFile.open(flags.bundle, '--bundle', {
            version: this.config.version,
            redact: flags.redact,
          });
    const progress = await startProgress(seconds, flags.quiet);
    let ready: Promise<void> | undefined;
    let report: Report;
    try {
      const asked = {
        seconds,
        devices: flags.interface ?? [],
        overrides,
        baseline,
        version: this.config.version,
        stop,
        onTick: (left: number) => {
          progress.tick(left);
          // Loaded in the window: before it and at its end somebody waits.
          ready ??= readyToPresent(format);
        },
      };
      const diagnosis =
        exporter === undefined
          ? runDiagnosis({
              ...asked,
              roots: rootsOf(flags),
              netns: flags.netns,
              ...probeChoiceOf(flags),
              maxOverhead: parsePercent(flags['max-overhead']),
              onFewDescriptors: async () => {
                await (ready ??= readyToPresent(format));
                await bundle?.ready();
              },
              ...(bundle === undefined ? {} : { onSample: bundle.onSample }),
            })
          : (await import('../jobs/exporter.ts')).diagnoseExporter({ ...asked, endpoint: exporter });
      report = await diagnosis;
      await ready;
    } finally {
      progress.stop();
    }
    process.exitCode = exitCodeOf(judgedReport(report, flags.interface, namedNetns(flags.netns)), flags['fail-on']);
    await eachOnItsOwn(
      () => presentReport(report, { format, verbose: flags.verbose, output, baseline: baseline?.report }),
      async () =>
        bundle?.write({
          run: runOf(report, flags.interface ?? []),
          report,
          overrides,
          baseline: baseline?.report ?? null,
        }),
    );
  }

  /** Whatever compare takes for a side. */
  async #baseline(path: string): Promise<{ readonly name: string; readonly report: Report }> {
    const { openSide } = await import('../jobs/compare.ts');
    const { visible } = await import('../report/escape.ts');
    const { report, notes } = await openSide(path, this.config.version).catch((error: unknown) => {
      throw error instanceof UsageError ? new UsageError(`--baseline ${error.message}`) : error;
    });
    for (const note of notes) process.stderr.write(`pktcost: --baseline: ${visible(note, 1000)}\n`);
    return { name: path, report };
  }
}

/** As its series are labelled. */
function namedNetns(netns: string): string | undefined {
  if (netns === 'all' || netns === 'none') return undefined;
  return /^\d+$/.test(netns) ? `pid:${netns}` : netns;
}

/** What is said about this host only: there is no use for it on another's page. */
const ofThisHost = [
  'probe',
  'xdp-mode',
  'allow-system-changes',
  'max-overhead',
  'netns',
  'bundle',
  'redact',
  'path.procfs',
  'path.sysfs',
  'path.rootfs',
];

async function endpointOf(url: string, given: readonly string[]): Promise<Endpoint> {
  const useless = ofThisHost.filter((name) => given.includes(name)).map((name) => `--${name}`);
  if (useless.length > 0) {
    throw new UsageError(
      `--exporter judges another host's page: leave out ${useless.join(', ')}, of use on this host only`,
    );
  }
  const { exporterEndpoint } = await import('../jobs/exporter.ts');
  return exporterEndpoint(url);
}
