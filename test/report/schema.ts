import { readFileSync } from 'node:fs';

export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  /** `since 1.1`: a field that came later; `absent for 0`: one that is there only where there is something to count. */
  readonly $comment?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

function schemaOf(name: string): Schema {
  return JSON.parse(readFileSync(new URL(`../../../schema/${name}.v1.json`, import.meta.url), 'utf8')) as Schema;
}

export const reportSchema = schemaOf('report');
export const comparisonSchema = schemaOf('comparison');
export const fleetSchema = schemaOf('fleet');

/** Names of definitions are unique among the schemas. */
export function resolve(schema: Schema): Schema {
  const name = schema.$ref?.replace(/^.*#\/\$defs\//, '');
  if (name === undefined) return schema;
  return reportSchema.$defs?.[name] ?? comparisonSchema.$defs?.[name] ?? fleetSchema.$defs?.[name] ?? {};
}

/** Where a value has other fields than the schema lists, or has them in another order. */
export function orderErrors(value: unknown, schema: Schema = reportSchema, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const options = (schema.anyOf ?? [schema]).map(resolve);
  const own = options.find(({ properties, items }) => properties !== undefined || items !== undefined) ?? {};
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => orderErrors(item, own.items ?? {}, `${at}/${index}`));
  }
  const { properties } = own;
  if (properties === undefined) return [];
  const isDue = (name: string): boolean => name in value || !/absent for 0/.test(properties[name]?.$comment ?? '');
  const wanted = Object.keys(properties).filter(isDue).join(' ');
  const found = Object.keys(value).join(' ');
  return [
    ...(wanted === found ? [] : [`${at}: ${found} instead of ${wanted}`]),
    ...Object.entries(value).flatMap(([name, field]) => orderErrors(field, properties[name] ?? {}, `${at}/${name}`)),
  ];
}
