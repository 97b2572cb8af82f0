import type { Argument } from '../../rules/finding.ts';
import { formats, significant } from './formats.ts';

const ARGUMENT = /\{([A-Za-z][A-Za-z0-9]*)(?::([a-z]+))?\}/g;

/** The words of a message with its arguments filled in. An argument or a format that does not exist is a rule's bug. */
export function say(words: string, args: Readonly<Record<string, Argument>>): string {
  return words.replace(ARGUMENT, (place, name: string, format: string | undefined) => {
    const value = args[name];
    if (value === undefined) throw new Error(`${place}: no such argument`);
    if (format === undefined) return textOf(value);
    if (!isFormat(format)) throw new Error(`${place}: no such format`);
    if (typeof value !== 'number') throw new Error(`${place}: ${JSON.stringify(value)} is not a number`);
    return formats[format](value);
  });
}

/** The arguments words ask for, and their formats; an unknown format or a brace that is no argument is an error. */
export function argumentsOf(words: string): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const rest = words.replace(ARGUMENT, (place, name: string, format: string | undefined) => {
    if (format !== undefined && !isFormat(format)) throw new Error(`${place}: no such format`);
    found.set(name, format);
    return '';
  });
  if (/[{}]/.test(rest)) throw new Error(`"${words}" has a brace that is no argument`);
  return found;
}

function isFormat(name: string): name is keyof typeof formats {
  return Object.hasOwn(formats, name);
}

/** An argument as it stands in a sentence. */
function textOf(value: Argument): string {
  if (typeof value === 'number') return significant(value);
  return typeof value === 'string' ? value : value.words;
}
