import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { pathFlags, probeFlags } from './flags.ts';
import { BundleFile, bundleFlags } from './bundle-file.ts';
import { exitCodeOf, failOn, presentReport, readyToPresent, reportFormats } from './present.ts';
import { stopOnSignal } from './signals.ts';
import { parsePercent, parseWindow, UsageError } from '../usage.ts';
import type { Report } from '../generated/report.ts';
import type { Endpoint } from '../sources/endpoint.ts';

export default class Diagnose extends Command {
  static override summary = "Is this host's kernel cost per packet high, and why?";
  static override description =
    'Samples the host twice, a window apart, and judges what happened in between. Run it as root: without, less is ' +
    'measured, and the report says what and why. Nothing is changed on the host.';
  static override examples = [
    '<%= config.bin %> diagnose --window 30s',
    '<%= config.bin %> diagnose --window 10s --interface eth0 --json > ticket.json',
    'ip netns exec blue <%= config.bin %> diagnose --window 5s',
    '<%= config.bin %> diagnose --exporter http://web-1:9100/metrics --window 1m',
  ];
  static override flags = {
    window: Flags.string({ char: 'w', default: '30s', description: 'length of the window, 500ms to 1h' }),
    interface: Flags.string({ char: 'i', multiple: true, description: 'judge only this device (repeatable)' }),
    netns: Flags.string({
      default: 'all',
      description: 'namespaces to look into besides the own one: all, none, or a name or PID',
      helpValue: 'all|none|NAME|PID',
    }),
    'max-overhead': Flags.string({
      default: '1%',
      helpGroup: 'PROBE',
      description: "share of the host's CPU time the probe may take",
    }),
    format: Flags.option({ options: reportFormats, default: 'text' as const })({
      char: 'f',
      description: 'form of the report',
    }),
    json: Flags.boolean({ description: 'the same as --format json' }),
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
    verbose: Flags.boolean({ char: 'v', description: 'also show what was found in order, and every collector' }),
    quiet: Flags.boolean({ char: 'q', description: 'no progress line' }),
    ...bundleFlags,
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Diagnose);
    const { OutputFile } = await import('./output.ts');
    const { runDiagnosis } = await import('../diagnose.ts');
    const { startProgress } = await import('./progress.ts');
    const { readConfig } = await import('./config.ts');

    const seconds = parseWindow(flags.window);
    const given = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined || value === false || metadata.flags[name]?.setFromDefault === true ? [] : [name],
    );
    const exporter = flags.exporter === undefined ? undefined : await endpointOf(flags.exporter, given);
    const overrides = flags.config === undefined ? {} : await readConfig(flags.config);
    const baseline = flags.baseline === undefined ? undefined : await this.#baseline(flags.baseline);
    const output = flags.output === undefined ? undefined : await OutputFile.open(flags.output, 'create', 0o600);
    if (flags.redact && flags.bundle === undefined) throw new UsageError('--redact is for a bundle: it takes --bundle');
    const bundle =
      flags.bundle === undefined
        ? undefined
        : await BundleFile.open(flags.bundle, '--bundle', {
            version: this.config.version,
            devices: flags.interface ?? [],
            redact: flags.redact,
            verdict: true,
          });
    const stop = stopOnSignal();
    const progress = await startProgress(seconds, flags.quiet);
    const format = flags.json ? 'json' : flags.format;
    let ready: Promise<void> | undefined;
    let report: Report;
    try {
      const asked = {
        seconds,
        devices: flags.interface ?? [],
        overrides,
        baseline,
        version: this.config.version,
        stop: stop.signal,
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
              roots: { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] },
              netns: flags.netns,
              probe: flags.probe,
              ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
              allowSystemChanges: flags['allow-system-changes'],
              maxOverhead: parsePercent(flags['max-overhead']),
              ...(bundle === undefined ? {} : { onSample: bundle.onSample }),
            })
          : (await import('../exporter.ts')).diagnoseExporter({ ...asked, endpoint: exporter });
      report = await diagnosis;
      await ready;
    } finally {
      progress.stop();
      stop.release();
    }
    await presentReport(report, {
      format,
      verbose: flags.verbose,
      output,
      baseline: baseline?.report,
    });
    await bundle?.write(report, overrides, baseline?.report ?? null);
    process.exitCode = exitCodeOf(report.verdict.outcome, flags['fail-on'], stop.received());
  }

  /** Whatever compare takes for a side. */
  async #baseline(path: string): Promise<{ readonly name: string; readonly report: Report }> {
    const { openSide } = await import('../compare.ts');
    const { visible } = await import('../report/escape.ts');
    const { report, notes } = await openSide(path, this.config.version);
    for (const note of notes) process.stderr.write(`pktcost: --baseline: ${visible(note, 1000)}\n`);
    return { name: path, report };
  }
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
  const { exporterEndpoint } = await import('../exporter.ts');
  return exporterEndpoint(url);
}
