import type { Report } from '../generated/report.ts';
import { exitCodes } from '../usage.ts';
import type { OutputFile } from './output.ts';

/** What a report is printed as. */
export const reportFormats = ['text', 'json', 'markdown', 'html'] as const;

export const failOn = ['critical', 'warning', 'never'] as const;

export interface Presentation {
  readonly format: (typeof reportFormats)[number];
  readonly verbose: boolean;
  /** A file instead of stdout. */
  readonly output: OutputFile | undefined;
  /** The report given with --baseline. */
  readonly baseline?: Report | null | undefined;
}

/** Renders a report and writes it where it was asked for. */
export async function presentReport(report: Report, presentation: Presentation): Promise<void> {
  await present(await rendered(report, presentation), presentation.output);
}

const renderers = {
  json: () => import('../report/json.ts'),
  markdown: () => import('../report/markdown.ts'),
  html: () => import('../report/html.ts'),
  text: () => import('../report/text.ts'),
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
    case 'text':
      return (await renderers.text()).renderText(report, { ...textStyle(output), verbose, baseline });
  }
}

export async function present(text: string, output: OutputFile | undefined): Promise<void> {
  if (output === undefined) await writeAll(text);
  else await output.write(text);
}

/** How text looks on stdout or in a file. */
export function textStyle(output: OutputFile | undefined): {
  readonly colour: boolean;
  readonly width: number;
  readonly unicode: boolean;
} {
  const toTerminal = output === undefined && process.stdout.isTTY;
  return {
    colour: toTerminal && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
    width: toTerminal ? Math.max(60, Math.min(process.stdout.columns, 140)) : 100,
    unicode: unicodeTerminal(),
  };
}

/** 3 critical, 4 warnings only, 0 clean; a window ended by a signal is never 0. */
export function exitCodeOf(outcome: Report['verdict']['outcome'], least: (typeof failOn)[number], signal = 0): number {
  if (outcome === 'critical' && least !== 'never') return exitCodes.critical;
  if (outcome === 'warning' && least === 'warning') return exitCodes.warning;
  return signal === 0 ? exitCodes.clean : 128 + signal;
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
