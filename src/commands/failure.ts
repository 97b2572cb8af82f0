import { visible } from '../report/escape.ts';
import { exitCodes, nearest, UsageError } from '../usage.ts';

export interface Failed {
  /** '' when there is nothing to say: the command has said it. */
  readonly line: string;
  readonly exitCode: number;
}

/** Turns whatever was thrown into one line and an exit code; the stack only with DEBUG=pktcost. */
export function explainFailure(error: unknown, commands: readonly string[]): Failed {
  if (process.env['DEBUG'] === 'pktcost' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  // It may quote a file, a page or a server.
  if (error instanceof UsageError)
    return { line: `pktcost: ${visible(error.message, 2000)}`, exitCode: exitCodes.usage };
  if (!(error instanceof Error)) return { line: `pktcost: ${String(error)}`, exitCode: exitCodes.internal };
  const exit = oclifExit(error);
  if ('code' in error && error.code === 'EEXIT') return { line: '', exitCode: exit ?? 0 };
  const message = oneLine(error.message);
  const unknownCommand = /^command (\S+) not found/.exec(message);
  if (unknownCommand !== null) {
    const asked = unknownCommand[1]!.replaceAll(':', ' ');
    const near = nearest(
      asked,
      commands.map((name) => name.replaceAll(':', ' ')),
    );
    const hint = near === undefined ? 'see pktcost --help' : `did you mean "pktcost ${near}"?`;
    return { line: `pktcost: there is no command "${asked}": ${hint}`, exitCode: exitCodes.usage };
  }
  if (exit !== undefined || 'parse' in error)
    return { line: `pktcost: ${message}${flagHint(error, message)}`, exitCode: exitCodes.usage };
  return {
    line: `pktcost: internal error: ${message} (DEBUG=pktcost shows where; please report it)`,
    exitCode: exitCodes.internal,
  };
}

/** oclif's messages carry a usage hint and line breaks; the first lines say what is wrong. */
function oneLine(message: string): string {
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'))
    .join('; ')
    .replaceAll(':; ', ': ');
}

function flagHint(error: Error, message: string): string {
  const misspelt = /^Nonexistent flags?: --?([\w.-]+)/.exec(message)?.[1];
  const known = knownFlags(error);
  const near = misspelt === undefined ? undefined : nearest(misspelt, known);
  if (near !== undefined) return `: did you mean --${near}?`;
  return '; --help lists what there is';
}

function knownFlags(error: Error): string[] {
  if (!('parse' in error) || typeof error.parse !== 'object' || error.parse === null) return [];
  const parse = error.parse as { input?: { flags?: Record<string, unknown> } };
  return Object.keys(parse.input?.flags ?? {});
}

function oclifExit(error: Error): number | undefined {
  if (!('oclif' in error) || typeof error.oclif !== 'object' || error.oclif === null) return undefined;
  const exit = (error.oclif as { exit?: unknown }).exit;
  return typeof exit === 'number' ? exit : undefined;
}
