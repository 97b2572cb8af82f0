import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Overrides } from '../rules/engine.ts';
import { rules } from '../rules/index.ts';
import { readGivenFile } from '../base/file.ts';
import { nearest, UsageError } from '../base/usage.ts';
import { jsonBudget, parseJson } from '../base/json.ts';

/** Where limits of this host or of whoever runs pktcost stand, the first that is there. */
function usualPlaces(): string[] {
  const home = process.env['XDG_CONFIG_HOME'] ?? '';
  return [...(home.startsWith('/') ? [join(home, 'pktcost', 'config.json')] : []), '/etc/pktcost/config.json'];
}

/**
 * The limits that are given, or those of $XDG_CONFIG_HOME/pktcost/config.json, or of /etc/pktcost/config.json; what they change is in
 * the report.
 * @throws UsageError as readConfig
 */
export async function configuredLimits(given: string | undefined): Promise<Overrides> {
  const path = given ?? usualPlaces().find((place) => existsSync(place));
  return path === undefined ? {} : readConfig(path, given === undefined ? '' : '--config ');
}

/**
 * Reads `--config`: a JSON file of the shape of schema/config.v1.json that changes limits of rules.
 * @throws UsageError with the JSON pointer of what is wrong
 */
export async function readConfig(path: string, flag = '--config '): Promise<Overrides> {
  const config = await readJson(path, flag);
  const { validateConfig } = await import('../generated/validate.ts');
  if (!validateConfig(config)) {
    throw new UsageError(`${flag}${path}: ${faultOf(validateConfig.errors)}`);
  }
  const overrides = (config as { thresholds?: Overrides }).thresholds ?? {};
  for (const [code, limits] of Object.entries(overrides)) {
    const rule = rules.find((each) => each.code === code);
    if (rule === undefined) {
      throw new UsageError(`${flag}${path}: /thresholds/${code}: there is no such rule; pktcost rules lists them`);
    }
    const known = Object.keys(rule.thresholds);
    for (const name of Object.keys(limits)) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? `it has ${known.join(', ') || 'none'}` : `did you mean "${near}"?`;
      throw new UsageError(`${flag}${path}: /thresholds/${code}/${name}: the rule has no such limit: ${hint}`);
    }
  }
  return overrides;
}

/** A rule has a few limits, and there are not a hundred rules. */
const MOST_BYTES = 1024 * 1024;

/** @throws UsageError when the file cannot be read or is not JSON; `flag` is what stands before the path in messages */
async function readJson(path: string, flag: string): Promise<unknown> {
  const bytes = await readGivenFile(path, MOST_BYTES);
  if (!bytes.ok) throw new UsageError(`${flag}${path}: cannot be read: ${bytes.reason}`);
  const parsed = parseJson(bytes.value, jsonBudget(10_000));
  if (!parsed.ok) throw new UsageError(`${flag}${path}: ${parsed.reason}`);
  return parsed.value;
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
