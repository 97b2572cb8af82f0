import { readFile } from 'node:fs/promises';

import type { Overrides } from '../rules/engine.ts';
import { rules } from '../rules/index.ts';
import { nearest, UsageError } from '../usage.ts';

/**
 * Reads `--config`: a JSON file of the shape of schema/config.v1.json that changes limits of rules.
 * @throws UsageError with the JSON pointer of what is wrong
 */
export async function readConfig(path: string): Promise<Overrides> {
  const config = await readJson(path, '--config');
  const { validateConfig } = await import('../generated/validate.ts');
  if (!validateConfig(config)) {
    throw new UsageError(`--config ${path}: ${faultOf(validateConfig.errors)}`);
  }
  const overrides = (config as { thresholds?: Overrides }).thresholds ?? {};
  for (const [code, limits] of Object.entries(overrides)) {
    const rule = rules.find((each) => each.code === code);
    if (rule === undefined) {
      throw new UsageError(`--config ${path}: /thresholds/${code}: there is no such rule; pktcost rules lists them`);
    }
    const known = Object.keys(rule.thresholds);
    for (const name of Object.keys(limits)) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? `it has ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
      throw new UsageError(`--config ${path}: /thresholds/${code}/${name}: the rule has no such limit: ${hint}`);
    }
  }
  return overrides;
}

/** @throws UsageError when the file cannot be read or is not JSON; `flag` names where the path came from */
async function readJson(path: string, flag: string): Promise<unknown> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `${flag} ${path}: cannot be read: ${error instanceof Error ? error.message.replace(/, \w+ '.*$/, '') : String(error)}`,
    );
  }
  try {
    return JSON.parse(content) as unknown;
  } catch (error) {
    // The message may quote the file, with its line ends.
    const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    throw new UsageError(`${flag} ${path}: not JSON: ${reason}`);
  }
}

/** The first thing that a schema does not allow: where, what, and which name is one too many. */
function faultOf(
  errors:
    readonly { instancePath: string; message?: string; params: Readonly<Record<string, unknown>> }[] | null | undefined,
): string {
  const [error] = errors ?? [];
  if (error === undefined) return 'not valid';
  const extra = error.params['additionalProperty'];
  const name = typeof extra === 'string' ? ` "${extra}"` : '';
  return `${error.instancePath === '' ? '/' : error.instancePath}: ${error.message ?? 'not valid'}${name}`;
}
