import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { pathFlags, probeFlags } from './flags.ts';
import { exitCodes, parsePercent, parseWindow } from '../usage.ts';
import type { Report } from '../generated/report.ts';

const failOn = ['critical', 'warning', 'never'] as const;
const formats = ['text', 'json'] as const;

export default class Diagnose extends Command {
  static override summary = "Is this host's kernel cost per packet high, and why?";
  static override description =
    'Samples the host twice, a window apart, and judges what happened in between. Run it as root: without, less is ' +
    'measured, and the report says what and why. Nothing is changed on the host.';
  static override examples = [
    '<%= config.bin %> diagnose --window 30s',
    '<%= config.bin %> diagnose --window 10s --interface eth0 --json > ticket.json',
    'ip netns exec blue <%= config.bin %> diagnose --window 5s',
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
    format: Flags.option({ options: formats, default: 'text' as const })({
      char: 'f',
      description: 'form of the report',
    }),
    json: Flags.boolean({ description: 'the same as --format json' }),
    output: Flags.string({
      char: 'o',
      description: 'write the report to a new file instead of stdout',
      helpValue: 'FILE',
    }),
    config: Flags.string({ description: 'JSON file with limits of your own', helpValue: 'FILE' }),
    baseline: Flags.string({ description: 'an earlier JSON report of this host to compare with', helpValue: 'FILE' }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least outcome that makes the exit code non-zero',
    }),
    verbose: Flags.boolean({ char: 'v', description: 'also show what was found in order, and every collector' }),
    quiet: Flags.boolean({ char: 'q', description: 'no progress line' }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Diagnose);
    const { OutputFile } = await import('./output.ts');
    const { runDiagnosis } = await import('../diagnose.ts');
    const { renderText } = await import('../report/text.ts');
    const { renderJson } = await import('../report/json.ts');
    const { startProgress } = await import('./progress.ts');
    const { readBaseline, readConfig } = await import('./config.ts');

    const seconds = parseWindow(flags.window);
    const overrides = flags.config === undefined ? {} : await readConfig(flags.config);
    const baseline =
      flags.baseline === undefined ? undefined : { name: flags.baseline, report: await readBaseline(flags.baseline) };
    const output = flags.output === undefined ? undefined : await OutputFile.open(flags.output, 'create', 0o600);
    const stop = stopOnSignal();
    const progress = await startProgress(seconds, flags.quiet);
    let report: Report;
    try {
      report = await runDiagnosis({
        seconds,
        roots: { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] },
        devices: flags.interface ?? [],
        netns: flags.netns,
        probe: flags.probe,
        ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
        allowSystemChanges: flags['allow-system-changes'],
        maxOverhead: parsePercent(flags['max-overhead']),
        overrides,
        baseline,
        version: this.config.version,
        stop: stop.signal,
        onTick: (left) => {
          progress.tick(left);
        },
      });
    } finally {
      progress.stop();
      stop.release();
    }
    const format = flags.json ? 'json' : flags.format;
    const toTerminal = output === undefined && process.stdout.isTTY;
    const rendered =
      format === 'json'
        ? renderJson(report)
        : renderText(report, {
            colour: toTerminal && (process.env['NO_COLOR'] ?? '') === '',
            width: toTerminal ? Math.max(80, Math.min(process.stdout.columns, 140)) : 100,
            unicode: unicodeTerminal(),
            verbose: flags.verbose,
          });
    if (output === undefined) await writeAll(rendered);
    else await output.write(rendered);
    process.exitCode = exitCodeOf(report, flags['fail-on'], stop.received());
  }
}

/** 3 critical, 4 warnings only, 0 clean; a window ended by a signal is never 0. */
function exitCodeOf(report: Report, least: (typeof failOn)[number], signal: number): number {
  const outcome = report.verdict.outcome;
  if (outcome === 'critical' && least !== 'never') return exitCodes.critical;
  if (outcome === 'warning' && least === 'warning') return exitCodes.warning;
  return signal === 0 ? exitCodes.clean : 128 + signal;
}

/** The first SIGINT or SIGTERM ends the window; a second one ends pktcost as usual. */
function stopOnSignal(): { signal: AbortSignal; received: () => number; release: () => void } {
  const controller = new AbortController();
  let number = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    number = signal === 'SIGINT' ? 2 : 15;
    controller.abort();
    release();
  };
  const release = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, received: () => number, release };
}

function unicodeTerminal(): boolean {
  return /utf-?8/i.test(process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? '');
}

/** Waits until stdout took everything: process.exit would cut a pipe short. A reader that left early is no error. */
async function writeAll(content: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') resolve();
      else reject(error);
    });
    process.stdout.write(content, () => {
      resolve();
    });
  });
}
