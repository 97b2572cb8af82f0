import { readFile } from 'node:fs/promises';

import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import type { Fleet } from '../generated/fleet.ts';
import { parseLength, parseTime, parseWindow, UsageError } from '../usage.ts';
import { exitCodeOf, failOn, present, textStyle } from './present.ts';

const formats = ['text', 'json', 'markdown'] as const;

/** Hosts listed where people read. */
const TOP = 20;

export default class FleetCommand extends Command {
  static override summary = 'The hosts of a Prometheus, Thanos or Mimir server, worst first, by the same rules.';
  static override description =
    "Asks the server's HTTP API for what the rules need of node_exporter's metrics, and judges each host as diagnose " +
    'would on the same samples. A host that is down or has no samples is said to be so, and is never ok. Nothing but ' +
    'the questions goes to the server, and nothing to anybody else.';
  static override examples = [
    '<%= config.bin %> fleet --prometheus http://prometheus:9090',
    `<%= config.bin %> fleet --prometheus https://mimir/prometheus --tenant ops --token-file token --match '{job="node"}'`,
    '<%= config.bin %> fleet --prometheus http://prometheus:9090 --at 2026-03-01T09:30:00Z --json',
  ];
  static override flags = {
    prometheus: Flags.string({ required: true, description: "address of the server's API", helpValue: 'URL' }),
    window: Flags.string({
      char: 'w',
      default: '5m',
      description: 'length of the window, to 1h; at least four scrapes long',
    }),
    at: Flags.string({ description: "end of the window; the server's now, if not given", helpValue: 'TIME' }),
    match: Flags.string({ description: 'only hosts with these labels', helpValue: `'{job="node"}'` }),
    'token-file': Flags.string({ description: 'file whose first line is a bearer token', helpValue: 'FILE' }),
    tenant: Flags.string({ description: 'tenant of Mimir (X-Scope-OrgID)', helpValue: 'NAME' }),
    timeout: Flags.string({ default: '60s', description: 'for all questions together, to 1h' }),
    top: Flags.integer({ min: 1, description: `most hosts listed; ${TOP} if not given, with JSON all` }),
    format: Flags.option({ options: formats, default: 'text' as const })({
      char: 'f',
      description: 'form of the result',
    }),
    json: Flags.boolean({ description: 'the same as --format json' }),
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
    const { flags } = await this.parse(FleetCommand);
    const { readConfig } = await import('./config.ts');
    const { judgeFleet } = await import('../fleet.ts');
    const timeoutSeconds = parseLength('--timeout', flags.timeout);
    if (timeoutSeconds < 1 || timeoutSeconds > 3600) {
      throw new UsageError(`--timeout ${flags.timeout} is out of range: from 1s to 1h`);
    }
    if (flags.tenant !== undefined && !/^[\x21-\x7e]{1,150}$/.test(flags.tenant)) {
      throw new UsageError('--tenant: no name of a tenant: printable ASCII without spaces');
    }
    const format = flags.json ? 'json' : flags.format;
    const options = {
      url: flags.prometheus,
      seconds: parseWindow(flags.window),
      at: flags.at === undefined ? undefined : parseTime('--at', flags.at),
      match: flags.match,
      token: flags['token-file'] === undefined ? undefined : await readToken(flags['token-file']),
      tenant: flags.tenant,
      timeoutSeconds,
      top: flags.top ?? (format === 'json' ? Infinity : TOP),
      overrides: flags.config === undefined ? {} : await readConfig(flags.config),
      version: this.config.version,
    };
    const output =
      flags.output === undefined
        ? undefined
        : await (await import('./output.ts')).OutputFile.open(flags.output, 'create', 0o600);
    const fleet = await judgeFleet(options);
    if (format === 'json') {
      await present((await import('../report/json.ts')).renderJson(fleet), output);
    } else if (format === 'markdown') {
      await present((await import('../report/fleet-markdown.ts')).renderFleetMarkdown(fleet), output);
    } else {
      const { renderFleetText } = await import('../report/fleet-text.ts');
      await present(renderFleetText(fleet, { ...textStyle(output), verbose: flags.verbose }), output);
    }
    process.exitCode = exitCodeOf(worstOf(fleet), flags['fail-on']);
  }
}

function worstOf({ counts }: Fleet): 'critical' | 'warning' | 'ok' {
  return counts.critical > 0 ? 'critical' : counts.warning > 0 ? 'warning' : 'ok';
}

async function readToken(path: string): Promise<string> {
  const { tokenIn } = await import('../fleet.ts');
  let content: string;
  try {
    content = await readFile(path, 'latin1');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/, \w+ '.*$/, '') : String(error);
    throw new UsageError(`--token-file ${path}: cannot be read: ${reason}`);
  }
  const token = tokenIn(content);
  if (!token.ok) throw new UsageError(`--token-file ${path}: ${token.reason}`);
  return token.value;
}
