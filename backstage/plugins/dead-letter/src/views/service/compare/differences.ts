import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';

/** A value of two messages, by where it stands; undefined where a message does not have it. */
export interface Compared {
  path: string;
  values: [string | undefined, string | undefined];
  isSame: boolean;
}

/** What is compared, in this order. */
export const PARTS = ['failure', 'properties', 'headers', 'body'] as const;
export type Part = (typeof PARTS)[number];

/** Values deeper than this are compared as a whole. */
const DEEPEST = 32;
/** As many are compared; what is larger is said to be cut. */
export const MOST = 2_000;

/** Of the failure: what tells two of one kind apart. */
const OF_FAILURE = [
  'service',
  'queue',
  'exchange',
  'routingKey',
  'reason',
  'errorType',
  'errorMessage',
  'errorGroup',
  'type',
  'attempts',
  'diedAt',
  'receivedAt',
] as const;

/** Two messages side by side, value by value. */
export function compare(
  one: DeadLetteredMessageDetails,
  other: DeadLetteredMessageDetails,
): Record<Part, Compared[]> {
  const of = (part: Part) => {
    const [left, right] = [one, other].map(each => valuesOf(each, part));
    const paths = [...new Set([...left.keys(), ...right.keys()])];
    return paths.slice(0, MOST).map<Compared>(path => ({
      path,
      values: [left.get(path), right.get(path)],
      isSame: left.get(path) === right.get(path),
    }));
  };
  return {
    failure: of('failure'),
    properties: of('properties'),
    headers: of('headers'),
    body: of('body'),
  };
}

function valuesOf(
  message: DeadLetteredMessageDetails,
  part: Part,
): Map<string, string> {
  const values = new Map<string, string>();
  switch (part) {
    case 'failure':
      OF_FAILURE.forEach(name => flatten(message[name], name, values));
      break;
    case 'properties':
      flatten(message.properties, '', values);
      break;
    case 'headers':
      flatten(message.headers, '', values);
      break;
    default:
      flatten(readBody(message), '', values);
  }
  return values;
}

/** JSON as what it means; anything else as its text, which has no parts. */
function readBody({ body }: DeadLetteredMessageDetails): unknown {
  if (body.encoding !== 'text' || body.truncated) return body.content;
  try {
    return JSON.parse(body.content);
  } catch {
    return body.content;
  }
}

/** Each value by its path, such as `items[0].sku`. Numbers that JavaScript would round are told apart as far as it can. */
function flatten(
  value: unknown,
  path: string,
  into: Map<string, string>,
  depth = 0,
): void {
  if (value === undefined || (value === null && depth === 0 && path)) return;
  const isObject = typeof value === 'object' && value !== null;
  const entries = isObject ? Object.entries(value) : [];
  if (entries.length === 0 || depth >= DEEPEST) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (path || text !== '{}') into.set(path, text);
    return;
  }
  for (const [name, inner] of entries) {
    const step = Array.isArray(value) ? `[${name}]` : name;
    const joint = path && !Array.isArray(value) ? '.' : '';
    flatten(inner, `${path}${joint}${step}`, into, depth + 1);
  }
}
