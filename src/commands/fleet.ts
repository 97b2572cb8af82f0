import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { readGivenFile } from '../base/file.ts';
import { UsageError } from '../base/usage.ts';
import { parseLength, parseTime, parseWindow } from './arguments.ts';
import { formatFlag, formatOf, jsonFlag } from './flags.ts';
import { openOutput } from './output.ts';
import { exitCodeOf, failOn, judgedFleet } from './exit-code.ts';
import { present, textStyle } from './present.ts';
import { stopOnSignal } from './signals.ts';

const formats = ['text', 'json', 'markdown'] as const;

/** Hosts listed where people read. */
const TOP = 20;

export default class FleetCommand extends Command {
  static override summary = 'Judges all hosts of a Prometheus, Thanos or Mimir server, worst first.';
  static override description =
    "Asks the server's HTTP API for what the rules need of node_exporter's metrics, and judges each " +
    'host by the same rules as diagnose. A host that is down or has no samples is said to be so, and is never ok. Nothing but ' +
    'the questions goes to the server, and nothing to anybody else.';
  static override examples = [
    `<%= config.bin %> fleet --prometheus http://prometheus:9090 --match '{job="node"}'`,
    `<%= config.bin %> fleet --prometheus https://mimir/prometheus --token-file token`,
    '<%= config.bin %> fleet --prometheus http://db:9090 --at 2026-03-01T09:30:00Z --json',
  ];
  static override flags = {
    prometheus: Flags.string({ required: true, description: "address of the server's API", helpValue: 'URL' }),
    window: Flags.string({
      char: 'w',
      default: '5m',
      description: 'length of the window, at least four scrapes and at most 1h',
      helpValue: 'DURATION',
    }),
    at: Flags.string({ description: "end of the window; the server's now, if not given", helpValue: 'TIME' }),
    match: Flags.string({ description: 'only hosts with these labels, such as {job="node"}', helpValue: 'SELECTOR' }),
    'token-file': Flags.string({ description: 'file whose first line is a bearer token', helpValue: 'FILE' }),
    tenant: Flags.string({ description: 'tenant of Mimir (X-Scope-OrgID)', helpValue: 'NAME' }),
    timeout: Flags.string({
      default: '60s',
      description: 'for all questions together, at most 1h',
      helpValue: 'DURATION',
    }),
    top: Flags.integer({
      min: 1,
      description: `most hosts listed; ${TOP} if not given, with JSON all`,
      helpValue: 'N',
    }),
    format: formatFlag(formats),
    json: jsonFlag,
    output: Flags.string({ char: 'o', description: 'write to a new file instead of stdout', helpValue: 'FILE' }),
    config: Flags.string({ description: 'JSON file with limits of your own', helpValue: 'FILE' }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least outcome of a host that makes the exit code non-zero',
    }),
    verbose: Flags.boolean({
      char: 'v',
      default: false,
      description: 'also the evidence, and what could not be judged and why',
    }),
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(FleetCommand);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const { configuredLimits } = await import('./config.ts');
    const { judgeFleet } = await import('../jobs/fleet.ts');
    const timeoutSeconds = parseLength('--timeout', flags.timeout);
    if (timeoutSeconds < 1 || timeoutSeconds > 3600) {
      throw new UsageError(`--timeout ${flags.timeout} is out of range: from 1s to 1h`);
    }
    if (flags.tenant !== undefined && !/^[\x21-\x7e]{1,150}$/.test(flags.tenant)) {
      throw new UsageError('--tenant: no name of a tenant: printable ASCII without spaces');
    }
    const options = {
      url: flags.prometheus,
      seconds: parseWindow(flags.window),
      at: flags.at === undefined ? undefined : parseTime('--at', flags.at),
      match: flags.match,
      token: flags['token-file'] === undefined ? undefined : await readToken(flags['token-file']),
      tenant: flags.tenant,
      timeoutSeconds,
      top: flags.top ?? (format === 'json' ? Infinity : TOP),
      overrides: await configuredLimits(flags.config),
      version: this.config.version,
    };
    const stop = stopOnSignal();
    const output = await openOutput(flags.output, 'create', 0o600);
    const fleet = await judgeFleet({ ...options, stop });
    if (format === 'json') {
      await present((await import('../report/json.ts')).renderJson(fleet), output);
    } else if (format === 'markdown') {
      await present((await import('../report/fleet/markdown.ts')).renderFleetMarkdown(fleet), output);
    } else {
      const { renderFleetText } = await import('../report/fleet/text.ts');
      await present(renderFleetText(fleet, { ...textStyle(output), verbose: flags.verbose }), output);
    }
    process.exitCode = exitCodeOf(judgedFleet(fleet), flags['fail-on']);
  }
}

const MOST_TOKEN_BYTES = 64 * 1024;

async function readToken(path: string): Promise<string> {
  const { tokenIn } = await import('../jobs/fleet.ts');
  const bytes = await readGivenFile(path, MOST_TOKEN_BYTES);
  if (!bytes.ok) throw new UsageError(`--token-file ${path}: cannot be read: ${bytes.reason}`);
  const token = tokenIn(Buffer.from(bytes.value).toString('latin1'));
  if (!token.ok) throw new UsageError(`--token-file ${path}: ${token.reason}`);
  return token.value;
}
