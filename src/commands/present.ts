import { fstatSync } from 'node:fs';

import { ifAllowed } from '../base/errno.ts';
import type { Report } from '../generated/report.ts';
import { visible } from '../report/escape.ts';
import { OutputError, stdout, type Output } from './output.ts';

/** What a report is printed as. */
export const reportFormats = ['text', 'json', 'markdown', 'html', 'folded'] as const;

export interface Presentation {
  readonly format: (typeof reportFormats)[number];
  readonly verbose: boolean;
  readonly output: Output;
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** Renders a report and writes it where it was asked for. */
export async function presentReport(report: Report, presentation: Presentation): Promise<void> {
  await present(await rendered(report, presentation), presentation.output);
}

const renderers = {
  json: () => import('../report/json.ts'),
  markdown: () => import('../report/markdown/index.ts'),
  html: () => import('../report/html/index.ts'),
  text: () => import('../report/text/index.ts'),
  folded: () => import('../report/folded.ts'),
};

/** Loads what a report of this format takes, so that nobody waits for it when the window has ended. */
export async function readyToPresent(format: Presentation['format']): Promise<void> {
  await renderers[format]();
}

async function rendered(report: Report, { format, verbose, output, baseline }: Presentation): Promise<string> {
  switch (format) {
    case 'json':
      return (await renderers.json()).renderJson(report);
    case 'markdown':
      return (await renderers.markdown()).renderMarkdown(report, { baseline });
    case 'html':
      return (await renderers.html()).renderHtml(report, { baseline });
    case 'folded':
      return (await renderers.folded()).renderFolded(report);
    case 'text':
      return (await renderers.text()).renderText(report, { ...textStyle(output), verbose, baseline });
  }
}

/** Writes a result where it was asked for; what cannot be written there is better on stdout than lost. */
export async function present(text: string, output: Output): Promise<void> {
  try {
    await output.write(text);
  } catch (error) {
    if (!(error instanceof OutputError) || output.isStdout) throw error;
    await stdout.write(text);
    throw new OutputError(`${error.message}; it is on stdout instead`);
  }
}

/**
 * The end of a run: each output is written whatever becomes of the others.
 * @throws the first failure, when all have had their turn; further ones are said on stderr
 */
export async function eachOnItsOwn(...outputs: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: Error[] = [];
  for (const write of outputs) {
    try {
      await write();
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  const [first, ...others] = failures;
  for (const error of others) {
    process.stderr.write(`pktcost: ${visible(error.message, 2000)}\n`);
  }
  if (first !== undefined) throw first;
}

const descriptors = { stdout: 1, stderr: 2 } as const;

/** Asked of the descriptor first: Node makes a stream of what it is asked of. */
export function isTerminal(name: keyof typeof descriptors): boolean {
  const status = ifAllowed(() => fstatSync(descriptors[name]));
  return status?.isCharacterDevice() === true && process[name].isTTY;
}

/** Widths that text is laid out for. */
const NARROWEST = 60;
const WIDEST = 200;
/** Where nothing tells of a terminal. */
const USUAL_WIDTH = 80;
const USUAL_ROWS = 24;

/** How text looks on stdout or in a file. */
export function textStyle(output: Output): {
  readonly colour: boolean;
  readonly width: number;
  readonly unicode: boolean;
  readonly rows: number | undefined;
} {
  const toTerminal = output.isStdout && isTerminal('stdout');
  // A terminal that was never given a size says 0.
  const columns = (toTerminal && process.stdout.columns) || (isTerminal('stderr') && process.stderr.columns);
  const width = columns || Number(process.env['COLUMNS']) || USUAL_WIDTH;
  return {
    colour: coloured(toTerminal),
    width: Math.max(NARROWEST, Math.min(width, WIDEST)),
    unicode: unicodeTerminal(),
    rows: toTerminal ? process.stdout.rows || USUAL_ROWS : undefined,
  };
}

/** FORCE_COLOR decides where it is set, as in Node; then NO_COLOR; else a terminal that knows colours has them. */
function coloured(toTerminal: boolean): boolean {
  const forced = process.env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return toTerminal && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

export function unicodeTerminal(): boolean {
  // An empty variable is as good as none.
  const locale = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => process.env[name] ?? '').find((value) => value !== '');
  return /utf-?8/i.test(locale ?? '');
}
